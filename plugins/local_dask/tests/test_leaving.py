"""Leaving `start()`: in the end, on an error, on Ctrl-C, and when the driver is killed."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from penstock_local_dask import LocalDaskExecutor

DRIVER = """
import os, time
from penstock_local_dask import LocalDaskExecutor

def main():
    with LocalDaskExecutor("processes", num_workers=2).start() as executor:
        print(*executor.wait(executor.map(lambda _: (time.sleep(0.1), os.getpid())[1], range(4))), flush=True)
        executor.wait([executor.submit(time.sleep, 60) for _ in range(5)])

if __name__ == "__main__":
    main()
"""


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def _gone(pids: list[int], seconds: float) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if not any(_alive(pid) for pid in pids):
            return True
        time.sleep(0.05)
    return False


@contextmanager
def failing(executor: LocalDaskExecutor) -> Iterator[LocalDaskExecutor]:
    """Leave `start()` by an error, and show that this takes less than three seconds."""
    began = 0.0
    with suppress(ZeroDivisionError), executor.start():
        yield executor
        began = time.monotonic()
        _ = 1 / 0
    assert time.monotonic() - began < 3


@pytest.mark.parametrize("scheduler", ["threads", "processes"])
def test_a_normal_end_waits_for_what_runs_and_begins_nothing_more(scheduler: str, tmp_path: Any) -> None:
    """What runs ends well; what waits is cancelled and never begins."""

    def call(number: int) -> int:
        (tmp_path / str(number)).touch()
        time.sleep(0.5)
        return number

    with LocalDaskExecutor(scheduler, num_workers=1).start() as executor:
        futures = executor.map(call, range(5))
        while not (tmp_path / "0").exists():
            time.sleep(0.01)
    assert futures[0].result() == 0
    assert all(future.cancelled() for future in futures[1:])
    assert [path.name for path in tmp_path.iterdir()] == ["0"]


def test_an_error_ends_processes_within_three_seconds() -> None:
    """Processes that would run on for a minute are gone, and their futures are done."""
    children = set(multiprocessing.active_children())
    with failing(LocalDaskExecutor("processes", num_workers=2)) as executor:
        pids = [executor.submit(os.getpid).result() for _ in range(4)]
        futures = [executor.submit(time.sleep, 60) for _ in range(5)]
    assert all(future.done() for future in futures)
    assert set(multiprocessing.active_children()) <= children
    assert not any(_alive(pid) for pid in pids)


def test_an_error_interrupts_threads() -> None:
    """A thread that runs Python code is interrupted, and gone."""

    def loop() -> None:
        while True:
            time.sleep(0.01)

    before = set(threading.enumerate())
    with failing(LocalDaskExecutor("threads", num_workers=2)) as executor:
        future = executor.submit(loop)
    assert future.done()
    assert set(threading.enumerate()) == before


def test_a_thread_that_cannot_be_stopped_is_named_and_given_up(caplog: pytest.LogCaptureFixture) -> None:
    """A thread in a C call does not see the interrupt; its call is named, and nobody waits for it."""
    release = threading.Lock()
    release.acquire()
    with failing(LocalDaskExecutor("threads", num_workers=1)) as executor:
        future = executor.submit(release.acquire, extra_context={"task_name": "stubborn"})
    assert future.done()
    assert "stubborn" in caplog.text
    release.release()


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_no_process_survives_its_driver(sign: signal.Signals, tmp_path: Path) -> None:
    """After Ctrl-C, SIGTERM and SIGKILL of the driver its processes end by themselves."""
    script = tmp_path / "driver.py"
    script.write_text(DRIVER)
    with subprocess.Popen(
        [sys.executable, str(script)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as driver:
        assert driver.stdout is not None
        pids = [int(word) for word in driver.stdout.readline().split()]
        driver.send_signal(sign)
        driver.wait(10)
    assert pids
    assert _gone(pids, 5)


def test_a_script_without_a_guard_is_told_so(tmp_path: Path) -> None:
    """It ends at once with an error that shows the remedy, instead of hanging."""
    script = tmp_path / "bare.py"
    script.write_text(
        textwrap.dedent("""
            from penstock_local_dask import LocalDaskExecutor

            with LocalDaskExecutor("processes").start() as executor:
                print(executor.submit(abs, -1).result())
        """)
    )
    done = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1
    assert 'if __name__ == "__main__"' in done.stderr
    assert "line 4" in done.stderr
