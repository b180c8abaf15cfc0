"""How calls run on each scheduler: what travels, what comes back, and what a dead process costs."""

from __future__ import annotations

import operator
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import dask
import dask.threaded
import pytest

from penstock.errors import ValueNotPortableError, WorkerLostError
from penstock_local_dask import LocalDaskExecutor


@pytest.fixture(scope="module")
def processes() -> Iterator[LocalDaskExecutor]:
    """Two processes that the tests of this module share."""
    with LocalDaskExecutor("processes", num_workers=2).start() as executor:
        yield executor


@pytest.mark.parametrize("scheduler", ["threads", "processes"])
def test_calls_overlap(scheduler: str) -> None:
    """Two calls that wait for each other can only end if they run at the same time."""
    with LocalDaskExecutor(scheduler, num_workers=2).start() as executor:
        executor.wait(executor.map(abs, [1, 2]))  # both workers are up
        began = time.monotonic()
        executor.wait([executor.submit(time.sleep, 0.4), executor.submit(time.sleep, 0.4)])
        assert time.monotonic() - began < 0.75


def test_threads_are_made_when_they_are_needed() -> None:
    """One call after another needs one thread, however many there may be."""
    with LocalDaskExecutor("threads", num_workers=8).start() as executor:
        names = {executor.submit(lambda: threading.current_thread().name).result() for _ in range(20)}
        started = [thread for thread in threading.enumerate() if thread.name.startswith("penstock-thread")]
    assert len(names) <= 2
    assert len(started) <= 2


def test_wait_for_one_does_not_wait_for_others() -> None:
    """The value of a short call is there while a long one runs."""
    release = threading.Event()
    with LocalDaskExecutor("threads", num_workers=2).start() as executor:
        long = executor.submit(release.wait, 30)
        assert executor.wait(executor.submit(abs, -1)) == 1
        assert not long.done()
        release.set()


def test_a_scheduler_function_gets_a_graph_of_one_call() -> None:
    """Any function that dask takes for a scheduler runs the calls, one at a time."""
    graphs: list[int] = []

    def scheduler(graph: Any, key: Any, **options: Any) -> Any:
        graphs.append(len(graph))
        return dask.get(graph, key, **options)

    with LocalDaskExecutor(scheduler).start() as executor:
        first = executor.submit(operator.add, 1, 2)
        assert executor.submit(operator.mul, [first], 2).result() == [3, 3]
        assert isinstance(executor.submit(operator.truediv, 1, 0).exception(), ZeroDivisionError)
    assert graphs == [1, 1, 1]


def test_functions_and_classes_travel_by_value(processes: LocalDaskExecutor) -> None:
    """Lambdas, closures and local classes reach the process; their instances come back as what they were."""

    class Local:
        value = 3

    offset = 4
    made = processes.submit(lambda: Local()).result()
    assert type(made) is Local
    assert processes.submit(lambda number: number + offset, processes.submit(abs, -1)).result() == 5


def test_errors_come_back_with_the_traceback_of_the_process(processes: LocalDaskExecutor) -> None:
    """The cause of the error shows where it was raised."""

    def broken() -> None:
        raise LookupError("not there")

    error = processes.submit(broken).exception()
    assert isinstance(error, LookupError)
    assert "in broken" in str(error.__cause__)


def test_an_error_that_does_not_unpickle_fails_its_call_alone(processes: LocalDaskExecutor) -> None:
    """A stand-in names type and message; the pool and its other calls are unharmed."""

    class OddError(Exception):
        """Does not unpickle: its constructor wants more than its message."""

        def __init__(self, one: int, two: int) -> None:
            super().__init__(f"{one} and {two}")

    def broken() -> None:
        raise OddError(1, 2)

    pid = processes.submit(os.getpid).result()
    error = processes.submit(broken).exception()
    assert isinstance(error, ValueNotPortableError)
    assert "1 and 2" in str(error)
    assert pid in {processes.submit(os.getpid).result() for _ in range(20)}


def test_a_result_that_does_not_pickle_fails_its_call_alone(processes: LocalDaskExecutor) -> None:
    """The error names the type of the result."""
    with pytest.raises(ValueNotPortableError, match="lock"):
        processes.submit(threading.Lock).result()
    assert processes.submit(abs, -2).result() == 2


def test_sys_exit_and_keyboard_interrupt_are_failures_of_the_call(processes: LocalDaskExecutor) -> None:
    """Neither ends the process, nor the driver."""

    def interrupted() -> None:
        raise KeyboardInterrupt

    assert isinstance(processes.submit(sys.exit, 3).exception(), SystemExit)
    assert isinstance(processes.submit(interrupted).exception(), KeyboardInterrupt)
    assert processes.submit(abs, -2).result() == 2


@pytest.mark.parametrize("how", ["exit", "kill"])
def test_a_dead_process_costs_the_calls_that_it_held(how: str) -> None:
    """They fail with WorkerLostError, and later calls run on new processes."""
    with LocalDaskExecutor("processes", num_workers=2).start() as executor:
        before = executor.submit(os.getpid).result()
        if how == "exit":
            lost = executor.submit(os._exit, 3)
        else:
            lost = executor.submit(lambda: os.kill(os.getpid(), signal.SIGKILL))
        with pytest.raises(WorkerLostError):
            lost.result(timeout=30)
        assert executor.submit(os.getpid).result(timeout=30) != before


def test_strings_hash_alike_in_all_processes() -> None:
    """As under dask, so that a partition by hash is the same in each."""
    with LocalDaskExecutor("processes", num_workers=2).start() as executor:
        hashes = executor.wait(executor.map(lambda _: hash("a word"), range(20)))
    assert len(set(hashes)) == 1


def test_processes_are_initialised_as_dask_does(tmp_path: Any) -> None:
    """`multiprocessing.initializer` runs once in each process."""

    def initializer() -> None:
        (tmp_path / str(os.getpid())).touch()

    options: dict[str, Any] = {"num_workers": 2, "multiprocessing.initializer": initializer}
    with LocalDaskExecutor("processes", **options).start() as executor:
        pids = set(executor.wait(executor.map(lambda _: os.getpid(), range(20))))
    assert pids <= {int(path.name) for path in tmp_path.iterdir()}
