"""The code of a task in parts: what changes it, what does not, and what the parts are called."""

import functools
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from turgo import task
from turgo.identity.code import Code, label_of

WORK = """
import threading
from enum import Enum
import helper
from helper import shifted
from turgo import flow, task

FACTOR = 2
TABLE = {"a": [1, 2], "b": {3}}
LOCK = threading.Lock()

class Kind(Enum):
    SMALL = 1

class Model:
    slope = 3

    def __init__(self, bias):
        self.bias = bias

    def predict(self, x):
        return self.slope * x + self.bias

    @property
    def twice(self):
        return 2 * self.bias

MODEL = Model(1)

def near(x):
    return x + 1

def unused(x):
    return x - 1

def cached(x):
    return x

@task
def inner(x):
    return x * 5

def outer(x, by=1):
    # a comment
    with LOCK:
        from late import when
        return near(x) * FACTOR * by + shifted(x) + helper.deep.power(x) + TABLE["a"][0] + MODEL.predict(x) + inner(x)

def kinds():
    return Kind.SMALL

def closed(n):
    def closure(x):
        return x + n
    return closure
"""
FILES = {
    "work.py": WORK,
    "helper/__init__.py": "from helper import deep\nOFFSET = 4\ndef shifted(x):\n    return x + OFFSET\n",
    "helper/deep.py": "def power(x):\n    return x ** 2\n\ndef other(x):\n    return x\n",
    "late.py": "import later\ndef when():\n    return later.NOON\n",
    "later.py": "NOON = 12\n",
}
SHOW = """
import json, os, sys
from turgo.identity.code import Code

for folder in sys.argv[1:]:
    sys.stdout.flush()
    if not os.fork():
        sys.path.insert(0, folder)
        import work
        print(json.dumps([os.path.basename(folder), Code().parts(work.outer), Code().parts(work.kinds)]), flush=True)
        os._exit(0)
    os.wait()
"""
MATTERS = [
    ("work.py", "FACTOR = 2", "FACTOR = 3", "work.py:FACTOR"),
    ("work.py", "return x + 1", "return x + 2", "work.py:near"),
    ("work.py", "by=1", "by=2", "work.py:outer, default 0"),
    ("work.py", "* by", "- by", "work.py:outer"),
    ("work.py", "[1, 2]", "[1, 3]", "work.py:TABLE"),
    ("work.py", "self.slope * x", "self.slope + x", "work.py:Model.predict"),
    ("work.py", "slope = 3", "slope = 4", "work.py:Model.slope"),
    ("work.py", "Model(1)", "Model(2)", "work.py:MODEL"),
    ("work.py", "return x * 5", "return x * 6", "work.py:inner"),
    ("helper/__init__.py", "OFFSET = 4", "OFFSET = 5", "helper.py:OFFSET"),
    ("helper/__init__.py", "x + OFFSET", "x - OFFSET", "helper.py:shifted"),
    ("helper/deep.py", "x ** 2", "x ** 3", "helper/deep.py:power"),
    ("late.py", "later.NOON", "later.NOON + 1", "late.py"),
    ("later.py", "12", "13", "later.py"),
]
DOES_NOT_MATTER = [
    ("work.py", "# a comment", "# another\n    # one", ""),
    ("work.py", "FACTOR = 2", "\n\nFACTOR = 2", ""),
    ("work.py", "return x - 1", "return x - 2", ""),
    ("helper/deep.py", "return x\n", "return -x\n", ""),
]


def write_files(folder: Path, file: str = "", old: str = "", new: str = "") -> str:
    """All files into a folder, one of them changed; the folder."""
    for name, text in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        assert name != file or text.count(old) == 1
        path.write_text(text.replace(old, new) if name == file else text)
    return str(folder)


def shown(folders: list[str]) -> dict[str, list[dict[str, str]]]:
    """The parts of `outer` and `kinds` of each folder, seen by a process of its own with a hash seed of its own."""
    environment = {**os.environ, "PYTHONHASHSEED": "random"}
    command = [sys.executable, "-c", SHOW, *folders]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=True)
    return {name: parts for name, *parts in map(json.loads, done.stdout.splitlines())}


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[dict[str, str]]]:
    """The parts before any change, after each, and once more as they were before."""
    base = tmp_path_factory.mktemp("code")
    folders = [write_files(base / "before"), write_files(base / "enum", "work.py", "SMALL = 1", "SMALL = 2")]
    for number, (file, old, new, _) in enumerate(MATTERS + DOES_NOT_MATTER):
        folders.append(write_files(base / str(number), file, old, new))
    return {**shown(folders), **shown([write_files(base / "again")])}


@pytest.mark.parametrize("number", range(len(MATTERS + DOES_NOT_MATTER)))
def test_a_change_changes_the_part_that_it_is_in(seen: dict[str, list[dict[str, str]]], number: int) -> None:
    """And no other: of the function's module, of those beside it, of those that it imports while it runs.

    Comments, the places of lines and functions that it does not call change nothing.
    """
    part = (MATTERS + DOES_NOT_MATTER)[number][-1]
    before, after = seen["before"][0], seen[str(number)][0]
    changed = {label for label in before.keys() | after.keys() if before.get(label) != after.get(label)}
    assert changed == ({part} if part else set())


def test_code_is_the_same_in_every_process(seen: dict[str, list[dict[str, str]]]) -> None:
    """Members of an enumeration too; and their values count."""
    assert seen["before"] == seen["again"]
    assert seen["before"][1] != seen["enum"][1]


def digest(fn: Any) -> dict[str, str]:
    """The parts of a function."""
    return Code().parts(fn)


def test_what_a_closure_holds_counts() -> None:
    """Two functions of one text differ by what they are over."""

    def over(n: object) -> Any:
        return lambda x: (x, n)

    assert digest(over(1)) == digest(over(1)) != digest(over(2))


def test_what_decorators_hold_counts() -> None:
    """A function behind a wrapper, a cache, a partial or a task is looked into."""

    def wrapped(fn: Any) -> Any:
        @functools.wraps(fn)
        def wrapper(x: int) -> Any:
            return fn(x)

        return wrapper

    def one(x: int) -> int:
        return x + 1

    def two(x: int) -> int:
        return x + 2

    two.__qualname__, two.__name__ = one.__qualname__, one.__name__
    for made in (wrapped, functools.lru_cache, task, functools.partial):
        assert digest(made(one)) == digest(made(one)) != digest(made(two)), made


def test_functions_of_the_same_name_are_parts_of_their_own() -> None:
    """Their labels are numbered."""
    pair = [lambda x: x + 1, lambda x: x + 2]
    labels = digest(lambda x: [each(x) for each in pair])
    assert sum(label.endswith(("<lambda>", "<lambda>#2", "<lambda>#3")) for label in labels) == 3


def test_the_label_of_a_function_says_where_it_stands(tmp_path: Path) -> None:
    """By the file, however that was loaded; of a partial, that of its function."""
    from turgo.registry.source_files import load_source

    file = tmp_path / "work.py"
    file.write_text("def outer(x):\n    return x\n")
    outer = load_source(file).outer
    assert label_of(outer) == label_of(functools.partial(outer, 1)) == "work.py:outer"
    assert label_of(label_of) == "turgo/identity/code.py:label_of"
