"""Distributions: those that stand in folders are found as importlib_metadata finds them, and the others by it."""

import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import importlib_metadata
import pytest

from turgo.registry import distributions as module
from turgo.registry.distributions import Distribution, distributions
from turgo.registry.entry_points import entry_points

METADATA = "Metadata-Version: 2.1\nName: mill\nVersion: 1.0\n"
POINTS = "[turgo.executors]\nmill = mill.plugin\n"
FILES = {"METADATA": METADATA, "PKG-INFO": METADATA, "entry_points.txt": POINTS}


@pytest.fixture
def no_help(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the help of importlib_metadata."""

    def refused(path: object) -> Any:
        raise AssertionError(path)

    monkeypatch.setattr(module, "_by_finders", refused)


def lay(folder: Path) -> Path:
    """Lay out the metadata of a distribution in a folder."""
    folder.mkdir(parents=True)
    for name, text in FILES.items():
        (folder / name).write_text(text)
    return folder


@pytest.mark.usefixtures("no_help")
def test_what_is_installed_is_what_importlib_metadata_finds() -> None:
    """All that is on the search path of this very interpreter: names, versions and entry points."""
    path = [folder for folder in sys.path if Path(folder or ".").is_dir()]
    found = {each.key: each for each in distributions(path)}
    theirs: dict[str, importlib_metadata.Distribution] = {}
    for each in importlib_metadata.distributions(path=path):
        theirs.setdefault(module.canonicalise(each.metadata["Name"]), each)
    assert {key: each.identity for key, each in found.items()} == {
        key: (each.metadata["Name"], each.version) for key, each in theirs.items()
    }
    for key, each in found.items():
        assert each.read_text("entry_points.txt") == theirs[key].read_text("entry_points.txt")


@pytest.mark.usefixtures("no_help")
@pytest.mark.parametrize("folder", ["mill-1.0.dist-info", "mill-1.0-py3.11.egg-info", "Mill.EGG-INFO"])
def test_a_folder_of_metadata(tmp_path: Path, folder: str) -> None:
    """Whatever wrote it."""
    lay(tmp_path / folder)
    (tmp_path / "mill").mkdir()
    (found,) = distributions([str(tmp_path)])
    assert found.identity == ("mill", "1.0") and found.key == "mill"
    assert found.read_text("entry_points.txt") == POINTS and found.read_text("top_level.txt") is None


@pytest.mark.usefixtures("no_help")
def test_metadata_that_are_one_file(tmp_path: Path) -> None:
    """As distutils wrote them; there are no entry points beside it."""
    (tmp_path / "mill-1.0.egg-info").write_text(METADATA)
    (found,) = distributions([str(tmp_path)])
    assert found.identity == ("mill", "1.0") and found.is_described
    assert found.read_text("entry_points.txt") is None


@pytest.mark.usefixtures("no_help")
def test_the_folder_where_one_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty text on the search path is that, as for imports."""
    lay(tmp_path / "mill-1.0.dist-info")
    monkeypatch.chdir(tmp_path)
    assert [each.key for each in distributions([""])] == ["mill"]


def test_an_egg_on_the_search_path(tmp_path: Path) -> None:
    """Its metadata are in a folder that is not named after it."""
    lay(tmp_path / "mill-1.0-py3.11.egg" / "EGG-INFO")
    (found,) = distributions([str(tmp_path / "mill-1.0-py3.11.egg")])
    assert found.identity == ("mill", "1.0")


def test_a_zip_file_on_the_search_path(tmp_path: Path) -> None:
    """Also where others are in folders."""
    lay(tmp_path / "water-1.0.dist-info")
    with zipfile.ZipFile(tmp_path / "mills.zip", "w") as archive:
        for name, text in FILES.items():
            archive.writestr(f"mill-1.0.dist-info/{name}", text)
    found = distributions([str(tmp_path), str(tmp_path / "mills.zip")])
    assert sorted(each.key for each in found) == ["mill", "water"]


class Finder(importlib_metadata.DistributionFinder):
    """One of another package, which knows a distribution that stands in no folder."""

    def find_distributions(self, context: Any = None) -> Iterator[Any]:
        """The only one."""

        class Known(importlib_metadata.Distribution):
            def read_text(self, filename: str) -> str | None:
                return FILES.get(filename)

            def locate_file(self, path: Any) -> Any:
                raise NotImplementedError

        yield Known()

    def find_spec(self, *args: Any) -> None:
        """Of no module."""


def test_what_the_finder_of_another_package_knows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A plugin in there is one as any other."""
    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path, Finder()])
    (found,) = distributions([str(tmp_path)])
    assert found.identity == ("mill", "1.0")
    points = entry_points(group="turgo.executors", path=[str(tmp_path)])
    assert [(point.name, point.value, point.distribution) for point in points] == [
        ("mill", "mill.plugin", "mill")
    ]


def test_a_distribution_of_which_nothing_can_be_read() -> None:
    """It has a name all the same."""

    def broken(name: str) -> str:
        raise RuntimeError(name)

    assert Distribution("", broken).identity == ("an unknown distribution", "?")
    assert not Distribution("mill.dist-info", broken).is_empty
    assert Distribution("mill.dist-info", broken).key == "mill"
