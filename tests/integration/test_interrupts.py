"""Ctrl-C ends a run on every executor within seconds, tells observers, and leaves no process behind."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from penstock import executor as contract

SCRIPT = """
import os, sys, time
from pathlib import Path

from penstock import flow, get_executor, task
from penstock.hooks import hookimpl

folder = Path(sys.argv[1])


@task
def quick(number):
    return number


@task
def slow(number):
    (folder / f"pid-{number}").write_text(str(os.getpid()))
    time.sleep(60)
    return number


@flow
def long(name):
    return slow.map(quick.map(range(4)))


class Watch:
    @hookimpl
    def penstock_flow_finished(self, run):
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

ENGINES = {
    "local": ("local", {}),
    "threads": ("local_dask", {"scheduler": "threads", "num_workers": 2}),
    "processes": ("local_dask", {"scheduler": "processes", "num_workers": 2}),
    "synchronous": ("local_dask", {"scheduler": "synchronous"}),
    "dask": ("dask", {"cluster_kwargs": {"n_workers": 2, "threads_per_worker": 1}, "debug": False}),
}


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
@pytest.mark.parametrize(
    "name", [pytest.param(e, marks=[pytest.mark.cluster] * (e == "dask")) for e in ENGINES]
)
def test_ctrl_c_ends_the_run(name, tmp_path):
    """SIGINT: out within 5 seconds, the run Cancelled with its records complete, and no worker process left."""
    script = tmp_path / "long.py"
    script.write_text(SCRIPT)
    command = [sys.executable, str(script), str(tmp_path), repr(ENGINES[name])]
    process = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    try:
        end = time.monotonic() + 40
        while not list(tmp_path.glob("pid-*")) and process.poll() is None:
            assert time.monotonic() < end, "no call began"
            time.sleep(0.02)
        time.sleep(0.2)  # both workers are at it
        process.send_signal(signal.SIGINT)
        began = time.monotonic()
        _, errors = process.communicate(timeout=20)
        took = time.monotonic() - began
    finally:
        process.kill()
        process.wait()
        process.stderr.close()
    assert process.returncode == 130, errors
    assert took < 5, f"{took:.1f} s\n{errors}"
    assert (tmp_path / "end").read_text() == "Cancelled 8 ['Cancelled', 'Success']"
    pids = [int(file.read_text() or 0) for file in tmp_path.glob("pid-*")]
    end = time.monotonic() + 5
    while (left := [pid for pid in pids if pid and alive(pid)]) and time.monotonic() < end:
        time.sleep(0.02)
    assert not left


def test_a_file_executor_is_interrupted_too(tmp_path):
    """The executor of the contract's docstring waits for what runs, as its pool does, and then ends."""
    text = contract.__doc__.split("threads.py:ThreadsExecutor`::\n\n", 1)[1].split("\n`submit` is", 1)[0]
    (tmp_path / "threads.py").write_text("\n".join(line.removeprefix("    ") for line in text.splitlines()))
    script = tmp_path / "long.py"
    script.write_text(SCRIPT.replace("time.sleep(60)", "time.sleep(1)"))
    engine = ("./threads.py:ThreadsExecutor", {"workers": 1})
    process = subprocess.Popen([sys.executable, str(script), str(tmp_path), repr(engine)], cwd=tmp_path)
    try:
        end = time.monotonic() + 20
        while not list(tmp_path.glob("pid-*")) and time.monotonic() < end:
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=5) == 130
    finally:
        process.kill()
        process.wait()
    assert (tmp_path / "end").read_text() == "Cancelled 8 ['Cancelled', 'Success']"
