"""Ctrl-C and SIGTERM while a local cluster starts, and at the end of the program."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import distributed
import psutil
import pytest

from turgo_dask import DaskExecutor

ONE = {"n_workers": 1, "dashboard_address": "127.0.0.1:0"}

THREAD = """
import sys, threading, time
from turgo import flow, task
from turgo_dask import DaskExecutor

@task
def rest(number):
    if number == 0:  # as lines of two processes may become one
        print("resting", flush=True)
    time.sleep(600)

@flow
def rests():
    return rest.map(range(4))

def run():
    rests.run(executor=DaskExecutor(cluster_kwargs={"n_workers": 2, "threads_per_worker": 1}, debug=False))

if __name__ == "__main__":
    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    print("begun", flush=True)
    try:
        thread.join()
    except KeyboardInterrupt:
        sys.exit(130)
"""


def test_ctrl_c_while_a_cluster_starts_leaves_no_worker() -> None:
    """Nor if a thread of the program takes the signal that the main thread does not want just then."""
    begun = threading.Event()

    class Announced(distributed.LocalCluster):
        def __init__(self, **options: Any) -> None:
            begun.set()
            super().__init__(**options)

    def interrupt() -> None:
        begun.wait(60)
        os.kill(os.getpid(), signal.SIGINT)

    children = set(multiprocessing.active_children())
    thread = threading.Thread(target=interrupt)
    thread.start()
    with (
        pytest.raises(KeyboardInterrupt),
        DaskExecutor(
            cluster_class=Announced, cluster_kwargs={**ONE, "threads_per_worker": 1}, debug=False
        ).start(),
    ):
        raise AssertionError("it was to be left before it was open")
    thread.join()
    # One that was killed may not have had its turn; the guard of the test run ends this if it never has.
    while not set(multiprocessing.active_children()) <= children:
        time.sleep(0.05)


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_a_cluster_that_does_not_come_up_is_given_up_after_a_signal(
    is_gone: Callable[[int], bool], sign: signal.Signals
) -> None:
    """Within seconds, with the workers that it had begun and the thread of its loop."""
    begun = threading.Event()
    pids: list[int] = []

    class Hangs(distributed.LocalCluster):
        async def _correct_state_internal(self) -> None:
            await super()._correct_state_internal()
            pids.extend(nanny.pid for nanny in self.workers.values())
            begun.set()
            await asyncio.sleep(60)

    signalled: list[float] = []

    def interrupt() -> None:
        begun.wait(60)
        signalled.append(time.monotonic())
        os.kill(os.getpid(), sign)

    threads = set(threading.enumerate())
    thread = threading.Thread(target=interrupt)
    before = signal.signal(sign, signal.default_int_handler)
    thread.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            DaskExecutor(cluster_class=Hangs, cluster_kwargs=ONE, debug=False).start().__enter__()
        assert time.monotonic() - signalled[0] < 30
    finally:
        signal.signal(sign, before)
        thread.join()
    assert len(pids) == 1 and is_gone(pids[0])
    assert not [each for each in set(threading.enumerate()) - threads if each.name == "IO loop"]


@pytest.mark.parametrize(
    ("sign", "at"),
    [
        (signal.SIGINT, "begun"),
        (signal.SIGTERM, "resting"),
        pytest.param(signal.SIGTERM, "begun", marks=pytest.mark.matrix),
        pytest.param(signal.SIGINT, "resting", marks=pytest.mark.matrix),
    ],
)
def test_a_run_in_a_thread_ends_with_its_program(
    is_gone: Callable[[int], bool], at: str, sign: signal.Signals, tmp_path: Path
) -> None:
    """The main thread gets the signal, and nobody leaves the executor; its cluster ends all the same."""
    script = tmp_path / "thread.py"
    script.write_text(THREAD)
    with subprocess.Popen(
        [sys.executable, str(script)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as driver:
        assert driver.stdout is not None
        try:
            assert driver.stdout.readline() == "begun\n"
            if at == "resting":
                assert driver.stdout.readline() == "resting\n"
            else:
                time.sleep(1.0)
            children = psutil.Process(driver.pid).children(recursive=True)
            driver.send_signal(sign)
            said = driver.communicate(timeout=60)[1]
        finally:
            driver.kill()
    assert driver.returncode in (130, -sign)
    assert "Exception ignored" not in said
    psutil.wait_procs(children, timeout=30)
    assert all(is_gone(each.pid) for each in children)
