"""How calls run on each scheduler: what travels, what comes back, and what a dead process costs."""

from __future__ import annotations

import ctypes
import logging
import multiprocessing
import operator
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from contextlib import suppress
from pathlib import Path
from typing import Any

import cloudpickle
import dask
import dask.threaded
import pytest

from penstock import flow, task
from penstock.errors import ExecutorStartError, TaskTimeoutError, ValueNotPortableError, WorkerLostError
from penstock.states import TaskState
from penstock.testing.calls import meet
from penstock_local_dask import LocalDaskExecutor

cloudpickle.register_pickle_by_value(sys.modules[__name__])  # the processes do not have this file


@pytest.fixture(scope="module")
def processes() -> Iterator[LocalDaskExecutor]:
    """Two processes that the tests of this module share."""
    with LocalDaskExecutor("processes", num_workers=2).start() as executor:
        yield executor


@pytest.mark.parametrize("scheduler", ["threads", "processes"])
def test_calls_overlap(scheduler: str, tmp_path: Path) -> None:
    """Two calls that wait for each other can only end if they run at the same time."""
    one, other = str(tmp_path / "one"), str(tmp_path / "other")
    with LocalDaskExecutor(scheduler, num_workers=2).start() as executor:
        assert executor.wait(executor.map(meet, [one, other], [other, one], [40.0] * 2)) == [True, True]


def test_threads_are_made_when_they_are_needed() -> None:
    """One call after another needs one thread, however many there may be."""
    with LocalDaskExecutor("threads", num_workers=8).start() as executor:
        names = {executor.submit(lambda: threading.current_thread().name).result() for _ in range(20)}
        started = [thread for thread in threading.enumerate() if thread.name.startswith("penstock-thread")]
    assert len(names) <= 2
    assert len(started) <= 2


def test_processes_are_made_when_they_are_needed() -> None:
    """None before the first call, and one for calls that come one after another."""
    with LocalDaskExecutor("processes", num_workers=8).start() as executor:
        before = set(multiprocessing.active_children())
        pids = {executor.submit(os.getpid).result() for _ in range(3)}
        started = {process.pid for process in set(multiprocessing.active_children()) - before}
    assert started == pids
    assert len(pids) <= 2


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


@pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt])
@pytest.mark.parametrize("scheduler", ["threads", "processes"])
def test_a_task_that_leaves_or_interrupts_fails_alone(scheduler: str, error: type[BaseException]) -> None:
    """In a flow as well: that task has failed, the others have not, and the driver goes on."""

    @task
    def picky(number: int) -> int:
        if number == 2:
            raise error
        return number

    @flow
    def mapped() -> Any:
        return picky.map(range(5))

    run = mapped.run(executor=LocalDaskExecutor(scheduler, num_workers=2))
    expected = [TaskState.SUCCESS] * 5
    expected[2] = TaskState.FAILED
    assert [task_run.state for task_run in run.task_runs] == expected
    assert type(run.task_runs[2].error) is error


def killed() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def segfault() -> None:
    ctypes.string_at(0)


def hang_in_c() -> None:
    """Hold the interpreter's lock and heed no signal that can be blocked: nothing but SIGKILL stops it."""
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    ctypes.PyDLL(None).sleep(60)


@pytest.mark.parametrize(
    ("dies", "how"),
    [
        (lambda: os._exit(3), "exit code 3"),
        (killed, "killed by SIGKILL, as the system does when memory is short"),
        (segfault, "killed by SIGSEGV"),
    ],
)
def test_a_dead_process_costs_the_call_that_it_held(dies: Callable[[], None], how: str) -> None:
    """That call alone fails, with an error that says how the process ended; the other process does not notice."""
    with LocalDaskExecutor("processes", num_workers=2).start() as executor:
        executor.wait(executor.map(time.sleep, [0.2, 0.2]))  # both are up
        other = executor.submit(lambda: (time.sleep(1.0), os.getpid())[1])
        with pytest.raises(WorkerLostError, match=how) as caught:
            executor.submit(dies, extra_context={"task_name": "deadly"}).result(timeout=30)
        assert caught.value.sure
        assert "'deadly'" in str(caught.value)
        assert other.result(timeout=30) > 0
        assert executor.wait(executor.map(abs, range(-9, 0))) == list(range(9, 0, -1))


def test_a_process_that_died_while_it_had_nothing_to_do_costs_nothing(processes: LocalDaskExecutor) -> None:
    """The next call runs on a new one."""
    for pid in {processes.submit(os.getpid).result() for _ in range(20)}:
        os.kill(pid, signal.SIGKILL)
        with suppress(ChildProcessError):  # the pool has asked for its end already
            os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    assert processes.wait(processes.map(abs, [-1, -2, -3])) == [1, 2, 3]


