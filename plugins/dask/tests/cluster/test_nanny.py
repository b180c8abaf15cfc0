"""What the tasks of a worker have started ends with the worker."""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from turgo import TaskState, flow, task
from turgo_dask import DaskExecutor
from turgo_dask.cluster.nanny import TRACKER_CODE, end_session, kill_with_descendants

HANGING = "import time; time.sleep(600)"


@task(timeout=1.0)
def waits_for_a_program(file: str, own_session: bool) -> None:
    """Start a program and wait for it in C."""
    program = subprocess.Popen([sys.executable, "-c", HANGING], start_new_session=own_session)
    Path(file).write_text(str(program.pid))
    program.wait()


@task(crash_retries=0)
def leaves_a_program_and_dies(file: str) -> None:
    """Start a program, and end without a word."""
    program = subprocess.Popen([sys.executable, "-c", HANGING])
    Path(file).write_text(str(program.pid))
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.parametrize("own_session", [False, True])
def test_a_call_that_is_killed_takes_its_programs_along(
    cluster: DaskExecutor, tmp_path: Path, is_gone: Callable[[int], bool], own_session: bool
) -> None:
    """Those that have left the worker's session, too."""
    started: Any = flow(lambda: waits_for_a_program(str(tmp_path / "pid"), own_session))
    (task_run,) = started.run(executor=cluster).task_runs
    assert task_run.state is TaskState.TIMED_OUT
    assert is_gone(int((tmp_path / "pid").read_text()))


def test_a_worker_that_crashes_takes_its_programs_along(
    small: DaskExecutor, tmp_path: Path, is_gone: Callable[[int], bool]
) -> None:
    """Although it had no time to end them."""
    started: Any = flow(lambda: leaves_a_program_and_dies(str(tmp_path / "pid")))
    with small.start():
        (task_run,) = started.run(executor=small).task_runs
        assert task_run.state is TaskState.CRASHED
        assert is_gone(int((tmp_path / "pid").read_text()))


def test_leaving_by_an_error_takes_pools_along(
    small: DaskExecutor, tmp_path: Path, is_gone: Callable[[int], bool]
) -> None:
    """A call may start a pool of processes, as workers are no daemons; it ends with the cluster."""
    file = tmp_path / "pid"

    def waits_for_a_pool() -> None:
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            file.write_text(str(pool.apply(os.getpid)))
            pool.apply(time.sleep, (600,))

    with pytest.raises(LookupError, match="no longer"), small.start():
        small.submit(waits_for_a_pool)
        end = time.monotonic() + 60
        while not file.exists() or not file.read_text():
            assert time.monotonic() < end
            time.sleep(0.05)
        raise LookupError("it is needed no longer")
    assert is_gone(int(file.read_text()))


def test_a_pipe_that_a_program_of_a_task_holds_is_closed(tmp_path: Path) -> None:
    """So that whoever reads the output of the driver sees its end, soon after the driver's own."""
    script = tmp_path / "script.py"
    script.write_text(
        textwrap.dedent("""
            import subprocess
            from turgo import flow, task

            @task
            def leaves():
                subprocess.Popen(["sleep", "600"])

            @flow
            def main():
                return leaves()

            if __name__ == "__main__":
                main.run(executor="dask", executor_options={"cluster_kwargs": {"n_workers": 1}})
        """)
    )
    done = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode == 0
    assert [line for line in done.stderr.splitlines() if not line.startswith("dask: starting")] == []


def test_a_session_is_ended_without_its_neighbours(is_gone: Callable[[int], bool]) -> None:
    """A process of another session lives on, and so does a resource tracker, which cleans up and ends by itself."""
    command = [sys.executable, "-c", HANGING]
    tracker = [sys.executable, "-c", f"{TRACKER_CODE}\n{HANGING}"]
    with (
        subprocess.Popen(command, start_new_session=True) as leader,
        subprocess.Popen(command) as other,
    ):
        try:
            end_session(leader.pid)
            assert leader.wait(20) == -signal.SIGKILL
            assert other.poll() is None
        finally:
            other.kill()
    with subprocess.Popen(tracker, start_new_session=True) as spared:
        try:
            end_session(spared.pid)
            assert spared.poll() is None
        finally:
            spared.kill()
    end_session(leader.pid)  # there is none any more


def test_a_process_is_killed_with_what_it_has_started(tmp_path: Path, is_gone: Callable[[int], bool]) -> None:
    """And with what those have started, in sessions of their own, save a resource tracker, which ends by itself."""
    code = f"""
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", {HANGING!r}], start_new_session=True)
tracker = subprocess.Popen([sys.executable, "-c", {TRACKER_CODE!r} + chr(10) + {HANGING!r}])
print(child.pid, tracker.pid, flush=True)
time.sleep(600)
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child, tracker = map(int, parent.stdout.readline().split())
        kill_with_descendants(parent.pid)
        assert is_gone(child)
        os.kill(tracker, signal.SIGKILL)  # fails if it is gone
    assert parent.returncode == -signal.SIGKILL
    kill_with_descendants(parent.pid)  # it is gone, which is no error


def test_workers_log_as_little_as_their_cluster(capfd: pytest.CaptureFixture[str]) -> None:
    """A script's own handlers, which workers import with it, print nothing of distributed's."""
    options = {"n_workers": 1, "threads_per_worker": 1}
    with DaskExecutor(cluster_kwargs=options, debug=False).start() as executor:
        level = executor.submit(lambda: logging.getLogger("distributed.worker").getEffectiveLevel())
        assert level.result(timeout=60) == logging.CRITICAL
    assert "distributed" not in capfd.readouterr().err


def test_a_worker_that_is_closed_ends_its_programs_itself(
    small: DaskExecutor, tmp_path: Path, is_gone: Callable[[int], bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The driver may be ended at that moment, so its part is left out here."""
    monkeypatch.setattr("turgo_dask.cluster.nanny.end_session", lambda leader: None)

    def leave_a_program(file: str) -> None:
        program = subprocess.Popen([sys.executable, "-c", HANGING])
        Path(file).write_text(str(program.pid))

    with small.start():
        small.submit(leave_a_program, str(tmp_path / "pid")).result(timeout=60)
    assert is_gone(int((tmp_path / "pid").read_text()))


KILLED = """
import subprocess, sys, time
from pathlib import Path
from turgo import get_executor

def leaves_a_program(file):
    program = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    Path(file).write_text(str(program.pid))
    time.sleep(600)

if __name__ == "__main__":
    with get_executor("dask", cluster_kwargs={"n_workers": 1, "threads_per_worker": 1}).start() as executor:
        executor.submit(leaves_a_program, sys.argv[1]).result()
"""


def test_a_driver_that_is_killed_takes_the_programs_of_its_workers_along(
    tmp_path: Path, is_gone: Callable[[int], bool]
) -> None:
    """There is no nanny any more that could end them: the workers do as they end themselves."""
    (tmp_path / "killed.py").write_text(KILLED, encoding="utf-8")
    with subprocess.Popen([sys.executable, "killed.py", "pid"], cwd=tmp_path) as driver:
        deadline = time.monotonic() + 60
        while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text():
            assert time.monotonic() < deadline and driver.poll() is None
            time.sleep(0.02)
        driver.kill()
    assert is_gone(int((tmp_path / "pid").read_text()))
