"""Ends a cluster that cannot be closed. Its start hangs, has failed, or was ended.

    cancel its start ──> close its scheduler and workers ──> stop the loops ──> kill what nannies have started

A SpecCluster would wait for its start for ever, or do nothing at all. The close of other clusters is called.
"""

from __future__ import annotations

import asyncio
import inspect
import socket
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Any

import distributed
from distributed.comm import get_address_host_port
from distributed.core import rpc
from distributed.deploy import SpecCluster
from distributed.utils import LoopRunner, sync

from turgo_dask.cluster.nanny import kill_with_descendants

TEARDOWN_STEP_SECONDS = 0.7
"""How long each step may take."""

SCHEDULER_END_SECONDS = 4.0
"""How long a scheduler on another host may take to come up, and then to hear that it is to end: openssh may refuse to
kill it."""

LAST_WORD_SECONDS = 10.0
"""How long one that has not heard in time may take to hear it the second time, once all else is closed."""

LOOP_ANSWER_SECONDS = 12.0
"""How long a loop may take to close the pieces in it. One that computes nothing needs two steps; on a machine that has
more to do than it can, it first has to get a turn, or processes would be left."""


def end(clusters: Sequence[Any], runner: LoopRunner, thread: threading.Thread | None = None) -> None:
    """End the clusters, and the loop of `runner`, within some seconds. thread: in which they are started."""
    specs = [each for each in clusters if isinstance(each, SpecCluster)]
    closing = [
        threading.Thread(target=_close, args=[each], daemon=True) for each in clusters if each not in specs
    ]
    for each in closing:
        each.start()
    unheard = [cluster for cluster in specs if not _end_pieces(cluster)]
    if thread is not None and thread.is_alive():
        thread.join(TEARDOWN_STEP_SECONDS)  # it waits for the loops that are stopped now
    processes = set(_processes_of(specs))
    for each in (*(getattr(cluster, "_loop_runner", None) for cluster in specs), runner):
        with suppress(TimeoutError):  # something in it does not let go
            if each is not None:
                each.stop(timeout=TEARDOWN_STEP_SECONDS)  # so that nothing is begun anew
    _kill(processes | set(_processes_of(specs)))
    for cluster in specs:
        cluster.status = (
            distributed.Status.closed
        )  # its start, in a thread of its own, may have set another since
        levels = getattr(cluster, "_SpecCluster__exit_stack", None)
        if levels is not None:
            levels.close()  # those of the loggers are as they were
    _say_again(unheard)
    deadline = time.monotonic() + TEARDOWN_STEP_SECONDS
    for each in closing:
        each.join(max(0.0, deadline - time.monotonic()))


def kill_begun(cluster: SpecCluster) -> None:
    """Kill the processes that its nannies have begun. Their loop has been stopped, so that none begins another."""
    _kill(list(_processes_of([cluster])))


def loop_of(cluster: Any) -> Any:
    """The loop that a cluster runs in; None if it has none yet, or hides it."""
    return getattr(getattr(cluster, "_loop_runner", None), "_loop", None)


async def result_of(awaitable: Any) -> Any:
    """What it gives, for `sync`."""
    return await awaitable


def _close(cluster: Any) -> None:
    closing = cluster.close() if hasattr(cluster, "close") else None
    if inspect.isawaitable(closing):
        sync(cluster.loop, result_of, closing)


def _end_pieces(cluster: SpecCluster) -> bool:
    """End its start, its scheduler and its workers; whether no scheduler elsewhere has still to hear of it."""
    loop = loop_of(cluster)
    if loop is None or cluster.status is distributed.Status.closed:
        return True
    cluster.status = distributed.Status.closed  # else it would wait for its start, or warn that it is open
    heard = here = isinstance(cluster.scheduler, distributed.Scheduler)
    with suppress(Exception):
        heard = sync(loop, _close_pieces, cluster, callback_timeout=LOOP_ANSWER_SECONDS)
    return here or heard


