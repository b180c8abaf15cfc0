"""What the check of a release finds: whatever is missing or wrong in one built file is a sentence."""

import io
import json
import re
import tarfile
import zipfile
from pathlib import Path

import pytest
from tools.release.built import built_faults, names
from tools.release.first_screen import first_screen
from tools.release.house import House, changelog_faults, house, houses, version_faults
from tools.release.newcomer import foreign_files, pip_variables

PYPROJECT = (
    '[project]\nname = "turgo-turbine"\n[tool.hatch.version]\npath = "src/turgo_turbine/_version.py"\n'
)
CERTIFICATE = {
    "distribution": "turgo-turbine",
    "version": "1.2.0",
    "turgo": "1.2.0",
    "proven": True,
    "options": {},
}


@pytest.fixture
def turbine(tmp_path: Path) -> House:
    """A house with one distribution of an executor."""
    folder = tmp_path / "plugins/turbine"
    source = folder / "src/turgo_turbine"
    source.mkdir(parents=True)
    (folder / "pyproject.toml").write_text(PYPROJECT)
    (folder / "LICENSE").write_text("do what you like")
    (source / "_version.py").write_text('"""The version."""\n\n__version__ = "1.2.0"\n')
    return house(folder)


def build(turbine: House, page: str = "It turns.", **changed: str | None) -> Path:
    """The folder of its wheel and sdist, which are whole but for the files that are changed, or left out as None."""
    folder = turbine.folder / "dist"
    folder.mkdir()
    metadata = f"Metadata-Version: 2.4\nName: turgo-turbine\nVersion: 1.2.0\nSummary: turns\n\n{page}"
    licence = changed.get("licence", "do what you like")
    package = {
        "py.typed": changed.get("typed", ""),
        "certificate.json": changed.get("certificate", json.dumps(CERTIFICATE)),
    }
    inside = {f"turgo_turbine/{name}": text for name, text in package.items() if text is not None}
    wheel, sdist = names(turbine)
    with zipfile.ZipFile(folder / wheel, "w") as archive:
        for name, text in {
            **inside,
            "x.dist-info/METADATA": metadata,
            "x.dist-info/licenses/LICENSE": licence,
        }.items():
            archive.writestr(name, text or "")
    with tarfile.open(folder / sdist, "w:gz") as archive:
        files = {
            **{f"src/{name}": text for name, text in inside.items()},
            "PKG-INFO": metadata,
            "LICENSE": licence,
        }
        for name, text in files.items():
            entry = tarfile.TarInfo(f"turgo_turbine-1.2.0/{name}")
            entry.size = len(text or "")
            archive.addfile(entry, io.BytesIO((text or "").encode()))
    return folder


def test_a_whole_release_has_no_faults(turbine: House) -> None:
    """A wheel and an sdist with licence, marker and certificate."""
    assert turbine == House("turgo-turbine", turbine.folder, "turgo_turbine", "1.2.0")
    assert not list(built_faults(build(turbine), [turbine]))


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        ({"licence": "do nothing"}, "it holds no LICENSE, or another one"),
        ({"typed": None}, "it is not marked as typed: there is no py.typed"),
        ({"certificate": None}, "it holds no certificate of the conformance suite"),
        (
            {"certificate": json.dumps({**CERTIFICATE, "version": "1.1.0"})},
            "its certificate says version '1.1.0', not '1.2.0'",
        ),
        (
            {"certificate": json.dumps({**CERTIFICATE, "proven": False})},
            "its certificate says proven False, not True",
        ),
        (
            {"certificate": json.dumps({**CERTIFICATE, "options": {"workers": "2"}})},
            "its certificate is of other options than the default ones",
        ),
        (
            {"page": "See [this](docs/this.md)."},
            "its page on the index would have a link that leads nowhere: docs/this.md",
        ),
        ({"page": "It is not published yet."}, "its page on the index would say that it is not published"),
    ],
)
def test_a_fault_is_told_of_wheel_and_sdist(
    turbine: House, changed: dict[str, str | None], fault: str
) -> None:
    """In the same words, each after its file."""
    found = list(built_faults(build(turbine, **changed), [turbine]))
    assert found == [f"{name}: {fault}" for name in names(turbine)]


