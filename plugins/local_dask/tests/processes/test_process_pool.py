"""Processes: made when they are needed, replaced when they die, gone with the executor and with the driver."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import Any

import cloudpickle
import pytest

from turgo import flow, task
from turgo.records.states import TaskState
from turgo_local_dask import LocalDaskExecutor

Failing = Callable[[LocalDaskExecutor], AbstractContextManager[LocalDaskExecutor]]

cloudpickle.register_pickle_by_value(sys.modules[__name__])  # the processes do not have this file


def test_processes_are_made_when_they_are_needed() -> None:
    """None before the first call, and one for calls that come one after another."""
    with LocalDaskExecutor("processes", num_workers=8).start() as executor:
        before = set(multiprocessing.active_children())
        pids = {executor.submit(os.getpid).result() for _ in range(3)}
        started = {process.pid for process in set(multiprocessing.active_children()) - before}
    assert started == pids
    assert len(pids) <= 2


def killed() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


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


DRIVER = """
import ctypes, os, sys, time
from pathlib import Path
from turgo_local_dask import LocalDaskExecutor

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


def test_an_error_ends_processes_within_seconds(failing: Failing) -> None:
    """Processes that would run on for a minute are gone, and their futures are done."""
    children = set(multiprocessing.active_children())
    with failing(LocalDaskExecutor("processes", num_workers=2)) as executor:
        pids = [executor.submit(os.getpid).result() for _ in range(4)]
        futures = [executor.submit(time.sleep, 60) for _ in range(5)]
    assert all(future.done() for future in futures)
    assert set(multiprocessing.active_children()) <= children
    assert not any(_alive(pid) for pid in pids)


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


def test_a_process_that_ignores_the_request_to_end_is_killed(tmp_path: Path, failing: Failing) -> None:
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
            from turgo_local_dask import LocalDaskExecutor

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
