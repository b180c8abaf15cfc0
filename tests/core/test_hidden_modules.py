"""Files with the name of a module of the standard library: who meets one is told which file it is."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from turgo.hidden_modules import add_hidden_modules, hidden_modules

FLOW = """
from turgo import flow, task

@task
def one(): return 1

@flow
def ones(): return one()
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The first folder of the path, and the current one."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    return tmp_path


def test_nothing_is_said_where_nothing_is_hidden(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Other names, a folder that is no package, what is found after the library, folders that there are not."""
    (folder / "census.py").touch()
    (folder / "queue").mkdir()
    (folder / "json.txt").touch()
    late = folder / "late"
    late.mkdir()
    (late / "queue.py").touch()
    monkeypatch.setattr(sys, "path", ["/no/such/folder", *sys.path, str(late)])
    assert hidden_modules() == ""


@pytest.mark.parametrize("first", ["", "."])
def test_files_and_packages_are_named(folder: Path, monkeypatch: pytest.MonkeyPatch, first: str) -> None:
    """Also where the path names the current folder by nothing at all."""
    monkeypatch.setattr(sys, "path", [first, *sys.path])
    (folder / "queue.py").touch()
    assert hidden_modules() == (
        f"{folder}/queue.py hides Python's own module of that name from everything that imports it, here and in "
        "processes that are started here: rename it"
    )
    (folder / "email").mkdir()
    (folder / "email" / "__init__.py").touch()
    assert hidden_modules().startswith(f"{folder}/email and {folder}/queue.py each hide Python's own module")


def test_an_error_tells_once(folder: Path) -> None:
    """However many it passes that add it."""
    (folder / "queue.py").touch()
    error = ImportError("cannot import name 'SimpleQueue'")
    add_hidden_modules(error)
    add_hidden_modules(error)
    assert len(error.__notes__) == 1


def test_a_script_of_such_a_name_is_told(folder: Path) -> None:
    """`python queue.py`: what turgo imports is the script."""
    (folder / "queue.py").write_text(FLOW)
    command = [sys.executable, "queue.py"]
    said = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False).stderr
    assert said.splitlines()[-1].startswith(f"{folder}/queue.py hides Python's own module of that name")


def test_a_flow_file_beside_one_is_told(folder: Path) -> None:
    """What fails on import says why; what works goes on."""
    (folder / "flow.py").write_text("import random\nrandom.random()\n" + FLOW)
    (folder / "random.py").touch()
    command = [str(Path(sys.executable).with_name("turgo")), "run", "-q", "flow.py"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 2 and done.stderr.startswith("Error: flow.py fails on import:")
    assert done.stderr.splitlines()[-1].startswith(
        f"{folder}/random.py hides Python's own module of that name"
    )
    (folder / "flow.py").write_text(FLOW)
    environment = {**os.environ, "TURGO_EXECUTOR": "local"}
    assert subprocess.run([*command[:-1], "flow.py", "--help"], env=environment, timeout=120).returncode == 0
