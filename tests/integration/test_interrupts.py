"""Ctrl-C ends a run on every executor within seconds, tells observers, and leaves no process behind."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

SCRIPT = """
import os, sys, time
from pathlib import Path

from turgo import flow, get_executor, task
from turgo.hooks import hookimpl

folder = Path(sys.argv[1])


@task
def quick(number):
    return number


@task
def slow(number):
    (folder / f"pid-{number}").write_text(str(os.getpid()))
    time.sleep(600)
    return number


@flow
def long(name):
    return slow.map(quick.map(range(4)))


class Watch:
    @hookimpl
    def turgo_flow_finished(self, run):
        counts = run.task_runs.counts()
        (folder / "end").write_text(f"{run.state} {sum(counts.values())} {sorted(map(str, counts))}")


if __name__ == "__main__":
    name, options = eval(sys.argv[2])
    try:
        long.run(name="x", executor=get_executor(name, **options), observers=[Watch()])
    except KeyboardInterrupt:
        sys.exit(130)
    sys.exit("it was not interrupted")
"""

ENGINES = ("local", "threads", "processes", "synchronous", "dask")


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


@pytest.mark.skipif(
    sys.platform != "linux", reason="it reads from /proc how a process is, which only Linux has"
)
def test_ctrl_c_ends_the_run(engine_name, engine_settings, tmp_path):
    """SIGINT: out within seconds, the run Cancelled with its records complete, and no worker process left."""
    script = tmp_path / "long.py"
    script.write_text(SCRIPT)
    command = [sys.executable, str(script), str(tmp_path), repr(engine_settings)]
    process = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    try:
        end, at_once = time.monotonic() + 60, 1 if engine_name in ("local", "synchronous") else 2
        while len(list(tmp_path.glob("pid-*"))) < at_once and process.poll() is None:
            assert time.monotonic() < end, "a call did not begin"
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        began = time.monotonic()
        _, errors = process.communicate(timeout=60)
        took = time.monotonic() - began
    finally:
        process.kill()
        process.wait()
        process.stderr.close()
    assert process.returncode == 130, errors
    assert took < 30, f"{took:.1f} s\n{errors}"  # it is 1 s at most where nothing else runs
    assert (tmp_path / "end").read_text() == "Cancelled 8 ['Cancelled', 'Success']"
    pids = [int(file.read_text() or 0) for file in tmp_path.glob("pid-*")]
    end = time.monotonic() + 20
    while (left := [pid for pid in pids if pid and alive(pid)]) and time.monotonic() < end:
        time.sleep(0.02)
    assert not left


def test_a_file_executor_is_interrupted_too(threads_file, tmp_path):
    """The executor of the contract's docstring waits for what runs, as its pool does, and then ends."""
    script = tmp_path / "long.py"
    script.write_text(SCRIPT.replace("time.sleep(600)", "time.sleep(2)"))
    engine = (f"{threads_file}:ThreadsExecutor", {"workers": 1})
    process = subprocess.Popen([sys.executable, str(script), str(tmp_path), repr(engine)], cwd=tmp_path)
    try:
        end = time.monotonic() + 60
        while not list(tmp_path.glob("pid-*")) and time.monotonic() < end:
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 130
    finally:
        process.kill()
        process.wait()
    assert (tmp_path / "end").read_text() == "Cancelled 8 ['Cancelled', 'Success']"
