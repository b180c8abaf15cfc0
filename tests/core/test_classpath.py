"""Class paths: a class by its module or its file, and what is said if it is not there."""

import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import cloudpickle
import pytest

from penstock.errors import (
    ApiVersionError,
    ExecutorImportError,
    ExecutorNotInstalledError,
    NotAnExecutorError,
)
from penstock.settings import Origin

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
    monkeypatch.setitem(sys.modules, "penstock_dask", None)  # so it is not found, installed or not
    with pytest.raises(ExecutorNotInstalledError, match=r"To have it: pip install penstock-dask$"):
        registry().resolve("penstock_dask.DaskExecutor")


def test_a_file_is_loaded_once_and_its_functions_travel_by_value(registry: Any, project: Path) -> None:
    (project / "mine.py").write_text(FILE)
    cls = registry().resolve("./mine.py:Mine").cls
    assert registry().resolve(f"{project}/mine.py:Mine").cls is cls
    carried = cloudpickle.dumps(sys.modules[cls.__module__].double)
    program = f"import pickle; assert pickle.loads({carried!r})(2) == 4"
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
    assert pickle.loads(pickle.dumps(cls(size=2))).size == 2


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
        ("mills.wind.one", NotAnExecutorError, "is of type Mine: .*no subclass of penstock.Executor"),
        ("mills.wind.Other", NotAnExecutorError, "is the class .*no subclass of penstock.Executor"),
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
