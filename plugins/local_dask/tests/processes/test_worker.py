"""What travels to a worker process, and what comes back."""

from __future__ import annotations

import os
import sys
import threading
from typing import Any

import cloudpickle
import pytest

from turgo.errors import ValueNotPortableError
from turgo_local_dask import LocalDaskExecutor

cloudpickle.register_pickle_by_value(sys.modules[__name__])  # the processes do not have this file


def test_functions_and_classes_travel_by_value(processes: LocalDaskExecutor) -> None:
    """Lambdas, closures and local classes reach the process; their instances come back as what they were."""

    class Local:
        value = 3

    offset = 4
    made = processes.submit(lambda: Local()).result()
    assert type(made) is Local
    assert processes.submit(lambda number: number + offset, processes.submit(abs, -1)).result() == 5


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


def test_processes_are_initialised_as_dask_does(tmp_path: Any) -> None:
    """`multiprocessing.initializer` runs once in each process."""

    def initializer() -> None:
        (tmp_path / str(os.getpid())).touch()

    options: dict[str, Any] = {"num_workers": 2, "multiprocessing.initializer": initializer}
    with LocalDaskExecutor("processes", **options).start() as executor:
        pids = set(executor.wait(executor.map(lambda _: os.getpid(), range(20))))
    assert pids <= {int(path.name) for path in tmp_path.iterdir()}
