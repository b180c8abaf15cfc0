"""Entry points: read one distribution at a time, so that a damaged one breaks nothing but itself."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from turgo import names
from turgo.errors import UnknownExecutorError
from turgo.registry.entry_points import InstalledEntryPoint, damaged, entry_points

GROUP = "turgo.executors"
LATIN = "Summary: caf\xe9\n".encode("latin-1")


def info(site: Any, name: str, **files: bytes) -> Path:
    """Lay out the metadata of a distribution: each file by its name without suffix."""
    folder: Path = site.folder / f"{name}.dist-info"
    folder.mkdir()
    for file, data in files.items():
        (folder / {"entry_points": "entry_points.txt"}.get(file, file)).write_bytes(data)
    return folder


DAMAGES: dict[str, tuple[Callable[[Any], object], str]] = {
    "a line without a value": (
        lambda site: info(
            site, "wreck-1.0", METADATA=b"Name: wreck\nVersion: 1.0\n", entry_points=b"[a]\nb\n"
        ),
        "wreck 1.0",
    ),
    "entry points in latin-1": (
        lambda site: info(
            site, "wreck-1.0", METADATA=b"Name: wreck\nVersion: 1.0\n", entry_points=b"[a]\n\xe9 = b\n"
        ),
        "wreck 1.0",
    ),
    "metadata in latin-1": (lambda site: info(site, "wreck-1.0", METADATA=LATIN), "wreck 1.0"),
    "no metadata": (lambda site: info(site, "wreck-1.0", entry_points=b"[a]\nb = c\n"), "wreck 1.0"),
    "an empty folder": (lambda site: info(site, "wreck-1.0"), "wreck 1.0"),
    "an empty folder without a version": (lambda site: info(site, "wreck"), "wreck ?"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_distribution_is_named_and_breaks_no_other(site: Any, registry: Any, damage: str) -> None:
    """Whatever is wrong with a stranger's metadata, our own plugin is found, and the stranger is named."""
    site.install_plugin("turbine")
    lay, name = DAMAGES[damage]
    lay(site)
    assert registry().names() == ("turbine",)
    assert registry().resolve("turbine").cls.__name__ == "TurbineExecutor"
    (found,) = registry().damaged()
    assert found.name == name
    assert found.problem.startswith(
        ("its entry_points.txt cannot be read: ", "its METADATA ", "it has no METADATA")
    )


@pytest.mark.parametrize("metadata", [None, LATIN, b""], ids=["missing", "latin-1", "empty"])
def test_a_plugin_whose_metadata_is_damaged_is_known_by_its_folder(
    site: Any, registry: Any, metadata: bytes | None
) -> None:
    """Name and version of its distribution come from the folder, so that messages can name it."""
    site.install_plugin("turbine", version="2.1")
    file = site.folder / "turgo_turbine-2.1.dist-info" / "METADATA"
    file.unlink() if metadata is None else file.write_bytes(metadata)
    (record,) = registry().plugins()
    assert (record.name, record.distribution, record.version) == ("turbine", "turgo_turbine", "2.1")
    assert record.broken is None
    assert registry().resolve("turgo-turbine/turbine").spec is not None


@pytest.mark.parametrize(
    "empty", ["turgo_turbine-0.9", "turgo_turbine-9.9", "turgo-turbine-0.1", "Turgo_Turbine-1"]
)
def test_an_empty_folder_hides_no_distribution_of_its_name(site: Any, registry: Any, empty: str) -> None:
    """What an interrupted uninstallation leaves behind stands before or behind the true one, and is seen through."""
    site.install_plugin("turbine", version="1.0")
    info(site, empty)
    assert [(each.distribution, each.version) for each in registry().plugins()] == [("turgo-turbine", "1.0")]


def test_of_two_folders_on_the_path_the_first_has_the_name(tmp_path: Path) -> None:
    """As for imports: what stands first on the search path is what is installed."""
    for place, version in (("one", "1.0"), ("two", "2.0")):
        folder = tmp_path / place / f"mill-{version}.dist-info"
        folder.mkdir(parents=True)
        (folder / "METADATA").write_text(f"Name: mill\nVersion: {version}\n")
        (folder / "entry_points.txt").write_text(f"[{GROUP}]\nmill = mill\n")
    path = [str(tmp_path / "two"), str(tmp_path / "one")]
    assert [point.version for point in entry_points(group=GROUP, path=path)] == ["2.0"]
    assert [point.version for point in entry_points(group=GROUP, path=path[::-1])] == ["1.0"]


def test_a_folder_that_is_missing_or_impossible_is_no_error(tmp_path: Path) -> None:
    """An entry of the search path may be a file, nothing at all, or a text that is no path."""
    file = tmp_path / "file"
    file.write_text("")
    path = [str(file), str(tmp_path / "gone"), "a\0b"]
    assert entry_points(group=GROUP, path=path) == ()
    assert damaged(path) == ()


def test_what_is_installed_later_is_found(site: Any, registry: Any) -> None:
    """What was read is kept only as long as nothing is installed or removed."""
    assert registry().names() == ()
    site.install_plugin("turbine")
    assert registry().names() == ("turbine",)


def test_an_entry_point_that_names_nothing_is_a_broken_plugin(site: Any, registry: Any) -> None:
    """Its value is read when it is loaded, so that the others of its file are at hand."""
    site.install("mills", {}, {"mill": "no module!", "wind": "gone"})
    assert registry().names() == ("mill", "wind")
    reasons = {record.name: record.broken for record in registry().plugins()}
    assert "ValueError" in reasons["mill"] or "AttributeError" in reasons["mill"]
    with pytest.raises(UnknownExecutorError):
        registry().resolve("water")


ODD = """
# a comment
[console_scripts]
mill = mill.main:run [fast]

[turgo.executors]
water=mill.water
wind = mill : Wind.plugin [fast]
; another comment
[turgo.observers]
"""


def test_the_lines_of_a_file_are_those_that_packaging_tools_write(tmp_path: Path) -> None:
    """With and without spaces, attributes, extras and comments."""
    folder = tmp_path / "mill-1.0.dist-info"
    folder.mkdir()
    (folder / "entry_points.txt").write_text(ODD)
    points = entry_points(group=GROUP, path=[str(tmp_path)])
    assert [(point.name, point.module) for point in points] == [("water", "mill.water"), ("wind", "mill")]
    assert entry_points(group="turgo.observers", path=[str(tmp_path)]) == ()


@pytest.mark.parametrize(
    ("value", "loaded"),
    [
        ("turgo.names", names),
        ("turgo.names:canonicalise", names.canonicalise),
        ("turgo.names : canonicalise.__doc__ [extra]", names.canonicalise.__doc__),
    ],
)
def test_what_an_entry_point_names_is_loaded(value: str, loaded: object) -> None:
    """A module, something in it, or a part of that; what is in brackets is for installers."""
    assert InstalledEntryPoint("mill", value, "mill", "1.0").load() == loaded


@pytest.mark.parametrize("value", ["", ":run", "two words", "mill.", "mill:run()", "mill:run:on", "mill;run"])
def test_a_value_that_cannot_be_a_name_says_so(value: str) -> None:
    """Before anything is imported."""
    with pytest.raises(ValueError, match="'mill' names nothing that can be imported"):
        InstalledEntryPoint("mill", value, "mill", "1.0").load()
