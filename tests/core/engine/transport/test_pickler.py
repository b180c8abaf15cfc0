"""The code of a flow travels by value, under the names of its modules; what is installed travels by name."""

from __future__ import annotations

import json
import pickle
import pickletools
import subprocess
import sys
from pathlib import Path
from typing import Any

import cloudpickle
import pytest

from turgo import task
from turgo.engine.transport.flow_code import FlowCode
from turgo.engine.transport.pickler import CodePickler
from turgo.worker.values.pickles import LARGE_VALUE_BYTES

FACTOR = 3

OPENED = """
import pickle, sys
fn = pickle.load(sys.stdin.buffer)
print(fn(2), fn.__module__, fn.__code__.co_filename, sorted(vars(sys.modules[fn.__module__])) != [])
"""


def scaled(number: int) -> int:
    """By a global of this module."""
    return number * FACTOR


def unpickled_within(value: int) -> str:
    """By what is installed."""
    return json.dumps([scaled(value)])


@task
def here() -> None:
    """Its module is the flow's."""


def pickler() -> CodePickler:
    return CodePickler(None, FlowCode({here}))


def opened_elsewhere(blob: bytes, folder: Path) -> list[str]:
    """What a fresh interpreter, which cannot import this module, says of a function that it unpickles."""
    ran = subprocess.run(
        [sys.executable, "-c", OPENED], input=blob, capture_output=True, cwd=folder, timeout=60, check=True
    )
    return ran.stdout.decode().split()


@pytest.mark.parametrize(("fn", "shown"), [(scaled, "6"), (unpickled_within, "[6]")])
def test_a_function_runs_where_its_module_is_not(fn: Any, shown: str, tmp_path: Path) -> None:
    """With the globals and functions that it names, in a module of its name; tracebacks tell its file."""
    value, module, file, has_names = opened_elsewhere(pickler().dumps(fn), tmp_path)
    assert value == shown and module == fn.__module__
    assert file == __file__ and has_names == "True"


def test_what_is_installed_travels_by_name() -> None:
    """A worker has it, and perhaps another version."""
    texts = [argument for _, argument, _ in pickletools.genops(pickler().dumps(json.dumps))]
    assert "json" in texts and "dumps" in texts and b"co_code" not in pickler().dumps(json.dumps)


def test_the_modules_of_a_flow_are_by_value_only_while_it_is_pickled() -> None:
    """The list of cloudpickle is one for the whole process; what a user has registered there stays."""
    before = cloudpickle.list_registry_pickle_by_value()
    pickler().dumps(scaled)
    assert cloudpickle.list_registry_pickle_by_value() == before
    with pytest.raises(TypeError):
        pickler().dumps([scaled, sys.stdout.buffer])
    assert cloudpickle.list_registry_pickle_by_value() == before


def test_large_buffers_lie_beside_the_pickle() -> None:
    """Where they are asked for; else they are a part of it."""
    numpy = pytest.importorskip("numpy")
    array = numpy.zeros(LARGE_VALUE_BYTES, "u1")
    buffers: list[Any] = []
    blob = pickler().dumps((scaled, array), buffers)
    assert len(buffers) == 1 and len(blob) < LARGE_VALUE_BYTES < len(pickler().dumps((scaled, array)))
    assert pickle.loads(blob, buffers=buffers)[1].nbytes == LARGE_VALUE_BYTES


def test_a_function_comes_back_as_itself() -> None:
    """In the process that has pickled it, its globals are those of its module."""
    fn = pickle.loads(pickler().dumps(scaled))
    assert fn.__globals__ is globals() and fn(2) == 6
