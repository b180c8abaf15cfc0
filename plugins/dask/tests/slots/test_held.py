"""Calls that are handed to slots that are free: what goes which way, and what becomes of it."""

from __future__ import annotations

import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import distributed
import pytest

from turgo import TaskState, flow, task
from turgo.executor import ExtraContext
from turgo.futures import Future
from turgo_dask import DaskExecutor
from turgo_dask.session.session import Session
from turgo_dask.slots import ahead as timing
from turgo_dask.slots import allotment as policy
from turgo_dask.slots import driver_queue as queue
from turgo_dask.slots import lost as losing
from turgo_dask.slots import on_worker, streams, table
from turgo_dask.slots.handed import HandedCalls
from turgo_dask.slots.streams import Streams

END_SECONDS = 60
LARGE_BYTES = 200_000
"""Of a value that stays on its worker."""


@pytest.fixture(scope="module")
def two(nannied: Callable[..., Any]) -> Iterator[distributed.LocalCluster]:
    """Two workers of one thread each, which outlive the runs."""
    with nannied(2, 1) as cluster:
        yield cluster


@pytest.fixture
def executor(two: distributed.LocalCluster) -> Iterator[DaskExecutor]:
    """One that is started there."""
    with DaskExecutor(cluster_class=two, debug=False).start() as started:
        yield started


