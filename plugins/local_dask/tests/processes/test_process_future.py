"""Cancelling a call that a process executes."""

from __future__ import annotations

import ctypes
import signal
import sys
import time
from concurrent.futures import CancelledError
from typing import Any

import cloudpickle
import pytest

from turgo_local_dask import LocalDaskExecutor

cloudpickle.register_pickle_by_value(sys.modules[__name__])  # the processes do not have this file


def hang_in_c() -> None:
    """Hold the interpreter's lock and heed no signal that can be blocked: nothing but SIGKILL stops it."""
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    ctypes.PyDLL(None).sleep(60)


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
