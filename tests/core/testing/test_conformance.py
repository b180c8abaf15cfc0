"""The conformance suite: every check of it fails on an executor that breaks its rule."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

import pytest

from turgo.executor import Executor
from turgo.registry.source_files import load_source
from turgo.testing import ExecutorConformance, ManualExecutor
from turgo.testing.checks import ContractBroken
from turgo.testing.observed.leaks import nothing_left

HERE = Path(__file__).parent
Right = load_source(HERE / "right_executor.py").Right
for file in sorted((HERE / "wrong_executors").glob("*.py")):
    load_source(file)


BRIEF = {"patience": 0.6, "load": 500, "huge": 2**22, "failing_options": {"workers": 0}}


SEEN = re.compile(r"\n  but:       (.+?)\n  see: ", re.DOTALL)
SOURCE = re.compile(r"^assert |\nassert |DID NOT RAISE|Use -v|\+ +where|^it is (True|False)$|^\w+: $")
"""What no reader of a certificate can make sense of."""


class TestThreads(ExecutorConformance):
    """The suite passes on an executor that keeps the contract."""

    executor = Right
    failing_options = {"workers": 0}  # noqa: RUF012  (read, never written)


class TestCapable(ExecutorConformance):
    """The suite passes on one that declares nearly every capability and has it."""

    executor = load_source(HERE / "capable_executor.py").CapableExecutor
    load = 1000


class Synchronous(Executor):
    """Computes each call in `submit`, as the contract allows. Notes the checks that have two open at once."""

    open_count: ClassVar[int] = 0
    crowded: ClassVar[set[str]] = set()

    @contextmanager
    def start(self):
        if Synchronous.open_count:
            self.crowded.add(os.environ["PYTEST_CURRENT_TEST"].split("::")[-1].split()[0])
        Synchronous.open_count += 1
        try:
            yield self
        finally:
            Synchronous.open_count -= 1

    def submit(self, fn, /, *args, extra_context=None, **kwargs):
        future = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001  (whatever the call raises)
            future.set_exception(error)
        return future


class TestSynchronous(ExecutorConformance):
    """The suite passes on a synchronous executor, given as an instance."""

    executor = Synchronous()

    @classmethod
    def teardown_class(cls):
        """Where there is room for one, as in a short queue, it starts a second one for a single rule."""
        super().teardown_class()
        assert Synchronous.crowded <= {"test_two_stand_side_by_side"}


def _all_below(cls: type) -> Iterator[type]:
    for below in cls.__subclasses__():
        yield below
        yield from _all_below(below)


WRONG = {cls.__name__: cls for cls in _all_below(Right)}


def _wrong_ones() -> list[tuple[type, str]]:
    return [(cls, f"test_{check}") for cls in WRONG.values() for check in cls.__dict__.get("breaks", ())]


@pytest.fixture
def suite_of():
    """A function that gives the conformance suite of an executor, closed at the end whatever it left.

    What one leaves on purpose it would keep for a minute; its method `clean` ends it before.
    """
    suites = []

    def make(executor):
        suite = type("Suite", (ExecutorConformance,), {"executor": executor, **BRIEF})
        suite.setup_class()
        suites.append(suite)
        return suite

    yield make
    for suite in suites:
        suite.subject.discard(suite.bound())
        getattr(suite.executor, "clean", int)()


@pytest.mark.parametrize(("wrong", "check"), _wrong_ones(), ids=lambda item: getattr(item, "__name__", item))
def test_a_wrong_executor_is_caught(wrong, check, suite_of):
    """The check fails on an executor that breaks its rule, and says which rule, and in a sentence what it saw."""
    with pytest.raises(ContractBroken) as caught:
        getattr(suite_of(wrong)(), check)()
    assert caught.value.rule in str(caught.value)
    assert f"docs/contract.md#{caught.value.anchor}" in str(caught.value)
    assert (seen := SEEN.search(str(caught.value))) and not SOURCE.search(seen[1]), str(caught.value)


def test_every_check_is_proven_to_fail():
    """For each check there is an executor in `wrong_executors/` that it catches."""
    checks = {name for name in dir(ExecutorConformance) if name.startswith("test_")}
    assert checks - {check for _, check in _wrong_ones()} == set()


def test_the_suite_is_the_specification():
    """Every check says its rule in words, and no two say the same."""
    rules = [
        getattr(ExecutorConformance, name).rule
        for name in dir(ExecutorConformance)
        if name.startswith("test_")
    ]
    assert len(rules) >= 190
    assert len(set(rules)) == len(rules)


def test_something_left_open_is_found_at_the_end(suite_of):
    """Leaving the last group says what the shared executor left behind."""
    suite = suite_of(WRONG["LeaksThread"])
    suite.subject.running()
    with pytest.raises(ContractBroken, match="left behind"):
        suite.teardown_class()


def test_a_process_is_found_however_young_it_is():
    """One that was started a moment ago has no command line yet, and is left behind all the same."""
    for _ in range(10):
        with pytest.raises(AssertionError, match="left behind"), nothing_left(patience=0.0):
            child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(30)"])
        child.kill()
        child.wait()


def test_a_process_that_has_ended_is_not_left_behind():
    """Also while nobody has asked for its exit code: such a zombie holds nothing."""
    with nothing_left(patience=0.0):
        child = subprocess.Popen([sys.executable, "-c", ""])
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    child.wait()


def test_a_suite_without_an_executor_says_so():
    """A subclass that names no executor is told what is missing."""

    class Empty(ExecutorConformance):
        pass

    with pytest.raises(TypeError, match="say which executor"):
        Empty.setup_class()


def test_threads_of_a_library_may_be_excepted():
    """Threads that a library keeps for good are excepted by the beginning of their name."""
    timer = threading.Timer(0.3, int)
    timer.name = "lasting-1"
    with nothing_left(lasting_threads=("lasting",), patience=0.0):
        timer.start()
    timer.join()


def test_the_manual_executor_runs_when_told():
    """Calls wait until they are told to run, keep their hints, and are cancelled when it is left."""
    executor = ManualExecutor(width=3)
    with executor.start():
        first = executor.submit(int, "1", extra_context={"task_name": "first"})
        second, last = executor.submit(int, "x"), executor.submit(sum, [first])
        assert (executor.slots, len(executor.calls), first.done()) == (3, 2, False)
        executor.run_next(1)
        assert isinstance(second.exception(), ValueError)
        executor.run_all()
        assert last.result() == 1
        assert executor.contexts[0] == {"task_name": "first"}
        left = executor.submit(int)
    assert left.cancelled()
