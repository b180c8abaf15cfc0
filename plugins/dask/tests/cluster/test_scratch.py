"""What a temporary local cluster leaves on the disk: nothing, unless its user has named a folder."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import dask
import pytest

from turgo_dask import DaskExecutor
from turgo_dask.cluster.scratch import SCRATCH_PREFIX, scratch_folder

END_SECONDS = 60

PROGRAM = """
import sys, time
from turgo import flow, task

@task
def nap(seconds):
    time.sleep(seconds)

@flow
def naps(seconds):
    nap(seconds)

if __name__ == "__main__":
    seconds = float(sys.argv[1])
    options = {"cluster_kwargs": {"n_workers": 1, "threads_per_worker": 1, "processes": sys.argv[2] == "processes"}}
    with __import__("turgo").get_executor("dask", **options).start() as executor:
        print("started", flush=True)
        naps.run(seconds, executor=executor)
"""


@pytest.mark.parametrize(
    ("end", "workers"),
    [
        ("normal", "threads"),
        ("interrupted", "processes"),
        pytest.param("normal", "processes", marks=pytest.mark.matrix),
        pytest.param("interrupted", "threads", marks=pytest.mark.matrix),
    ],
)
def test_nothing_is_left(workers: str, end: str, tmp_path: Path) -> None:
    """After a normal end and after a Ctrl-C, whether the workers are processes or threads."""
    (tmp_path / "program.py").write_text(PROGRAM, encoding="utf-8")
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    seconds = "0" if end == "normal" else "60"
    with subprocess.Popen(
        [sys.executable, "program.py", seconds, workers],
        cwd=tmp_path,
        env={**os.environ, "TMPDIR": str(scratch)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        assert process.stdout is not None and process.stdout.readline() == b"started\n"
        if end == "interrupted":
            process.send_signal(signal.SIGINT)
        process.wait(timeout=END_SECONDS)
    deadline = time.monotonic() + END_SECONDS
    while list(scratch.iterdir()) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert list(scratch.iterdir()) == []


def test_the_scratch_space_of_workers_is_there_as_long_as_they_are(tmp_path: Path) -> None:
    """In a folder of its own, which ends with the executor."""
    kwargs: dict[str, Any] = {"n_workers": 1, "threads_per_worker": 1, "processes": False}
    with DaskExecutor(cluster_kwargs=kwargs).start() as executor:
        worker = next(iter(executor._session.cluster.workers.values()))
        folder = Path(worker.local_directory).parent
        assert folder.name.startswith(SCRATCH_PREFIX) and folder.is_dir()
    assert not folder.exists()


FORKED = """
import os, time
from turgo_dask.cluster.scratch import scratch_folder

scratch = scratch_folder({})
folder = scratch.__enter__()["local_directory"]
if os.fork() == 0:
    scratch.__exit__(None, None, None)
    os._exit(0)
os.wait()
time.sleep(0.5)  # what watches over the folder would have removed it by now
print(os.path.isdir(folder))
scratch.__exit__(None, None, None)
print(os.path.isdir(folder))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_forked_process_leaves_the_folder_of_its_parent(tmp_path: Path) -> None:
    """Whose workers go on."""
    variables = {**os.environ, "TMPDIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", FORKED], env=variables, capture_output=True, text=True, timeout=60
    )
    assert (done.stdout.split(), done.stderr) == (["True", "False"], "")


def test_a_folder_that_its_user_names_stays(tmp_path: Path) -> None:
    """By the keyword or by dask's configuration."""
    with scratch_folder({"local_directory": str(tmp_path)}) as options:
        assert options == {"local_directory": str(tmp_path)}
    with dask.config.set({"temporary-directory": str(tmp_path)}), scratch_folder({"n_workers": 1}) as options:
        assert options == {"n_workers": 1}
    assert tmp_path.is_dir()
    with scratch_folder({"scheduler_kwargs": {"idle_timeout": 3}}) as options:
        assert options["scheduler_kwargs"] == {
            "idle_timeout": 3,
            "local_directory": options["local_directory"],
        }
    assert not Path(options["local_directory"]).exists()


@pytest.mark.skipif(sys.platform == "win32", reason="it has no shell that could do it")
@pytest.mark.parametrize("workers", ["processes", pytest.param("threads", marks=pytest.mark.matrix)])
def test_nothing_is_left_of_a_driver_that_is_killed(workers: str, tmp_path: Path) -> None:
    """Neither the folder nor a word on standard error, as of semaphores that the nannies' queues had."""
    (tmp_path / "program.py").write_text(PROGRAM, encoding="utf-8")
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    with (
        (tmp_path / "err").open("wb") as err,
        subprocess.Popen(
            [sys.executable, "program.py", "60", workers],
            cwd=tmp_path,
            env={**os.environ, "TMPDIR": str(scratch)},
            stdout=subprocess.PIPE,
            stderr=err,
        ) as process,
    ):
        assert process.stdout is not None and process.stdout.readline() == b"started\n"
        assert [each.name.startswith(SCRATCH_PREFIX) for each in scratch.iterdir()] == [True]
        process.kill()
        process.communicate(timeout=END_SECONDS)  # and waits for all that holds its pipes
    deadline = time.monotonic() + END_SECONDS
    while list(scratch.iterdir()) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert list(scratch.iterdir()) == []
    said = (tmp_path / "err").read_text().splitlines()
    assert [line for line in said if not line.startswith("dask: ")] == []  # as it starts


@pytest.mark.skipif(sys.platform == "win32", reason="folders are not locked there")
def test_the_next_cluster_removes_what_nobody_has_locked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after a kill of driver and shell. What a driver has locked stays, and what may be just about to be."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    old, fresh = (tmp_path / f"{SCRATCH_PREFIX}{name}" for name in ("old", "fresh"))
    for folder in (old, fresh):
        (folder / "dask-scratch-space").mkdir(parents=True)
    os.utime(old, (0, 0))
    with scratch_folder({}) as options:
        mine = Path(options["local_directory"])
        os.utime(mine, (0, 0))
        assert not old.exists() and fresh.is_dir()
        with scratch_folder({}):
            assert mine.is_dir() and fresh.is_dir()
