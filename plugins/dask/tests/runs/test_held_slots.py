"""What may happen to calls while slots are held for them: on real clusters."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import distributed
import pytest

from turgo import flow, task, unmapped
from turgo_dask import DaskExecutor


@task(timeout=0.1)
def limited(number: int) -> int:
    """A call that may be killed, 2.1 seconds after it has begun."""
    return os.getpid()


@task(batch=False)
def place(number: int) -> int:
    """A submission of its own, that says where it ran."""
    time.sleep(0.02)
    return os.getpid()


@flow
def after_limited_ones(count: int) -> Any:
    """Calls that are handed to the slots of those with a limit of time."""
    return limited.map(range(2)), place.map(range(count))


def test_a_call_with_a_limit_is_over_before_others_run_in_its_slot() -> None:
    """It has ended in time, so nothing is killed, however long its slot is held."""
    with DaskExecutor(cluster_kwargs={"n_workers": 1, "threads_per_worker": 2}, debug=False).start() as one:
        first, others = after_limited_ones.run(executor=one, count=240).result
        assert len({*first, *others}) == 1


@task
def same(number: int) -> int:
    """A call whose slot is held when it is over."""
    return number


@task
def large(numbers: list[int]) -> Any:
    """A value that is kept where it was made; of the first one nobody knows that before."""
    return bytes([len(numbers)]) * 200_000


@task
def ends_its_worker(array: Any, mark: Path) -> int:
    """Once, after it was given the value."""
    if not mark.exists():
        mark.touch()
        os._exit(1)
    return int(array[0])


@flow
def lost_with_all_workers(mark: Path) -> Any:
    """A value that has to be made again when no worker is left."""
    return ends_its_worker(large(same.map(range(30))), mark)


def test_a_value_that_a_handed_call_left_is_made_again_by_a_worker_that_comes_later(tmp_path: Path) -> None:
    """It is bound to the worker that had it only until the scheduler has it."""
    with DaskExecutor(cluster_kwargs={"n_workers": 1, "threads_per_worker": 1}, debug=False).start() as one:
        assert lost_with_all_workers.run(mark=tmp_path / "mark", executor=one).result == 30


@task(batch=False)
def noted(number: int, seconds: float, notes: Path) -> int:
    """A call that notes that it begins, and where."""
    worker = distributed.get_worker()
    with notes.open("a") as file:
        file.write(f"{number} {worker.address} {os.getpid()}\n")
    time.sleep(seconds)
    return number


@flow
def short_and_long(notes: Path, crash_retries: int = 1) -> Any:
    """Long calls that are handed to slots of short ones."""
    short = noted.map(range(20), unmapped(0.0), unmapped(notes))
    return short, noted.with_options(crash_retries=crash_retries).map(
        [100, 101, 102], unmapped(2.5), unmapped(notes)
    )


def begun(notes: Path) -> dict[int, list[str]]:
    """Where each call has begun."""
    found: dict[int, list[str]] = {}
    for line in notes.read_text().splitlines() if notes.exists() else ():
        number, *where = line.split()
        found.setdefault(int(number), []).append(" ".join(where))
    return found


def in_the_long_one(notes: Path, act: Callable[[str, int], None]) -> threading.Thread:
    """Does something to the worker, and its process, that has begun the first long call."""

    def acting() -> None:
        while 100 not in begun(notes):
            time.sleep(0.01)
        address, pid = begun(notes)[100][0].split()
        act(address, int(pid))

    thread = threading.Thread(target=acting)
    thread.start()
    return thread


def test_a_worker_that_is_retired_costs_nothing_but_what_ran_there(
    theirs_of_two: distributed.LocalCluster, tmp_path: Path
) -> None:
    """The call that was handed to it begins anew and is not Crashed; the one that was over in its slot does not."""
    notes = tmp_path / "notes"

    def retire(address: str, pid: int) -> None:
        theirs_of_two.sync(theirs_of_two.scheduler.retire_workers, workers=[address])

    with DaskExecutor(address=theirs_of_two.scheduler_address, debug=False).start() as executor:
        acting = in_the_long_one(notes, retire)
        run = short_and_long.run(notes=notes, crash_retries=0, executor=executor)
        acting.join()
    assert run.result == ([*range(20)], [100, 101, 102])
    assert all(len(where) == 1 for number, where in begun(notes).items() if number < 100)


@pytest.fixture
def stopped() -> Iterator[list[int]]:
    """Processes that are to go on after the test."""
    pids: list[int] = []
    yield pids
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


def test_a_worker_that_the_scheduler_gives_up_is_waited_for_no_more(
    nannied: Callable[..., Any], tmp_path: Path, stopped: list[int]
) -> None:
    """It stands still, and its connection with the driver does not break."""
    notes = tmp_path / "notes"

    with (
        nannied(2, 1) as cluster,
        DaskExecutor(address=cluster.scheduler_address, debug=False).start() as two,
    ):

        def give_up(address: str, pid: int) -> None:
            os.kill(pid, signal.SIGSTOP)
            stopped.append(pid)
            cluster.sync(cluster.scheduler.remove_worker, address, stimulus_id="test")

        acting = in_the_long_one(notes, give_up)
        run = short_and_long.run(notes=notes, executor=two)
        acting.join()
        assert run.result == ([*range(20)], [100, 101, 102])
        os.kill(stopped[0], signal.SIGCONT)


@task
def waits_for_another(name: str) -> bool:
    """A call that gives up its slot for one that comes after it."""
    distributed.secede()
    return bool(distributed.Event(name, client=distributed.get_client()).wait(timeout=30))


@task
def is_waited_for(name: str) -> None:
    """The other one."""
    distributed.Event(name, client=distributed.get_client()).set()


@flow
def one_for_the_other() -> Any:
    """Two calls that are not over one after the other."""
    return waits_for_another("turgo-test"), is_waited_for("turgo-test")


def test_a_call_that_secedes_has_others_begin(theirs: distributed.LocalCluster) -> None:
    """Its slot is free for the scheduler, whatever the driver knows of it."""
    with DaskExecutor(address=theirs.scheduler_address, debug=False).start() as executor:
        assert one_for_the_other.run(executor=executor).result == (True, None)
