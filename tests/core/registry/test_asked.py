"""A text that names an executor is parsed once: into a name, a class path or a file."""

from pathlib import Path

import pytest

from turgo.config.settings import Origin
from turgo.errors import ExecutorImportError
from turgo.registry.asked import Asked, ClassPath, FilePath, Name, Target


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("dask", Name("dask")),
        ("Local-Dask ", Name("local_dask")),
        ("turgo-dask/dask", Name("dask", "turgo-dask")),
        ("", Name("")),
        ("pkg.mod.Class", ClassPath("pkg.mod", "Class")),
        ("pkg.mod:Class", ClassPath("pkg.mod", "Class")),
        ("pkg:Outer.Inner", ClassPath("pkg", "Outer.Inner")),
        ("./mine.py:Mine", FilePath(Path("mine.py"), "Mine")),
        ("mine.py", FilePath(Path("mine.py"), "")),
        ("~/a/mine.py:Mine", FilePath(Path("~/a/mine.py"), "Mine")),
        ("/a/b", FilePath(Path("/a/b"), "")),
    ],
)
def test_a_text_names_one_kind_of_thing(text: str, target: Target) -> None:
    """There is one rule, by the characters of the text alone."""
    assert Asked(text).target == target


@pytest.mark.parametrize("text", ["a..b", "mine.", ":Mine", "./mine.py:", "tcp://host:8786", "a b.c"])
def test_a_class_path_that_is_none_is_an_error_with_its_origin(text: str) -> None:
    """What is neither a name nor a path is refused, and never taken for a name."""
    with pytest.raises(
        ExecutorImportError, match=r"is no class path \(asked by option --executor\)"
    ) as caught:
        Asked(text, Origin("option", "--executor")).target  # noqa: B018  (asked for its error)
    assert (caught.value.asked, caught.value.origin) == (text, "option --executor")


def test_the_label_is_the_normalised_name_or_the_path_as_written() -> None:
    """A run is recorded under it, and two texts with one label mean one executor."""
    assert Asked("Local-Dask").label == "local_dask"
    assert Asked("pkg.mod:Class").label == "pkg.mod:Class"


def test_a_file_is_relative_to_the_file_that_asks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A configuration file names files beside itself; everywhere else the current folder counts."""
    monkeypatch.chdir(tmp_path)
    assert Asked("./a.py:A").folder == tmp_path
    assert Asked("./a.py:A", Origin("project file", "turgo.toml", folder=Path("/x"))).folder == Path("/x")
