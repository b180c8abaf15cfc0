"""A worker has another version of turgo than the driver: tasks are run by the driver's, which travels."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

import turgo
from turgo import Skip, TaskState, current, flow, task
from turgo.worker.code import bootstrap as carried
from turgo_dask import DaskExecutor

OLDER = """
running = None

def current():
    return "of the older version"
"""


@task
def told(number: int) -> Any:
    """What is known there of this call, and which version is installed."""
    here = current()
    import turgo

    return here.task, here.index, turgo.__version__


@task
def inner(number: int) -> int:
    """Called by another task."""
    return number + 1


@task
def calls(number: int) -> int:
    """Calls another task, and leaves by Skip if that is 3."""
    if number == 2:
        raise Skip("by name")
    if number == 3:
        raise turgo.Skip("by module")
    return inner(number)


@task
def large(number: int) -> bytes:
    """What stays there."""
    return bytes([number]) * 300_000


@task
def size(value: bytes) -> int:
    """Of what stayed there."""
    return len(value)


@flow
def everything(worker: str) -> Any:
    """All of it on one worker."""
    here = {"tags": [f"dask-workers:{worker}"]}
    made = large.with_options(**here)(7)
    return (
        told.with_options(**here).map(range(2)),
        calls.with_options(**here).map(range(4)),
        size.with_options(**here)(made),
    )


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The scheduler file of a cluster with two workers that have an older version; `used` has imported it already."""
    folder = tmp_path_factory.mktemp("older")
    source = Path(str(carried.__file__)).parents[2]
    shutil.copytree(source, folder / "turgo", ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "turgo" / "_version.py").write_text('__version__ = "0.0.1"\n')
    (folder / "turgo" / "worker" / "context.py").write_text(OLDER)
    (folder / "uses.py").write_text("import turgo.testing\nfrom turgo import current, task\n")
    file = folder / "scheduler.json"
    scheduler = ["--no-dashboard", "--host", "127.0.0.1", "--port", "0", "--dashboard-address", "127.0.0.1:0"]
    worker = ["--no-nanny", "--nthreads", "1", "--no-dashboard", "--death-timeout", "30"]
    commands = [
        ("scheduler", scheduler),
        ("worker", [*worker, "--name", "fresh"]),
        ("worker", [*worker, "--name", "used", "--preload", "uses.py"]),
    ]
    with ExitStack() as stack:
        for command, options in commands:
            process = subprocess.Popen(
                [sys.executable, "-m", "dask", command, "--scheduler-file", str(file), *options],
                env={**os.environ, "PYTHONPATH": str(folder)},
                cwd=folder,
                stderr=subprocess.DEVNULL,
            )
            stack.callback(process.wait)
            stack.callback(process.kill)
        yield file


@pytest.mark.parametrize("worker", ["fresh", "used"])
def test_a_worker_with_another_version_runs_everything(file: Path, worker: str) -> None:
    """`current`, Skip, tasks that call tasks, values that stay; whether it has used its own version before or not."""
    run = everything.run(worker, executor=DaskExecutor(scheduler_file=str(file), debug=False))
    assert run.ok, [(each.name, each.error) for each in run.task_runs if each.error]
    assert run.result == ([("told", 0, "0.0.1"), ("told", 1, "0.0.1")], [1, 2], 300_000)
    states = [each.state for each in run.task_runs if each.name == "calls"]
    assert states == [TaskState.SUCCESS] * 2 + [TaskState.SKIPPED] * 2
