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
import ctypes, os, sys, time
from pathlib import Path
from penstock_local_dask import LocalDaskExecutor

def hold(seconds):
    ctypes.PyDLL(None).sleep(seconds)  # with the interpreter's lock, so that no other thread runs


def hang(folder):
    Path(folder, str(os.getpid())).touch()
    CALL(60)


def main():
    with LocalDaskExecutor("processes", num_workers=2).start() as executor:
        pids = set()
        while len(pids) < 2:  # one may be up much earlier than the other
            pids |= set(executor.wait(executor.map(lambda _: (time.sleep(0.1), os.getpid())[1], range(4))))
        print(*pids, flush=True)
        executor.wait([executor.submit(hang, sys.argv[1]) for _ in range(5)])

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


def _begun(future: Any) -> None:
    """Wait until a thread has the call."""
    end = time.monotonic() + 20
    while not future.running():
        assert time.monotonic() < end
        time.sleep(0.01)


@contextmanager
def failing(executor: LocalDaskExecutor) -> Iterator[LocalDaskExecutor]:
    """Leave `start()` by an error, and show that this does not wait for calls that take a minute."""
    began = 0.0
    with suppress(ZeroDivisionError), executor.start():
        yield executor
        began = time.monotonic()
        _ = 1 / 0
    assert time.monotonic() - began < 20  # it is 3 s at most where nothing else runs


@pytest.mark.parametrize("scheduler", ["threads", "processes"])
def test_a_normal_end_waits_for_what_runs_and_begins_nothing_more(scheduler: str, tmp_path: Any) -> None:
    """What runs ends well; what waits is cancelled and never begins."""

    gate = tmp_path / "gate"

    def call(number: int) -> int:
        (tmp_path / str(number)).touch()
        while not gate.exists():
            time.sleep(0.01)
        return number

    def open_gate() -> None:
        """Once all that waited was taken back, as `start()` is being left."""
        end = time.monotonic() + 20
        while not all(future.done() for future in futures[1:]) and time.monotonic() < end:
            time.sleep(0.01)
        gate.touch()

    opener = threading.Thread(target=open_gate)
    with LocalDaskExecutor(scheduler, num_workers=1).start() as executor:
        futures = executor.map(call, range(5))
        while not (tmp_path / "0").exists():
            time.sleep(0.01)
        opener.start()
    opener.join()
    assert futures[0].result() == 0
    assert all(future.cancelled() for future in futures[1:])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0", "gate"]


def test_an_error_ends_processes_within_seconds() -> None:
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
        _begun(future)
    assert future.done()
    end = time.monotonic() + 20
    while set(threading.enumerate()) != before and time.monotonic() < end:
        time.sleep(0.01)
    assert set(threading.enumerate()) == before


def test_a_thread_that_cannot_be_stopped_is_named_and_given_up(caplog: pytest.LogCaptureFixture) -> None:
    """A thread in a C call does not see the interrupt; its call is named, and nobody waits for it."""
    release = threading.Lock()
    release.acquire()
    with failing(LocalDaskExecutor("threads", num_workers=1)) as executor:
        future = executor.submit(release.acquire, extra_context={"task_name": "stubborn"})
        _begun(future)
    assert future.done()
    assert "stubborn" in caplog.text
    release.release()


def named_memory(pid: int) -> list[str]:
    """The semaphores and the shared memory with a name that a process uses; they could outlive it."""
    return [line for line in Path(f"/proc/{pid}/maps").read_text().splitlines() if "/dev/shm" in line]


@pytest.mark.parametrize("call", ["time.sleep", "hold"])
@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_nothing_survives_its_driver(sign: signal.Signals, call: str, tmp_path: Path) -> None:
    """Processes end with the driver, even those that hang in C; no semaphore is there to be left, and no folder is."""
    script, folder, hanging = (tmp_path / name for name in ("driver.py", "temporary", "hanging"))
    script.write_text(DRIVER.replace("CALL", call))
    folder.mkdir()
    hanging.mkdir()
    with subprocess.Popen(
        [sys.executable, str(script), str(hanging)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "TMPDIR": str(folder)},
    ) as driver:
        assert driver.stdout is not None
        pids = [int(word) for word in driver.stdout.readline().split()]
        end = time.monotonic() + 20
        while len(list(hanging.iterdir())) < 2:
            assert time.monotonic() < end, "a call did not begin"
            time.sleep(0.01)
        assert [named_memory(pid) for pid in (driver.pid, *pids)] == [[], [], []]
        began = time.monotonic()
        driver.send_signal(sign)
        driver.wait(40)
        assert time.monotonic() - began < 20  # the calls take a minute
    assert len(pids) == 2
    assert _gone(pids, 20)
    assert list(folder.iterdir()) == []


def test_a_process_that_ignores_the_request_to_end_is_killed(tmp_path: Path) -> None:
    """SIGTERM is asked first; what does not heed it is gone within seconds all the same."""

    def stubborn() -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        (tmp_path / str(os.getpid())).touch()
        time.sleep(60)

    with failing(LocalDaskExecutor("processes", num_workers=1)) as executor:
        future = executor.submit(stubborn)
        while not (pids := [int(path.name) for path in tmp_path.iterdir()]):
            time.sleep(0.01)
    assert future.done()
    assert not any(_alive(pid) for pid in pids)


def test_a_pool_that_is_never_left_does_not_keep_python_from_ending(tmp_path: Path) -> None:
    """The end of the program ends the processes, too."""
    script = tmp_path / "forgetful.py"
    script.write_text(
        textwrap.dedent("""
            from penstock_local_dask import LocalDaskExecutor

            if __name__ == "__main__":
                opened = LocalDaskExecutor("processes", num_workers=1).start()
                executor = opened.__enter__()
                print(executor.submit(abs, -1).result())
        """)
    )
    done = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout == "1\n"


def test_a_flow_file_needs_no_guard_under_penstock_run(tmp_path: Path) -> None:
    """`penstock run` gives the processes the functions of the file, which none of them imports."""
    (tmp_path / "bare.py").write_text(
        textwrap.dedent("""
            import os
            from penstock import flow, task

            @task
            def elsewhere(driver):
                return os.getpid() != driver

            @flow
            def bare():
                return elsewhere.map([os.getpid()] * 3)
        """)
    )
    command = [sys.executable, "-m", "penstock", "run", "bare.py", "--executor", "local_dask"]
    done = subprocess.run(
        [*command, "-o", "scheduler=processes", "-o", "num_workers=2"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "True" in done.stdout
    assert "False" not in done.stdout


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
