"""The engine's code travels: a bare interpreter runs a batch, with the standard library alone."""

from __future__ import annotations

import ast
import importlib
import pickle
import subprocess
import sys
import threading
import zlib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from turgo.engine.transport.worker_code import own_worker_code, packed
from turgo.worker import context
from turgo.worker.code.bootstrap import Payload, ShippedFunction, WorkerCode

BARE = [sys.executable, "-I", "-S"]
"""An interpreter that finds no installed package."""

RELAY = """
import pickle, sys
held = pickle.load(sys.stdin.buffer)
assert not any(name.startswith("turgo.") for name in sys.modules), "a scheduler loads no engine"
sys.stdout.buffer.write(pickle.dumps(held, protocol=5))
"""

WORK = """
import pickle, sys
execute, payload = pickle.load(sys.stdin.buffer)
report = execute(payload)
import turgo, turgo.errors
assert turgo.Skip is turgo.errors.Skip
sys.stdout.buffer.write(pickle.dumps(report, protocol=5))
"""


@pytest.fixture
def worker_code() -> WorkerCode:
    """That of this version."""
    found = own_worker_code()
    assert found is not None
    return found


def unpacked(worker_code: WorkerCode) -> dict[str, str]:
    """The modules that are packed, by their names."""
    texts = zlib.decompress(worker_code.packed).decode().split("\0")
    return dict(zip(texts[::2], texts[1::2], strict=True))


def _through(program: str, value: Any) -> bytes:
    done = subprocess.run(
        [*BARE, "-c", program], input=pickle.dumps(value), capture_output=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def test_a_bare_interpreter_runs_a_batch(worker_code: WorkerCode) -> None:
    """By way of a scheduler that passes it on: neither has turgo, nor any package."""
    step = (
        0,
        1,
        (),
        {},
        (),
        None,
    )  # what opening such a thing comes to is an error: it is told of, in a report
    payload = Payload(pickle.dumps(step), worker_code=worker_code)
    passed_on = _through(RELAY, (worker_code.function("turgo.worker.execute:execute"), payload))
    report = pickle.loads(_through(WORK, pickle.loads(passed_on)))
    stamp, (state, error, text), _ = pickle.loads(report)
    assert stamp is None
    assert state == "Failed"
    assert isinstance(pickle.loads(error[3]), (TypeError, ValueError))
    assert "<turgo.worker.execute>" in text


def test_where_turgo_is_installed_its_own_code_runs(worker_code: WorkerCode) -> None:
    """What comes home is of the classes of this process, and nothing is loaded twice."""
    there = pickle.loads(pickle.dumps(Payload(b"held", bytearray(3), worker_code=worker_code), protocol=5))
    assert type(there) is Payload
    assert there.worker_code is worker_code
    call = pickle.loads(pickle.dumps(worker_code.function("turgo.worker.arguments:fill")))
    assert type(call) is ShippedFunction
    assert call((0, 7), None) == 7


def test_another_version_is_kept_apart(worker_code: WorkerCode) -> None:
    """Code of another version runs as itself, although this one is installed and in use."""
    sources = {"turgo._version": "", "turgo.engine.odd": _ODD}
    other = _packed("turgo_test_other", worker_code, sources)
    try:
        call = pickle.loads(pickle.dumps(other.function("turgo.engine.odd:answer")))
        assert call() == (42, "turgo.engine.odd")
        assert "turgo.engine.odd" not in sys.modules
    finally:
        sys.modules.pop("turgo_test_other", None)


def test_current_of_every_version_knows_the_task_that_runs(worker_code: WorkerCode) -> None:
    """A function that was given the one asks for a batch that the other runs: they are one process, and agree."""
    whole = unpacked(worker_code)
    sources = {name: whole[name] for name in ("turgo._version", "turgo.errors", "turgo.worker.context")}
    other = _packed("turgo_test_context", worker_code, sources)
    told = SimpleNamespace(task_context=lambda: "the task")
    before = context.running.set(lambda: told)  # type: ignore[arg-type,return-value]
    try:
        call = pickle.loads(pickle.dumps(other.function("turgo.worker.context:current")))
        assert call() == context.current() == "the task"  # type: ignore[comparison-overlap]
        assert call.worker_code.load(call.path) is not context.current
    finally:
        context.running.reset(before)
        sys.modules.pop("turgo_test_context", None)


def test_threads_that_load_it_at_once_get_the_same(worker_code: WorkerCode) -> None:
    """A class that two of them use is one class."""
    other = _packed("turgo_test_race", worker_code, {"turgo._version": "", "turgo.engine.odd": _ODD})
    blob = pickle.dumps(other.function("turgo.engine.odd:Odd"))
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
        sys.modules.pop("turgo_test_race", None)


def test_only_docstrings_and_what_is_for_type_checkers_are_left_out(worker_code: WorkerCode) -> None:
    """What is packed is the code of the modules, line by line."""

    def code(source: str) -> str:
        module = ast.parse(source)
        for node in ast.walk(module):
            if isinstance(node, ast.arg):
                node.annotation = None
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                node.returns = None
            if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
                node.body = [each for each in node.body if not (_is_text(each) or _is_for_types(each))]
        return ast.dump(module)

    sources = unpacked(worker_code)
    assert "turgo.worker.execute" in sources
    for name, source in sources.items():
        whole = Path(str(importlib.import_module(name).__file__)).read_text("utf-8")
        assert code(source) == code(whole), name


def _is_text(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _is_for_types(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.If) and ast.unparse(statement.test) == "TYPE_CHECKING"


def test_it_is_small(worker_code: WorkerCode) -> None:
    """It goes with each submission, so it may weigh no more than one call's arguments do."""
    assert len(worker_code.boot) + len(worker_code.packed) < 25_000


_ODD = """
from __future__ import annotations
from dataclasses import dataclass
@dataclass
class Odd:
    number: int = 42
def answer():
    return Odd().number, Odd.__module__
"""


def _packed(tag: str, worker_code: WorkerCode, sources: dict[str, str]) -> WorkerCode:
    return WorkerCode(tag, worker_code.boot, packed(sources), worker_code.packer)


def test_it_holds_all_that_runs_a_batch(worker_code: WorkerCode, tmp_path: Path) -> None:
    """Whatever the modules import when they are imported is in it."""
    arguments = "len, b'cturgo.flows.task\\nTask\\n.', 'name'"
    program = f"import pickle, sys\ncall = pickle.load(sys.stdin.buffer)\ncall({arguments})\n"
    assert _through(program, worker_code.function("turgo.worker.functions:task_here")) == b""