@pytest.fixture
def long_held(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Have slots held until they are given back, however busy the machine is."""
    with monkeypatch.context() as patched:
        patched.setattr(on_worker, "HOLD_SECONDS", END_SECONDS)
        patched.setattr(table, "OFFER_SECONDS", END_SECONDS)
        patched.setattr(policy, "HELD_SECONDS", END_SECONDS)
        streams._installing.cache_clear()
        yield
    streams._installing.cache_clear()


def session_of(executor: DaskExecutor) -> Session:
    """What is open."""
    assert executor._open is not None
    return executor._open


def connected(executor: DaskExecutor) -> Session:
    """The same, once there is a connection to each worker; it hands nothing over before."""
    session = session_of(executor)
    session.hold()
    end = time.monotonic() + END_SECONDS
    streams = session.held.streams
    assert streams is not None
    while not all(address in streams for address in session.watch.workers):
        assert time.monotonic() < end
        time.sleep(0.01)
    return session


def in_loop(session: Session, act: Callable[[], Any]) -> Any:
    """What `act` returns, in the client's event loop."""

    async def acts() -> Any:
        return act()

    return session.client.sync(acts)


def submitted(executor: DaskExecutor, fn: Callable[..., Any], *args: Any, **hints: Any) -> Future[Any]:
    """A call of a flow run."""
    context: ExtraContext = {"run_id": "run-1", "task_name": "call", **hints}  # type: ignore[typeddict-item]
    return executor.submit(fn, *args, extra_context=context)


@task(batch=False)
def place(after: Any) -> list[Any]:
    """Where each call so far ran: the process, the thread, and the key that the worker knows."""
    from distributed.worker import thread_state

    return [*after, (os.getpid(), threading.get_ident(), thread_state.key)]


@flow
def chain(length: int) -> Any:
    """So many calls, each of which waits for the one before."""
    places: Any = []
    for _ in range(length):
        places = place(places)
    return places


def test_a_chain_stays_in_the_slot_that_it_has(executor: DaskExecutor) -> None:
    """The scheduler hears of the first call; the others are handed over, in order."""
    session = connected(executor)
    answered = in_answers(session)
    places = chain.run(60, executor=executor).result
    assert len(places) == 60
    keys = [key for _, _, key in places]
    assert len(set(keys)) == 60 - answered["value"] and answered["value"] > 0


def in_answers(session: Session) -> Counter[str]:
    """How many calls that were handed over came to what, from now on."""
    counts: Counter[str] = Counter()
    answered = session.held._answered

    def counted(call: Any, address: str, message: Any) -> None:
        counts.update({"value", "error", "kept", "gone"} & message.keys())
        answered(call, address, message)

    session.held._answered = counted  # type: ignore[method-assign]
    return counts


@task
def dies_once(folder: str, number: int) -> int:
    """End the worker of the call that is the first to come with this number."""
    marker = Path(folder, str(number))
    if number % 10 == 7 and not marker.exists():
        marker.touch()
        os._exit(3)
    return number


@flow
def deadly_chain(folder: str, length: int) -> Any:
    """A chain in which some calls end their worker."""
    total: Any = 0
    for number in range(length):
        total = add.with_options(crash_retries=2)(
            total, dies_once.with_options(crash_retries=2)(folder, number)
        )
    return total


@task
def add(left: int, right: int) -> int:
    """The sum."""
    return left + right


def test_a_call_that_ends_its_worker_is_named_and_made_again(executor: DaskExecutor, tmp_path: Path) -> None:
    """As one that went by the scheduler; the others lose nothing."""
    connected(executor)
    run = deadly_chain.run(str(tmp_path), 20, executor=executor)
    assert run.result == sum(range(20))


def test_the_error_of_a_call_whose_worker_died(executor: DaskExecutor) -> None:
    """It is said who died, and that it was this call's doing."""
    session = connected(executor)
    ends = [submitted(executor, bytes, number) for number in range(2)]
    executor.wait(ends)
    error = submitted(executor, os._exit, 3).exception(timeout=END_SECONDS)
    assert type(error).__name__ == "WorkerLostError" and "died while it ran call-" in str(error)
    assert error.sure  # type: ignore[union-attr]
    assert session.held.allotment.handed.calls == {}


def hold(executor: DaskExecutor, count: int) -> Session:
    """Have so many slots held that are free; they are `long_held`."""
    session = connected(executor)
    end = time.monotonic() + END_SECONDS
    while len(in_loop(session, session.held.allotment.table.free_slots)) < count:
        assert time.monotonic() < end
        executor.wait([submitted(executor, _naps) for _ in range(count)])
    return session


def _naps() -> bytes:
    """Take a slot for long enough that the next call takes another one."""
    time.sleep(0.05)
    return b""


def handed_over(executor: DaskExecutor, path: Path) -> Any:
    """A call that was handed to a slot, and that waits for a file."""
    session = hold(executor, 1)
    future: Any = submitted(executor, _waits_for, str(path))
    assert in_loop(session, lambda: future.key in session.held.allotment.handed.calls)
    return future


@pytest.mark.usefixtures("long_held")
def test_a_connection_that_breaks_loses_what_was_handed(
    executor: DaskExecutor, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """It is not known what becomes of the call, as its worker is there. What comes next goes by the scheduler."""
    monkeypatch.setattr(losing, "DEATH_SECONDS", 0.2)
    session = connected(executor)
    future = handed_over(executor, tmp_path / "go")
    for address in list(session.watch.workers):
        session.client.loop.add_callback(session.held.disconnect, address)
    error = future.exception(timeout=END_SECONDS)
    assert "the connection to the worker" in str(error) and not error.sure
    (tmp_path / "go").touch()
    assert chain.run(3, executor=executor).result is not None


@pytest.mark.usefixtures("long_held")
def test_a_worker_that_is_closed_in_order_takes_no_blame(nannied: Callable[..., Any], tmp_path: Path) -> None:
    """What was handed to it is made elsewhere, and no call is lost."""
    with nannied(2, 1) as cluster, DaskExecutor(cluster_class=cluster, debug=False).start() as started:
        session = connected(started)
        future = handed_over(started, tmp_path / "go")
        address = session.held.allotment.handed.calls[future.key].slot.address  # type: ignore[union-attr]
        session.client.retire_workers([address])
        (tmp_path / "go").touch()
        assert started.wait([future]) == [b""]


def test_what_waits_goes_by_the_scheduler_once_the_cluster_is_to_grow(
    executor: DaskExecutor, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """It may begin to adapt while calls wait here; they are what it grows by."""
    session = connected(executor)
    path = tmp_path / "go"
    futures = [submitted(executor, _waits_for, str(path)) for _ in range(6)]
    assert in_loop(session, lambda: len(session.held.allotment.waiting)) > 0
    monkeypatch.setattr(session.held.allotment, "queues", lambda: False)
    while in_loop(session, lambda: len(session.held.allotment.waiting)):
        time.sleep(0.05)  # the guard of the test run ends this if it never comes
    path.touch()
    assert executor.wait(futures) == [b""] * 6


def _waits_for(path: str) -> bytes:
    """Wait until there is a file, which does not take for ever, as executors are left in order."""
    end = time.monotonic() + END_SECONDS
    while not os.path.exists(path):
        if time.monotonic() > end:
            raise TimeoutError(path)
        time.sleep(0.01)
    return b""


@task
def large(number: int) -> bytes:
    """A value that stays where it is made."""
    return bytes([number]) * LARGE_BYTES


@task
def size(value: bytes) -> tuple[int, int]:
    """The first byte of a value, and how many there are."""
    return value[0], len(value)


@flow
def sizes(count: int) -> Any:
    """Large values, and what each of them has."""
    return [size(large(number)) for number in range(count)]


def test_a_large_value_of_a_call_that_was_handed_stays_on_its_worker(executor: DaskExecutor) -> None:
    """The scheduler has it as if it had sent the call."""
    session = connected(executor)
    executor.wait([submitted(executor, bytes, number) for number in range(2)])
    future: Any = submitted(executor, dict, [(1, b"x" * LARGE_BYTES)])
    assert executor.wait([future]) == [{1: b"x" * LARGE_BYTES}]
    assert future.type is dict
    assert session.client.who_has([future])[future.key]
    assert sizes.run(8, executor=executor).result == [(number, LARGE_BYTES) for number in range(8)]


def test_a_call_that_fails_where_it_was_handed_has_its_error(executor: DaskExecutor) -> None:
    """With the worker's traceback; and its slot is the scheduler's again."""
    connected(executor)
    executor.wait([submitted(executor, bytes, number) for number in range(2)])
    failed: Any = submitted(executor, int, "three")
    with pytest.raises(ValueError, match="three"):
        failed.result(timeout=END_SECONDS)
    assert executor.wait([submitted(executor, bytes, 3)]) == [bytes(3)]


@task(timeout=30)
def timed(number: int) -> int:
    """A call that is killed if it takes too long, so it goes by the scheduler."""
    return number


@task
def nap(number: int) -> int:
    """A call that may be handed over."""
    time.sleep(0.02)
    return number


@flow
def mixed(count: int) -> Any:
    """Calls of both kinds."""
    return [nap.map(range(count)), timed.map(range(count))]


def test_calls_of_both_kinds_share_the_slots(executor: DaskExecutor) -> None:
    """Those that are handed over, and those that go by the scheduler."""
    naps, times = mixed.run(30, executor=executor).result
    assert list(naps) == list(times) == list(range(30))


@pytest.mark.usefixtures("long_held")
def test_what_goes_by_the_scheduler_does_not_wait_for_what_is_handed(
    two: distributed.LocalCluster, executor: DaskExecutor, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """It has the first slot of its worker that is free, before any of the calls that waited in the driver."""
    monkeypatch.setattr(queue, "DRIVER_WAIT_SECONDS", END_SECONDS)  # so that they wait there
    session = connected(executor)
    handed = [handed_over(executor, tmp_path / name) for name in ("first", "second")]
    ends = {session.held.allotment.handed.calls[each.key].slot.address: each for each in handed}  # type: ignore[union-attr]
    begun = tmp_path / "begun"
    begun.mkdir()
    waiting = [submitted(executor, _touches, str(begun / str(number))) for number in range(4)]
    assert in_loop(session, lambda: len(session.held.allotment.waiting)) == 4
    late: Any = submitted(executor, _names_in, str(begun), task_timeout=END_SECONDS)
    address = worker_of(two, late.key)
    (tmp_path / ("first" if ends[address] is handed[0] else "second")).touch()
    assert late.result(timeout=END_SECONDS) == []
    for name in ("first", "second"):
        (tmp_path / name).touch()
    executor.wait([*handed, *waiting])
    assert _names_in(str(begun)) == ["0", "1", "2", "3"]


def worker_of(cluster: distributed.LocalCluster, key: str) -> str:
    """The worker that the scheduler has sent a call to, as soon as it has."""
    end = time.monotonic() + END_SECONDS
    while (call := cluster.scheduler.tasks.get(key)) is None or call.processing_on is None:
        assert time.monotonic() < end
        time.sleep(0.01)
    return str(call.processing_on.address)


def _names_in(folder: str) -> list[str]:
    """The names of the files in a folder."""
    return sorted(os.listdir(folder))


def test_other_users_of_a_cluster_have_their_turn(
    two: distributed.LocalCluster, executor: DaskExecutor
) -> None:
    """As soon as a call is over, however many of ours wait."""
    connected(executor)
    runs = []
    with distributed.Client(two, set_as_default=False) as other:
        thread = threading.Thread(target=lambda: runs.append(naps.run(1_000, executor=executor)))
        thread.start()
        for number in range(20):
            assert other.submit(pow, 2, number, pure=False).result(timeout=END_SECONDS) == 2**number
        assert thread.is_alive()  # it takes ten seconds of both slots, and more
        thread.join()
    assert runs[0].result == list(range(1_000))


@flow
def naps(count: int) -> Any:
    """So many single calls."""
    return [nap.with_options(batch=False)(number) for number in range(count)]


def test_what_is_cancelled_is_not_begun(executor: DaskExecutor, tmp_path: Path) -> None:
    """Whether it waits in the driver, was handed over, or went by the scheduler."""
    session = connected(executor)
    executor.wait([submitted(executor, bytes, number) for number in range(2)])
    running = [submitted(executor, _waits_for, str(tmp_path / "go")) for _ in range(2)]
    waiting = [submitted(executor, _touches, str(tmp_path / str(number))) for number in range(4)]
    in_loop(session, lambda: None)
    cancelled = executor.cancel([running, waiting])
    assert 4 <= cancelled <= 6  # one that went by the scheduler may not have begun
    assert all(future.cancelled() for future in waiting)
    (tmp_path / "go").touch()
    assert executor.wait([submitted(executor, bytes, 3)]) == [bytes(3)]
    assert {path.name for path in tmp_path.iterdir()} == {"go"}


def _touches(path: str) -> bytes:
    """Make a file."""
    Path(path).touch()
    return b""


def test_one_future_is_cancelled_by_itself(executor: DaskExecutor, tmp_path: Path) -> None:
    """Without a wait for a scheduler that never knew of it."""
    connected(executor)
    executor.wait([submitted(executor, bytes, number) for number in range(2)])
    running = [submitted(executor, _waits_for, str(tmp_path / "go")) for _ in range(2)]
    waiting = submitted(executor, _touches, str(tmp_path / "made"))
    began = time.monotonic()
    assert waiting.cancel()
    assert time.monotonic() - began < 4.0
    (tmp_path / "go").touch()
    executor.wait(running)
    assert not (tmp_path / "made").exists()


SECONDS_EACH = 20.0
"""How long calls are thought to run that wait for a file."""


@pytest.mark.usefixtures("long_held")
def test_what_went_ahead_comes_back_for_what_goes_by_the_scheduler(
    executor: DaskExecutor, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The slot that is free next is given back for it, and has nothing else to do before."""
    found, last = one_ahead(executor, monkeypatch, tmp_path, _waits_for, (_touches, str(tmp_path / "last")))
    session, first = session_of(executor), next(iter(found))
    timed_call = submitted(executor, _sees, str(tmp_path / "last"), task_timeout=END_SECONDS)
    while in_loop(session, session.held.allotment.handed.waiting):
        time.sleep(0.01)  # the guard of the test run ends this if it never comes back
    (tmp_path / first).touch()
    assert timed_call.result(timeout=END_SECONDS) is False
    for name in found:
        (tmp_path / name).touch()
    assert executor.wait([last]) == [b""]


def _sees(path: str) -> bool:
    """Whether there is a file."""
    return os.path.exists(path)


def running(handed: HandedCalls) -> set[str]:
    """The keys of those that are the first in their slots."""
    return set(handed.calls) - {call.key for call in handed.waiting()}


def one_ahead(
    executor: DaskExecutor,
    monkeypatch: pytest.MonkeyPatch,
    folder: Path,
    runs: Callable[[str], bytes],
    last: Any,
) -> tuple[dict[str, Any], Any]:
    """Two calls in the two slots, each of which waits for its file, by the name of that; and one behind one of them.

    It is the first name behind whose call it is. last: the function and the arguments of the call behind it.
    """
    monkeypatch.setattr(timing, "NEARLY_FREE_SHARE", 1e-3)
    session = hold(executor, 2)
    handed = session.held.allotment.handed
    found: dict[str, Any] = {
        name: submitted(executor, runs, str(folder / name), task_seconds=SECONDS_EACH) for name in "ab"
    }
    assert in_loop(session, lambda: running(handed)) == {each.key for each in found.values()}
    future: Any = submitted(executor, *last, task_seconds=SECONDS_EACH)
    end = time.monotonic() + END_SECONDS
    while [each.key for each in in_loop(session, handed.waiting)] != [future.key]:
        assert time.monotonic() < end
        time.sleep(0.01)
    slot = handed.calls[future.key].slot
    before = next(name for name, each in found.items() if handed.calls[each.key].slot is slot)
    return {name: found[name] for name in sorted(found, key=lambda name: name != before)}, future


@pytest.mark.usefixtures("long_held")
def test_a_call_that_went_ahead_is_made_where_it_is(
    executor: DaskExecutor, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """In the slot that it was handed to, as soon as that is free."""
    found, last = one_ahead(executor, monkeypatch, tmp_path, _waits_for, (_touches, str(tmp_path / "last")))
    first, other = found
    (tmp_path / first).touch()
    assert executor.wait([found[first], last]) == [b"", b""] and (tmp_path / "last").exists()
    (tmp_path / other).touch()
    executor.wait([found[other]])


@pytest.mark.usefixtures("long_held")
def test_a_call_that_went_ahead_is_made_by_a_slot_that_is_free_first(
    executor: DaskExecutor, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Though the one before it goes on for long."""
    found, last = one_ahead(executor, monkeypatch, tmp_path, _waits_for, (_touches, str(tmp_path / "last")))
    first, other = found
    (tmp_path / other).touch()
    assert executor.wait([last]) == [b""] and not found[first].done()
    (tmp_path / first).touch()
    executor.wait([found[first]])


@pytest.mark.usefixtures("long_held")
def test_a_call_that_went_ahead_and_is_cancelled_is_not_begun(
    executor: DaskExecutor, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The one before it comes to its end."""
    found, last = one_ahead(executor, monkeypatch, tmp_path, _waits_for, (_touches, str(tmp_path / "last")))
    assert executor.cancel([last]) == 1 and last.cancelled()
    for name in found:
        (tmp_path / name).touch()
    assert executor.wait(list(found.values())) == [b"", b""]
    assert executor.wait([submitted(executor, bytes, 3)]) == [bytes(3)]
    assert not (tmp_path / "last").exists()


@pytest.mark.usefixtures("long_held")
def test_a_call_that_went_ahead_of_one_that_ends_its_worker_is_made_elsewhere(
    executor: DaskExecutor, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """It is not lost. Of the two in that slot nobody knows for sure which it was."""
    found, last = one_ahead(executor, monkeypatch, tmp_path, _ends_at, (_touches, str(tmp_path / "last")))
    first, other = found
    (tmp_path / first).touch()
    error = found[first].exception(timeout=END_SECONDS)
    assert type(error).__name__ == "WorkerLostError" and not error.sure
    assert "had it in its queue" in str(error)
    assert executor.wait([last]) == [b""]
    (tmp_path / other).touch()
    assert type(found[other].exception(timeout=END_SECONDS)).__name__ == "WorkerLostError"


def _ends_at(path: str) -> bytes:
    """End the worker once there is a file."""
    _waits_for(path)
    os._exit(3)


@pytest.mark.parametrize("in_order", [True, False])
@pytest.mark.usefixtures("long_held")
def test_a_call_that_went_ahead_is_not_begun_when_the_executor_is_left(
    two: distributed.LocalCluster, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, in_order: bool
) -> None:
    """As any other that waits."""

    def leaves() -> None:
        with DaskExecutor(cluster_class=two, debug=False).start() as started:
            last = (_touches, str(tmp_path / "last"))
            found, _ = one_ahead(started, monkeypatch, tmp_path, _waits_for, last)
            if not in_order:
                raise KeyError
            for name in found:
                threading.Timer(0.5, (tmp_path / name).touch).start()

    if in_order:
        leaves()
    else:
        with pytest.raises(KeyError):
            leaves()
    with distributed.Client(two, set_as_default=False) as other:
        assert other.submit(pow, 2, 3, pure=False).result(timeout=END_SECONDS) == 8
    assert not (tmp_path / "last").exists()


def test_nothing_is_held_once_the_executor_is_left(two: distributed.LocalCluster) -> None:
    """Workers have forgotten the driver, and their threads are free."""
    with DaskExecutor(cluster_class=two, debug=False).start() as started:
        connected(started)
        assert chain.run(5, executor=started).state is not TaskState.FAILED
    with distributed.Client(two, set_as_default=False) as other:
        end = time.monotonic() + END_SECONDS
        while any(_left_on(other).values()):
            assert time.monotonic() < end
            time.sleep(0.05)


def _left_on(client: distributed.Client) -> dict[str, list[str]]:
    """What each worker has of drivers."""

    def look(dask_worker: Any) -> list[str]:
        handlers = [name for name in dask_worker.handlers if name.startswith("turgo-")]
        return [*handlers, *getattr(dask_worker, "turgo_slots", {}), *dask_worker.state.tasks]

    found: dict[str, list[str]] = client.run(look)
    return found


def test_without_connections_all_goes_by_the_scheduler(
    two: distributed.LocalCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where workers cannot be reached from the driver."""

    async def refused(self: Streams, address: str) -> Any:
        raise OSError(address)

    monkeypatch.setattr(Streams, "_opened", refused)
    with DaskExecutor(cluster_class=two, debug=False).start() as started:
        answered = in_answers(session_of(started))
        assert len(chain.run(5, executor=started).result) == 5
        assert naps.run(20, executor=started).result == list(range(20))
        assert not answered


def test_a_slot_is_the_scheduler_s_again_after_its_time(
    executor: DaskExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that nobody whom the scheduler keeps waiting waits for ever."""
    monkeypatch.setattr(policy, "HELD_SECONDS", 0.0)
    session = connected(executor)
    sent, send = [], session.held.allotment._send

    def noted(call: Any) -> None:
        sent.append(call.key)
        send(call)

    monkeypatch.setattr(session.held.allotment, "_send", noted)
    assert naps.run(40, executor=executor).result == list(range(40))
    assert len(sent) >= 20  # else two would do, one for each slot
    assert (
        in_loop(session, session.held.allotment.table.free_slots) == [] and not session.held.allotment.waiting
    )


def test_calls_wait_in_the_driver_until_a_slot_is_free(executor: DaskExecutor) -> None:
    """The scheduler never has more of them than there are slots."""
    session = connected(executor)
    most, place_call = [0], session.held.allotment.place

    def noted(call: Any) -> None:
        place_call(call)
        most.append(2 - session.held.allotment.table.spare)

    session.held.allotment.place = noted  # type: ignore[method-assign]
    assert naps.run(60, executor=executor).result == list(range(60))
    assert max(most) <= 2


def test_a_call_that_secedes_holds_no_slot(executor: DaskExecutor) -> None:
    """Its thread is none of the worker's slots any more, and ends with it."""
    assert seceding.run(6, executor=executor).result == list(range(6))


@task
def secedes(number: int) -> int:
    """Leave the slot to others."""
    distributed.secede()
    return number


@flow
def seceding(count: int) -> Any:
    """So many of them, one after the other."""
    return [secedes.with_options(batch=False)(number) for number in range(count)]


@pytest.mark.parametrize("in_order", [True, False])
@pytest.mark.usefixtures("long_held")
def test_a_call_that_was_handed_ends_as_others_do_when_the_executor_is_left(
    two: distributed.LocalCluster, tmp_path: Path, in_order: bool
) -> None:
    """In order it comes to its end; after an error it is interrupted."""

    def leaves() -> None:
        with DaskExecutor(cluster_class=two, debug=False).start() as started:
            handed_over(started, tmp_path / "go")
            submitted(started, _touches, str(tmp_path / "other"))
            if in_order:
                threading.Timer(0.5, (tmp_path / "go").touch).start()
            else:
                raise KeyError

    began = time.monotonic()
    if in_order:
        leaves()
        assert (tmp_path / "go").exists()
    else:
        with pytest.raises(KeyError):
            leaves()
        assert time.monotonic() - began < END_SECONDS
        with distributed.Client(two, set_as_default=False) as other:
            assert other.submit(pow, 2, 3, pure=False).result(timeout=END_SECONDS) == 8


def test_what_a_call_that_comes_next_takes_goes_by_the_scheduler(executor: DaskExecutor) -> None:
    """It would not know of it else."""
    session = connected(executor)
    answered = in_answers(session)
    executor.wait([submitted(executor, bytes, number) for number in range(2)])
    for _ in range(20):
        first = submitted(executor, bytes, 3, task_stays=True)
        assert executor.wait([submitted(executor, len, first)]) == [3]
    assert not answered


def test_on_many_slots_calls_wait_at_the_scheduler(
    executor: DaskExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a cluster that adapts itself to what waits there."""
    monkeypatch.setattr(policy, "MOST_SLOTS", 1)
    session = connected(executor)
    assert naps.run(30, executor=executor).result == list(range(30))
    monkeypatch.undo()
    monkeypatch.setattr(session.held.allotment, "queues", lambda: False)
    assert naps.run(30, executor=executor).result == list(range(30))
    assert not session.held.allotment.waiting
