"""The module name of the script that runs."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import dataclasses, functools, pickle, sys
from turgo import flow, task

@dataclasses.dataclass
class Model:
    weight: float
    class Part:
        def own(self): ...

@functools.lru_cache
def cached(): ...

@task
def name(): return Model.__module__

@flow
def naming(): return name()

if __name__ == "__main__":
    print(naming.run(executor=EXECUTOR).result, Model.Part.__module__, Model.Part.own.__module__, cached.__module__,
        name.fn.__module__, sys.modules[Model.__module__] is sys.modules["__main__"])
    sys.stdout.flush()
    pickle.dump(Model(1.5), open("model.pickle", "wb"))
"""


def run(folder, *arguments):
    done = subprocess.run(
        [sys.executable, *arguments], cwd=folder, capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


@pytest.fixture
def folder(tmp_path):
    """A script, alone and within a package."""
    executor = f"{Path(__file__).parents[1]}/inline_executor.py:InlineExecutor"
    (tmp_path / "pkg").mkdir()
    for place in (tmp_path / "script.py", tmp_path / "pkg" / "script.py"):
        place.write_text(SCRIPT.replace("EXECUTOR", repr(executor)))
    (tmp_path / "pkg" / "__init__.py").touch()
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "name"),
    [(["script.py"], "script"), (["-m", "script"], "script"), (["-m", "pkg.script"], "pkg.script")],
)
def test_a_script_has_the_name_that_an_import_of_it_gives(arguments, name, folder, tmp_path_factory):
    """What it pickles is loaded by a program that imports it, also after the folder has moved."""
    assert run(folder, *arguments) == [name] * 5 + ["True"]
    moved = folder.rename(tmp_path_factory.mktemp("elsewhere") / "moved")
    loads = "import pickle; print(type(pickle.load(open('model.pickle', 'rb'))).__module__)"
    assert run(moved, "-c", loads) == [name]


def test_a_script_whose_name_is_another_modules_keeps_its_own(folder):
    """It hides nothing of the standard library."""
    (folder / "script.py").rename(folder / "statistics.py")
    assert run(folder, "statistics.py")[0] == "__main__"
