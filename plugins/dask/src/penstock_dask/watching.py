"""Watching a cluster while it is used: workers that come and go, calls that wait for one, a scheduler that is gone.

One thread for each started executor asks the scheduler every other second. It costs the scheduler one small answer.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping

import attrs
import distributed
from distributed.comm import CommClosedError

from penstock.executor import ExecutorEvent
from penstock_dask.future import DESERTED, LOST_SCHEDULER, DaskFuture
from penstock_dask.wishes import Wishes

logger = logging.getLogger("penstock_dask")

INTERVAL = 2.0
"""Seconds between two looks at a cluster."""

GRACE = 5.0
"""Seconds that calls wait for a worker that suits them before it is told of."""

WARNINGS = frozenset({"waiting", "versions_differ", "scheduler_lost"})
"""What is to be acted on; the other kinds of events are news."""


@attrs.define
class _Without:
    """A time without any worker. since: when it was first seen that calls wait for one; told: whether it is told."""

    since: float | None = None
    told: bool = False


class Watch:
    """Knows how many slots a cluster has, and what happened to it.

    inspect: says what is wrong with workers that came later; fail: gives calls up.
    workers_timeout: seconds that calls wait while there is no worker at all; None for ever.
    deserted: why no calls are taken, once they waited for so long; until a worker comes.
    wishes: of the calls that not every worker suits.
    """

    def __init__(
        self,
        client: distributed.Client,
        *,
        resources_timeout: float | None,
        workers_timeout: float | None,
        scheduler_timeout: float,
        inspect: Callable[[list[str]], list[str]],
        fail: Callable[[list[DaskFuture], Exception], None],
    ) -> None:
        self.client, self.inspect = client, inspect
        self.workers_timeout, self.scheduler_timeout = workers_timeout, scheduler_timeout
        self.events: deque[ExecutorEvent] = deque(maxlen=1000)
        self.workers: Mapping[str, int] = {}
        self.deserted: str | None = None
        self._without = _Without()
        self.wishes = Wishes(resources_timeout, self.tell, fail)
        self._answered = time.monotonic()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="penstock-dask-watch", daemon=True)

    def start(self) -> None:
        """Begin; the workers that are there now are no news."""
        self.workers = dict(self.client.nthreads())
        self._thread.start()

    def stop(self) -> None:
        """End, within the time that one answer may take."""
        self._stop.set()
        self._thread.join(INTERVAL)

    @property
    def slots(self) -> int:
        """Threads of all workers, as last seen; at least 1."""
        return max(1, sum(self.workers.values()))

    def tell(self, kind: str, message: str, *, worker: str | None = None, link: str | None = None) -> None:
        """Put down what happened, for the log and for those who watch a run."""
        logger.log(logging.WARNING if kind in WARNINGS else logging.INFO, "%s", message)
        self.events.append(ExecutorEvent(kind, message, worker, link))

    def _run(self) -> None:
        while not self._stop.wait(INTERVAL):
            try:
                self._look()
            except (OSError, TimeoutError, CommClosedError) as error:
                self._silent(error)
            except Exception:
                if not self._stop.is_set() and self.client.status == "running":
                    logger.warning("the cluster could not be looked at", exc_info=True)

    def _look(self) -> None:
        if self.client.status != "running":
            self.client.loop.add_callback(self._give_up)
            return
        workers = self.client.sync(self.client.scheduler.ncores, callback_timeout=INTERVAL * 2)
        self._answered = time.monotonic()
        self._compare(dict(workers))
        self._check_any_workers()
        if self.wishes.pending():
            told = self.client.sync(
                self.client.scheduler.identity, n_workers=-1, callback_timeout=INTERVAL * 2
            )
            self.wishes.check(told["workers"], GRACE)

    def _silent(self, error: Exception) -> None:
        """The scheduler does not answer. A connection that is only open is cut after a while: that ends all waits."""
        quiet = time.monotonic() - self._answered
        if quiet < self.scheduler_timeout or self.client.status != "running" or self._stop.is_set():
            return
        self.tell("scheduler_lost", f"the scheduler has not answered for {quiet:.0f} s: {error}")
        comm = getattr(self.client.scheduler_comm, "comm", None)
        if comm is not None:
            self.client.loop.add_callback(comm.abort)

    async def _give_up(self) -> None:
        """End the wait for calls that were sent just as the connection broke; runs in the client's event loop."""
        for state in list(self.client.futures.values()):
            if state.status == "pending":
                state.cancel(reason=LOST_SCHEDULER)

    def _compare(self, workers: dict[str, int]) -> None:
        before, self.workers = self.workers, workers
        for address in workers.keys() - before.keys():
            self.tell(
                "worker_arrived", f"a worker arrived: {address}, {workers[address]} threads", worker=address
            )
        newcomers = sorted(workers.keys() - before.keys())
        if newcomers:
            self.wishes.refused.clear()
        for difference in self.inspect(newcomers) if newcomers else ():
            self.tell("versions_differ", f"dask: {difference}")
        for address in before.keys() - workers.keys():
            left = f"{len(workers)} left" if workers else "none is left"
            self.tell("worker_left", f"the worker {address} is gone, {left}", worker=address)

    def _check_any_workers(self) -> None:
        """Give up calls that have waited too long while there was no worker at all."""
        if self.workers:
            self._without, self.deserted = _Without(), None
            return
        pending = [key for key, state in list(self.client.futures.items()) if state.status == "pending"]
        if not pending:
            self._without.since = None
            return
        now, limit = time.monotonic(), self.workers_timeout
        self._without.since = self._without.since or now
        waited = now - self._without.since
        if waited >= GRACE and not self._without.told:
            self._without.told = True
            until = "" if limit is None else f"; the run ends after {limit:g} s (resources_timeout)"
            self.tell("waiting", f"calls wait for a worker, and there is none{until}")
        if limit is not None and waited >= limit:
            self.deserted = f"no worker has been there for {waited:.0f} s, and none is in sight"
            futures = [distributed.Future(key, self.client) for key in pending]
            self.client.cancel(futures, reason=DESERTED, msg=self.deserted)
