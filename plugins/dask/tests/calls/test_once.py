"""A call that may begin once is not begun again, and the scheduler of others forgets that it was."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import distributed
import pytest

from turgo import flow, task
from turgo.errors import WorkerLostError
from turgo_dask import DaskExecutor

COUNT = 3
NOTICED_SECONDS = 60


@pytest.fixture
def theirs(nannied: Callable[..., Any]) -> Iterator[distributed.LocalCluster]:
    """A cluster of others, with two workers that are processes."""
    with nannied(2, 1) as cluster:
        yield cluster


@task(crash_retries=1)
def kills(file: str) -> int:
    """End the worker, the first time."""
    if os.path.exists(file):
        return 1
    Path(file).touch()
    os._exit(3)


@task(idempotent=False)
def pay(file: str, amount: int) -> int:
    """Write down that it was paid."""
    with open(file, "a", encoding="ascii") as lines:
        lines.write(f"{amount} ")
    return amount


@flow
def bills(folder: str) -> list[Any]:
    """Payments that wait behind a call that ends their worker, and more after them."""
    return [kills(f"{folder}/killed"), *[pay(f"{folder}/paid", amount) for amount in range(6)]]


def test_what_had_not_begun_on_a_worker_that_died_goes_again(tmp_path: Path) -> None:
    """It is made, and once."""
    executor = DaskExecutor(cluster_kwargs={"n_workers": 1, "threads_per_worker": 1}, debug=False)
    run = bills.run(str(tmp_path), executor=executor)
    assert run.ok, run.error
    assert sorted((tmp_path / "paid").read_text().split()) == list("012345")


def test_what_was_done_on_a_worker_that_died_is_not_made_again(
    theirs: distributed.LocalCluster, tmp_path: Path
) -> None:
    """Dask would make it again, as its value is wanted: it is WorkerLostError, and the event of it is forgotten."""

    def begin(file: str) -> int:
        import os

        with open(file, "a", encoding="ascii") as lines:
            lines.write(".")
        return os.getpid()

    def kill(pid: int) -> None:
        import os
        import signal

        os.kill(pid, signal.SIGKILL)

    files = [tmp_path / str(number) for number in range(COUNT)]
    with DaskExecutor(address=theirs.scheduler_address, debug=False).start() as executor:
        once: Any = {"task_once": True, "task_name": "pay"}
        futures = [executor.submit(begin, str(file), extra_context=once) for file in files]
        pids = executor.wait(futures)
        assert len(theirs.scheduler.extensions["events"]._events) == COUNT
        with suppress(
            WorkerLostError, ProcessLookupError
        ):  # it may itself be there, and be made again elsewhere
            executor.wait(executor.submit(kill, pids[0]))
        deadline = time.monotonic() + NOTICED_SECONDS
        while (error := futures[0].exception()) is None:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert isinstance(error, WorkerLostError) and "may not begin twice" in str(error)
    assert [file.read_text() for file in files] == ["."] * COUNT
    assert not theirs.scheduler.extensions["events"]._events
