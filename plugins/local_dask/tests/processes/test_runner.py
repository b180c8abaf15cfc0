"""What becomes of a call whose process dies, hangs, or cannot be set up."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cloudpickle
import pytest

from turgo import flow, task
from turgo.errors import ExecutorStartError, TaskTimeoutError, WorkerLostError
from turgo.records.states import TaskState
from turgo_local_dask import LocalDaskExecutor

cloudpickle.register_pickle_by_value(sys.modules[__name__])  # the processes do not have this file


def test_errors_come_back_with_the_traceback_of_the_process(processes: LocalDaskExecutor) -> None:
    """The cause of the error shows where it was raised."""

    def broken() -> None:
        raise LookupError("not there")

    error = processes.submit(broken).exception()
    assert isinstance(error, LookupError)
    assert "in broken" in str(error.__cause__)


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
        (killed, "killed by SIGKILL"),
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


def test_a_failing_initializer_is_told(tmp_path: Path) -> None:
    """The calls fail with what it raised; they do not wait for ever."""

    def initializer() -> None:
        raise LookupError("no licence")

    options: dict[str, Any] = {"num_workers": 1, "multiprocessing.initializer": initializer}
    with LocalDaskExecutor("processes", **options).start() as executor:
        error = executor.submit(abs, -1).exception(timeout=30)
    assert isinstance(error, ExecutorStartError)
    assert "no licence" in str(error)
