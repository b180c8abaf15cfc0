"""The engine's code travels: a bare interpreter runs a batch, with the standard library alone."""

from __future__ import annotations

import ast
import importlib
import json
import pickle
import subprocess
import sys
import threading
import zlib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from penstock import context
from penstock.engine.carried import Carried, Carrier, Parcel
from penstock.engine.carrying import engine_carrier

BARE = [sys.executable, "-I", "-S"]
"""An interpreter that finds no installed package."""

RELAY = """
import pickle, sys
held = pickle.load(sys.stdin.buffer)
assert not any(name.startswith("penstock.") for name in sys.modules), "a scheduler loads no engine"
sys.stdout.buffer.write(pickle.dumps(held, protocol=5))
"""

WORK = """
import pickle, sys
execute, parcel = pickle.load(sys.stdin.buffer)
report = execute(parcel)
import penstock, penstock.errors
assert penstock.Skip is penstock.errors.Skip
sys.stdout.buffer.write(pickle.dumps(report, protocol=5))
"""


@pytest.fixture
def carrier() -> Carrier:
    """That of this version."""
    found = engine_carrier()
    assert found is not None
    return found


def _through(program: str, value: Any) -> bytes:
    done = subprocess.run(
        [*BARE, "-c", program], input=pickle.dumps(value), capture_output=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def test_a_bare_interpreter_runs_a_batch(carrier: Carrier) -> None:
    """By way of a scheduler that passes it on: neither has penstock, nor any package."""
    step = (
        0,
        1,
        (),
        {},
        (),
        None,
    )  # what opening such a thing comes to is an error: it is told of, in a report
    parcel = Parcel(pickle.dumps(step), carrier=carrier)
    passed_on = _through(RELAY, (carrier.call("penstock.engine.work:execute"), parcel))
    report = pickle.loads(_through(WORK, pickle.loads(passed_on)))
    stamp, (state, error, text), _ = pickle.loads(report)
    assert stamp is None
    assert state == "Failed"
    assert isinstance(pickle.loads(error[0]), (TypeError, ValueError))
    assert "<penstock.engine.work>" in text


def test_where_penstock_is_installed_its_own_code_runs(carrier: Carrier) -> None:
    """What comes home is of the classes of this process, and nothing is loaded twice."""
    there = pickle.loads(pickle.dumps(Parcel(b"held", bytearray(3), carrier=carrier), protocol=5))
    assert type(there) is Parcel
    assert there.carrier is carrier
    call = pickle.loads(pickle.dumps(carrier.call("penstock.flows.templates:fill")))
    assert type(call) is Carried
    assert call((0, 7), None) == 7


def test_another_version_is_kept_apart(carrier: Carrier) -> None:
    """Code of another version runs as itself, although this one is installed and in use."""
    sources = {"penstock._version": "", "penstock.engine.odd": _ODD}
    other = _packed("penstock_test_other", carrier, sources)
    try:
        call = pickle.loads(pickle.dumps(other.call("penstock.engine.odd:answer")))
        assert call() == (42, "penstock.engine.odd")
        assert "penstock.engine.odd" not in sys.modules
    finally:
        sys.modules.pop("penstock_test_other", None)


def test_current_of_every_version_knows_the_task_that_runs(carrier: Carrier) -> None:
    """A function that was given the one asks for a batch that the other runs: they are one process, and agree."""
    packed = json.loads(zlib.decompress(carrier.packed))
    sources = {name: packed[name] for name in ("penstock._version", "penstock.errors", "penstock.context")}
    other = _packed("penstock_test_context", carrier, sources)
    told = SimpleNamespace(told=lambda: "the task")
    before = context.running.set(lambda: told)  # type: ignore[arg-type,return-value]
    try:
        call = pickle.loads(pickle.dumps(other.call("penstock.context:current")))
        assert call() == context.current() == "the task"  # type: ignore[comparison-overlap]
        assert call.carrier.find(call.path) is not context.current
    finally:
        context.running.reset(before)
        sys.modules.pop("penstock_test_context", None)


def test_threads_that_load_it_at_once_get_the_same(carrier: Carrier) -> None:
    """A class that two of them use is one class."""
    other = _packed("penstock_test_race", carrier, {"penstock._version": "", "penstock.engine.odd": _ODD})
    blob = pickle.dumps(other.call("penstock.engine.odd:Odd"))
    made: list[Any] = []
    gate = threading.Barrier(8)

    def load() -> None:
        gate.wait(20)
        made.append(type(pickle.loads(blob)()))

    threads = [threading.Thread(target=load) for _ in range(8)]
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert len(made) == 8
        assert len(set(made)) == 1
    finally:
        sys.modules.pop("penstock_test_race", None)


def test_only_docstrings_are_left_out(carrier: Carrier) -> None:
    """What is packed is the code of the modules, line by line."""

    def code(source: str) -> str:
        module = ast.parse(source)
        for node in ast.walk(module):
            if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
                node.body = [each for each in node.body if not _is_text(each)]
        return ast.dump(module)

    packed = json.loads(zlib.decompress(carrier.packed))
    assert "penstock.engine.work" in packed
    for name, source in packed.items():
        whole = Path(str(importlib.import_module(name).__file__)).read_text("utf-8")
        assert code(source) == code(whole), name


def _is_text(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def test_it_is_small(carrier: Carrier) -> None:
    """It goes with each submission, so it may weigh no more than one call's arguments do."""
    assert len(carrier.boot) + len(carrier.packed) < 24_000


_ODD = """
from __future__ import annotations
from dataclasses import dataclass
@dataclass
class Odd:
    number: int = 42
def answer():
    return Odd().number, Odd.__module__
"""


def _packed(tag: str, carrier: Carrier, sources: dict[str, str]) -> Carrier:
    return Carrier(tag, carrier.boot, zlib.compress(json.dumps(sources).encode()))


def test_it_holds_all_that_runs_a_batch(carrier: Carrier, tmp_path: Path) -> None:
    """Whatever the modules import when they are imported is in it."""
    program = "import pickle, sys\ncall = pickle.load(sys.stdin.buffer)\ncall(b'', pickle.dumps(1), 'x')\n"
    assert _through(program, carrier.call("penstock.flows.standing:task_here")) == b""