def test_another_version_is_told(turbine: House) -> None:
    """Files of another version are none of the release, whose own are missed; as is a version inside of them."""
    folder = build(turbine)
    wheel = names(turbine)[0]
    (folder / wheel).rename(folder / "turgo_turbine-1.1.0-py3-none-any.whl")
    assert list(built_faults(folder, [turbine])) == [
        "turgo_turbine-1.1.0-py3-none-any.whl is no file of this release",
        f"{wheel} was not built",
    ]
    later = turbine._replace(version="1.3.0")
    for name, new in zip(names(turbine), names(later), strict=True):
        if (folder / name).exists():
            (folder / name).rename(folder / new)
    assert f"{names(later)[1]}: its metadata does not say version 1.3.0" in list(
        built_faults(folder, [later])
    )


def test_versions_are_in_step(root: Path, turbine: House) -> None:
    """Those of the checkout are; where one is not, all are named."""
    ours = houses(root)
    assert [each.name for each in ours] == ["turgo", "turgo-dask", "turgo-local", "turgo-local-dask"]
    assert [each.certified for each in ours] == [False, True, True, True]
    assert not version_faults(ours)
    assert version_faults([turbine, turbine._replace(name="turgo", version="1.1.0")]) == [
        "the versions are not in step: turgo-turbine 1.2.0, turgo 1.1.0"
    ]


def test_the_changelog_speaks_of_the_release() -> None:
    """It has a section of the version, with something in it; of what is released under a tag it has the date."""
    text = "# Changelog\n\n## [1.2.0] - Unreleased\n\n- It turns.\n\n"
    text += "## [1.1.0] - 2026-01-02\n\n## [1.0.0] - 2026-01-01\n\n- All.\n"
    assert not changelog_faults(text, "1.2.0", None)
    assert not changelog_faults(text, "1.0.0", "v1.0.0")
    assert changelog_faults(text, "1.1.0", None) == [
        "the section '## [1.1.0] - 2026-01-02' of CHANGELOG.md is empty"
    ]
    assert changelog_faults(text, "1.3.0", None) == [
        "CHANGELOG.md has no section that begins '## [1.3.0] - '"
    ]
    assert changelog_faults(text, "1.2.0", "v1.3.0") == [
        "the tag is v1.3.0, and the version 1.2.0",
        "the section '## [1.2.0] - Unreleased' of CHANGELOG.md has no date, and this is a release",
    ]


def test_a_newcomer_reaches_the_public_index_as_this_machine_does() -> None:
    """What pip's settings say of indexes goes along, the environment's last; settings of another kind do not."""
    listed = ":env:.find-links='/b'\nglobal.extra-index-url='\\nfile:///one\\nfile:///two'\nglobal.find-links='/a'\n"
    listed += "global.quiet='3'\ninstall.user='true'\n:env:.default-timeout='180'\n"
    assert pip_variables(listed) == {
        "PIP_EXTRA_INDEX_URL": "file:///one file:///two",
        "PIP_FIND_LINKS": "/b",
        "PIP_DEFAULT_TIMEOUT": "180",
    }


def test_what_is_taken_from_elsewhere_is_found() -> None:
    """A package of turgo's name from another index, or of another version; what others made comes from anywhere."""
    index, elsewhere = "http://127.0.0.1:8080/", "http://127.0.0.1:9090/"
    taken = [
        ("turgo", "1.2.0", index),
        ("turgo-dask", "1.2.0", elsewhere),
        ("turgo-local", "9.0.0", index),
        ("dask", "1", elsewhere),
    ]
    report = {
        "install": [
            {"metadata": {"name": name, "version": version}, "download_info": {"url": f"{where}{name}.whl"}}
            for name, version, where in taken
        ]
    }
    assert foreign_files(report, index, "1.2.0") == [f"{elsewhere}turgo-dask.whl", f"{index}turgo-local.whl"]


def test_the_first_screen_leads_to_dask(root: Path) -> None:
    """A newcomer types what the README shows above its second heading: installs by name, runs the flow everywhere."""
    folders = {f"./{each.folder.relative_to(root)}": each.name for each in houses(root)}
    shown = first_screen((root / "README.md").read_text(encoding="utf-8"), folders)
    assert "$ pip install turgo turgo-local turgo-local-dask turgo-dask" in shown
    for option in ("", " --executor local_dask", " --executor dask"):
        assert re.search(rf"^\$ turgo run \w+\.py{option} +#", shown, re.MULTILINE)
    assert not [word for word in ("./", "$ make", "activate", "When a task fails") if word in shown]
