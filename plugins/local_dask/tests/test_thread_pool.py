"""Threads: made when they are needed, interrupted where they can be, named where they cannot."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable
from concurrent.futures import CancelledError
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import cloudpickle
import pytest

from turgo_local_dask import LocalDaskExecutor
from turgo_local_dask.thread_pool import ThreadPool

Failing = Callable[[LocalDaskExecutor], AbstractContextManager[LocalDaskExecutor]]

np = pytest.importorskip("numpy")

cloudpickle.register_pickle_by_value(sys.modules[__name__])  # the processes do not have this file


def test_threads_are_made_when_they_are_needed() -> None:
    """One call after another needs one thread, however many there may be."""
    before = set(threading.enumerate())
    with LocalDaskExecutor("threads", num_workers=8).start() as executor:
        names = {executor.submit(lambda: threading.current_thread().name).result() for _ in range(20)}
        started = set(threading.enumerate()) - before
    assert len(names) <= 2
    assert len(started) <= 2


def _begun(future: Any) -> None:
    """Wait until a thread has the call."""
    end = time.monotonic() + 20
    while not future.running():
        assert time.monotonic() < end
        time.sleep(0.01)


def _left_of(before: set[threading.Thread]) -> set[threading.Thread]:
    """The threads that were made since then and are still there after a while."""
    end = time.monotonic() + 20
    while (left := set(threading.enumerate()) - before) and time.monotonic() < end:
        time.sleep(0.01)
    return left


def test_an_error_interrupts_threads(failing: Failing) -> None:
    """A thread that runs Python code is interrupted, and gone."""

    def loop() -> None:
        while True:
            time.sleep(0.01)

    before = set(threading.enumerate())
    with failing(LocalDaskExecutor("threads", num_workers=2)) as executor:
        future = executor.submit(loop)
        _begun(future)
    assert future.done()
    assert _left_of(before) == set()


def test_an_interrupt_that_is_swallowed_comes_again(failing: Failing) -> None:
    """A call that catches everything is ended all the same, and its thread is gone."""
    caught = []

    def stubborn() -> None:
        while True:
            try:
                time.sleep(0.01)
            except BaseException as error:  # noqa: BLE001  (as users write it)
                caught.append(type(error).__name__)

    before = set(threading.enumerate())
    with failing(LocalDaskExecutor("threads", num_workers=1)) as executor:
        future = executor.submit(stubborn)
        _begun(future)
    assert future.done()
    assert set(caught) == {"Expired"}
    assert _left_of(before) == set()
    assert type(future.exception()).__name__ == "Expired"


def test_a_thread_that_cannot_be_stopped_is_named_and_given_up(
    caplog: pytest.LogCaptureFixture, failing: Failing
) -> None:
    """A thread in a C call does not see the interrupt; its call is named, and nobody waits for it."""
    release = threading.Lock()
    release.acquire()
    with failing(LocalDaskExecutor("threads", num_workers=1)) as executor:
        future = executor.submit(release.acquire, extra_context={"task_name": "stubborn"})
        _begun(future)
    assert future.done()
    assert "stubborn" in caplog.text
    release.release()


def test_a_call_that_comes_while_another_thread_closes_the_pool_is_cancelled() -> None:
    """Nobody would come to it any more, and who waits for it would wait for good."""
    pool = ThreadPool(1)
    assert pool.submit("abs", abs, (-1,), {}).result(timeout=30) == 1
    pool.close()
    with pytest.raises(CancelledError):
        pool.submit("abs", abs, (-1,), {}).result(timeout=30)


def test_threads_copy_nothing() -> None:
    """What a call gets and gives on threads is the object itself."""
    array = np.zeros(2**20)
    with LocalDaskExecutor("threads", num_workers=2).start() as executor:
        assert executor.submit(lambda given: given, array).result() is array


def test_threads_that_are_never_left_do_not_keep_python_from_ending(tmp_path: Path) -> None:
    """A call that cannot be interrupted ends with the program: nothing runs on that a warning could be of."""
    script = tmp_path / "forgetful.py"
    script.write_text(
        textwrap.dedent("""
            import threading, time
            from turgo_local_dask import LocalDaskExecutor

            opened = LocalDaskExecutor("threads", num_workers=1).start()
            executor = opened.__enter__()
            begun = threading.Event()
            executor.submit(lambda: (begun.set(), time.sleep(100)))
            begun.wait()
        """)
    )
    done = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