def test_the_one_that_kills_is_found_in_its_batch() -> None:
    """Of 300 small tasks the one that kills its process is Crashed, by SIGKILL; all others succeed."""

    @task(crash_retries=0)
    def deadly(number: int) -> int:
        if number == 250:
            killed()
        return number

    @flow
    def mapped() -> Any:
        return deadly.map(range(300))

    run = mapped.run(executor=LocalDaskExecutor("processes", num_workers=2))
    states = [task_run.state for task_run in run.task_runs]
    assert states.count(TaskState.SUCCESS) == 299
    assert states[250] is TaskState.CRASHED
    assert "killed by SIGKILL" in str(run.task_runs[250].error)


def test_a_call_that_hangs_in_c_is_killed_in_time(processes: LocalDaskExecutor) -> None:
    """It holds the interpreter's lock and no signal reaches it; its process is killed, and another takes its place."""
    began = time.monotonic()
    error = processes.submit(hang_in_c, extra_context={"task_timeout": 0.5}).exception(timeout=50)
    assert isinstance(error, TaskTimeoutError)
    assert error.seconds == 0.5
    assert time.monotonic() - began < 30
    assert processes.wait(processes.map(abs, [-1, -2, -3])) == [1, 2, 3]


def test_a_task_that_hangs_in_c_times_out_once(tmp_path: Path) -> None:
    """Within a flow: it has run once, it is TimedOut, and what does not need it succeeds."""

    @task(timeout=1.0)
    def work(number: int) -> int:
        if number == 3:
            with open(tmp_path / "begun", "a") as file:
                file.write("x")
            hang_in_c()
        return number

    @flow
    def mapped() -> Any:
        return work.map(range(6))

    run = mapped.run(executor=LocalDaskExecutor("processes", num_workers=2))
    expected = [TaskState.SUCCESS] * 6
    expected[3] = TaskState.TIMED_OUT
    assert [task_run.state for task_run in run.task_runs] == expected
    assert (tmp_path / "begun").read_text() == "x"


def test_a_call_that_is_cancelled_frees_its_process(processes: LocalDaskExecutor) -> None:
    """Its process is ended, the future is cancelled, and other calls run."""
    future = processes.submit(hang_in_c)
    while not future.running():  # type: ignore[attr-defined]  # the futures of this pool tell
        time.sleep(0.01)
    assert processes.cancel(future) == 1
    with pytest.raises(CancelledError):
        future.result(timeout=30)
    assert processes.wait(processes.map(abs, [-1, -2, -3])) == [1, 2, 3]


def test_cancelling_never_hits_another_call() -> None:
    """Calls are cancelled while they are handed out: the others, on the same processes, all bring their value."""
    options: dict[str, Any] = {
        "num_workers": 2,
        "multiprocessing.context": "forkserver",
    }  # it is quick to replace one
    with LocalDaskExecutor("processes", **options).start() as executor:
        for _ in range(5):
            futures = executor.map(lambda number: (time.sleep(0.001), number)[1], range(60))
            for future in futures[::6]:
                time.sleep(0.002)
                future.cancel()
            kept = [number for number, future in enumerate(futures) if number % 6 or not future.cancelled()]
            assert executor.wait([futures[number] for number in kept]) == kept


def test_a_failing_initializer_is_told(tmp_path: Path) -> None:
    """The calls fail with what it raised; they do not wait for ever."""

    def initializer() -> None:
        raise LookupError("no licence")

    options: dict[str, Any] = {"num_workers": 1, "multiprocessing.initializer": initializer}
    with LocalDaskExecutor("processes", **options).start() as executor:
        error = executor.submit(abs, -1).exception(timeout=30)
    assert isinstance(error, ExecutorStartError)
    assert "no licence" in str(error)


def test_what_calls_log_reaches_the_driver(
    processes: LocalDaskExecutor, caplog: pytest.LogCaptureFixture
) -> None:
    """Levels, arguments and tracebacks included; what cannot be pickled comes as text."""

    def log() -> None:
        logger = logging.getLogger("far.away")
        logger.warning("%d of %s", 3, "four", extra={"lock": threading.Lock()})
        try:
            raise LookupError("inner")
        except LookupError:
            logger.exception("it failed")

    processes.submit(log).result()
    records = [record for record in caplog.records if record.name == "far.away"]
    assert [record.getMessage() for record in records] == ["3 of four", "it failed"]
    assert records[0].lock.startswith("<unlocked")  # type: ignore[attr-defined]  # from `extra`
    assert "LookupError: inner" in (records[1].exc_text or "")


def test_levels_of_the_driver_hold_in_its_processes(caplog: pytest.LogCaptureFixture) -> None:
    """What is switched on for a logger here is logged there."""
    caplog.set_level(logging.DEBUG, logger="far.away")
    with LocalDaskExecutor("processes", num_workers=1).start() as executor:
        executor.submit(lambda: logging.getLogger("far.away").debug("low")).result()
        executor.submit(lambda: logging.getLogger("other").info("too low")).result()
    assert caplog.messages == ["low"]


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