async def _close_pieces(cluster: SpecCluster) -> bool:
    """Cancel its start; close its scheduler and its workers. Nannies are killed in the end.

    Gives whether a scheduler elsewhere, if there is one, has heard that it is to end.
    """
    here = isinstance(cluster.scheduler, distributed.Scheduler)
    heard = here or await _end_scheduler(cluster)  # first: a start that is cancelled stops its loop
    for task in asyncio.all_tasks():
        frame = getattr(task.get_coro(), "cr_frame", None)
        if frame is not None and frame.f_locals.get("self") is cluster:
            task.cancel()
    pieces = [each for each in [*cluster._created, cluster.scheduler] if hasattr(each, "close")]
    pieces = [each for each in pieces if not isinstance(each, distributed.Nanny)]
    for _ in range(2):  # the second time what was just about to begin
        closing = [asyncio.ensure_future(_close_piece(each)) for each in pieces]
        if closing:
            await asyncio.wait(closing, timeout=TEARDOWN_STEP_SECONDS * 0.9)
    return heard


async def _end_scheduler(cluster: SpecCluster) -> bool:
    """End a scheduler elsewhere; whether it has heard. Workers that come up later find none, and end.

    One that is just starting is killed; what cannot be killed is waited for, in limited time. The start goes on
    meanwhile, and begins no workers.
    """
    cluster.worker_spec = {}
    process = getattr(cluster.scheduler, "proc", None)  # by ssh
    with suppress(Exception):  # the connection may be gone
        if cluster.scheduler_comm is None and process is not None:
            process.kill()
    end = time.monotonic() + SCHEDULER_END_SECONDS
    while cluster.scheduler_comm is None and getattr(process, "returncode", None) is None:
        if time.monotonic() > end:
            return False
        await asyncio.sleep(0.05)
    try:
        await asyncio.wait_for(cluster.scheduler_comm.terminate(), SCHEDULER_END_SECONDS)
    except TimeoutError:
        return False
    except Exception:  # noqa: BLE001  (it is gone, and says no more)
        return True
    return True


def _say_again(clusters: Sequence[SpecCluster]) -> None:
    """Tell their schedulers to end, each by a connection and a loop of its own: the cluster's loop has stopped."""
    telling = [
        threading.Thread(target=_say_last, args=[cluster.scheduler_comm], daemon=True)
        for cluster in clusters
        if cluster.scheduler_comm is not None
    ]
    for each in telling:
        each.start()
    for each in telling:
        each.join()


def _say_last(connection: rpc) -> None:
    async def say() -> None:
        async with rpc(connection.address, connection_args=connection.connection_args) as scheduler:
            await asyncio.wait_for(scheduler.terminate(), LAST_WORD_SECONDS)

    with suppress(Exception):  # it is gone, or has ended before it could say so
        where = get_address_host_port(connection.address)
        # Fails at once where nobody listens any more.
        socket.create_connection(where, LAST_WORD_SECONDS).close()
        asyncio.run(say())


async def _close_piece(piece: Any) -> None:
    closing = piece.close()  # here, as a loop that stops may come before the first step of its task
    if inspect.isawaitable(closing):
        await closing


def _processes_of(clusters: Iterable[SpecCluster]) -> Iterator[Any]:
    """The processes that nannies have begun, or are just beginning, in threads of distributed's."""
    nannies = [each for cluster in clusters for each in list(getattr(cluster, "_created", ()))]
    for nanny in nannies:
        begun = getattr(getattr(nanny, "process", None), "process", None)
        if isinstance(nanny, distributed.Nanny) and begun is not None and begun._process is not None:
            yield begun._process


def _kill(processes: Iterable[Any]) -> None:
    deadline = time.monotonic() + LOOP_ANSWER_SECONDS  # one that is just beginning has no number yet
    for process in processes:
        while process.pid is None and time.monotonic() < deadline:
            time.sleep(0.01)
        if process.pid is not None:
            kill_with_descendants(process.pid)
            process.join(TEARDOWN_STEP_SECONDS)
