"""Class paths: a class by its module or its file, and what is said if it is not there."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from turgo.config.settings import Origin
from turgo.errors import (
    ApiVersionError,
    ExecutorImportError,
    ExecutorNotInstalledError,
    NotAnExecutorError,
)

OPTION = Origin("option", "--executor")


FILE = Path(__file__).with_name("own_executors.py").read_text()


@pytest.mark.parametrize(
    "path", ["mills.wind.Mine", "mills.wind:Mine", "./files/mine.py:Mine", "files/mine.py:Mine"]
)
def test_a_class_path_leads_to_its_class(site: Any, registry: Any, project: Path, path: str) -> None:
    site.install("mills", {"mills/__init__.py": "", "mills/wind.py": FILE}, {})
    (project / "files").mkdir()
    (project / "files" / "mine.py").write_text(FILE)
    resolved = registry().resolve(path)
    assert (resolved.cls.__name__, resolved.spec, resolved.name) == ("Mine", None, path)
    assert registry().get_executor(path, size=3).size == 3


def test_executors_that_a_module_imports_late_are_known_to_the_message(site: Any, registry: Any) -> None:
    late = """
        __all__ = ["Mine", "Gone"]
        def __getattr__(name):
            import mine_there
            return getattr(mine_there, name)
    """
    site.install("mine", {"mine.py": late, "mine_there.py": FILE}, {})
    assert registry().resolve("mine.Mine").cls.__module__ == "mine_there"
    with pytest.raises(ExecutorImportError, match=r"its executors are Mine; did you mean 'Mine'\?"):
        registry().resolve("mine:Mien")


def test_a_class_path_into_a_known_package_that_is_absent_comes_with_the_line_that_installs_it(
    registry: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "turgo_dask", None)  # so it is not found, installed or not
    with pytest.raises(ExecutorNotInstalledError, match=r"To have it: .* -m pip install turgo-dask$"):
        registry().resolve("turgo_dask.DaskExecutor")


def test_a_file_in_a_configuration_is_relative_to_that_file(
    registry: Any, project: Path, monkeypatch: Any
) -> None:
    (project / "mine.py").write_text(FILE)
    (project / "below").mkdir()
    made = registry('executor = "./mine.py:Mine"')
    monkeypatch.chdir(project / "below")
    assert type(made.get_executor()).__name__ == "Mine"


@pytest.mark.parametrize(
    ("path", "error", "said"),
    [
        ("mills.wnd.Mine", ExecutorImportError, "no module 'mills.wnd', which 'mills.wnd.Mine' asks for"),
        ("gone.wind:Mine", ExecutorImportError, "there is no module 'gone', "),
        ("mills.bad.Mine", ExecutorImportError, "'mills.bad' .* fails on import.*No module named 'nothing'"),
        (
            "mills.wind.Mien",
            ExecutorImportError,
            r"has no 'Mien', .*; its executors are Mine, Old; did you mean 'Mine'\?",
        ),
        ("mills.wind.one", NotAnExecutorError, "is of type Mine: .*no subclass of turgo.Executor"),
        ("mills.wind.Other", NotAnExecutorError, "is the class .*no subclass of turgo.Executor"),
        ("mills.wind.Half", NotAnExecutorError, "it does not implement submit"),
        ("mills.wind.Old", ApiVersionError, "upgrade the package it is from"),
        ("mine.Mine", ExecutorImportError, r"for the file beside you write \./mine\.py:Mine"),
        ("./mien.py:Mine", ExecutorImportError, r"there is no file .*mien\.py.*did you mean 'mine\.py'\?"),
        ("./mine.py", ExecutorImportError, r"names no class.*; write \./mine\.py:Mine"),
        ("./mine.py:Mien", ExecutorImportError, "did you mean 'Mine'"),
        ("./bad.py:Mine", ExecutorImportError, r"bad\.py fails on import.*ZeroDivisionError"),
        ("./mine", ExecutorImportError, "names no class|no file"),
        ("a..b", ExecutorImportError, "is no class path"),
        ("mine.", ExecutorImportError, "is no class path"),
        (":Mine", ExecutorImportError, "is no class path"),
        ("./mine.py:", ExecutorImportError, "is no class path"),
        ("tcp://host:8786", ExecutorImportError, "is no class path"),
        ("./a\0b.py:Mine", ExecutorImportError, "cannot be looked at"),
        ("./\ud800.py:Mine", ExecutorImportError, "cannot be looked at"),
    ],
)
def test_a_class_path_that_leads_nowhere_says_what_is_missing(
    site: Any, registry: Any, project: Path, path: str, error: type[Exception], said: str
) -> None:
    modules = {"mills/__init__.py": "", "mills/wind.py": FILE, "mills/bad.py": "import nothing"}
    site.install("mills", modules, {})
    (project / "mine.py").write_text(FILE)
    (project / "bad.py").write_text("1 / 0")
    with pytest.raises(error, match=said) as caught:
        registry().resolve(path, origin=OPTION)
    assert "option --executor" in str(caught.value)


def test_a_file_can_import_its_neighbours(registry: Any, project: Path) -> None:
    """As a script can; they stand behind what is installed, so that none of them hides a module."""
    (project / "neighbour.py").write_text("SIZE = 5")
    (project / "json.py").write_text("1 / 0")
    (project / "mine.py").write_text(f"import neighbour\nimport json\n{FILE}")
    assert registry().resolve("./mine.py:Mine").cls.__name__ == "Mine"


def test_the_hint_for_a_package_beside_you_leads_to_what_works(
    registry: Any, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A module of a package may import relatively, so it is not to be loaded as a file."""
    (project / "mills").mkdir()
    (project / "mills" / "__init__.py").write_text("")
    (project / "mills" / "size.py").write_text("SIZE = 3")
    (project / "mills" / "wind.py").write_text(f"from .size import SIZE\n{FILE}")
    monkeypatch.setattr(sys, "path", [each for each in sys.path if each not in ("", ".", str(project))])
    with pytest.raises(
        ExecutorImportError, match=r"it lies in the current folder.*`python -m turgo …`.*PYTHONPATH=\."
    ):
        registry().resolve("mills.wind:Mine")
    program = "from turgo import get_executor; print(get_executor('mills.wind:Mine', size=2))"
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=project,
        env={**os.environ, "PYTHONPATH": "."},
        capture_output=True,
        check=True,
    )
    assert b"Mine" in done.stdout
