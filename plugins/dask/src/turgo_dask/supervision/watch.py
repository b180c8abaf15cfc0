"""Watches a cluster in use. It checks workers, calls that wait for one, the loss of its scheduler.

One thread for each started executor asks the scheduler every other second, which costs it one small answer.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

import attrs
import distributed
from distributed.comm import CommClosedError

from turgo_dask.calls.deaths import Deaths, why_lost
from turgo_dask.calls.future import ABANDONED, LOST_SCHEDULER, DaskFuture
from turgo_dask.supervision.comings import Comings
from turgo_dask.supervision.unmet import UnmetPlacements

logger = logging.getLogger("turgo_dask")

LOOK_INTERVAL_SECONDS = 2.0
"""Seconds between two looks at a cluster."""

UNMET_REPORT_SECONDS = 5.0
"""Seconds that calls wait for a worker that may run them before the wait is reported."""


@attrs.define
class _NoWorkers:
    """A time without any worker. since: when it was first seen that calls wait for one."""

    since: float | None = None
    reported: bool = False


def is_usable(worker: Mapping[str, Any]) -> bool:
    """Whether a worker, as the scheduler describes it, runs a call or would begin one: it is not paused or closing."""
    counts = worker.get("metrics", {}).get("task_counts", {})
    return worker.get("status", "running") == "running" or bool(counts.get("executing"))


class Watch:
    """Counts the slots of a cluster, and reports what happens to it.

    report: records an event; inspect: compares the versions of workers that came later; fail: ends calls with an error.
    deaths: what workers had that died.
    workers_timeout: seconds that calls wait while there is no worker at all; None for ever.
    abandoned: why calls are refused, once they have waited for so long, until a worker comes.
    hindrance: why no call begins, as last seen.
    unmet: the calls that not every worker may run.
    """

    def __init__(
        self,
        client: distributed.Client,
        *,
        report: Callable[..., None],
        resources_timeout: float | None,
        workers_timeout: float | None,
        scheduler_timeout: float,
        inspect: Callable[[list[str]], list[str]],
        fail: Callable[[list[DaskFuture], Exception], None],
        deaths: Deaths,
    ) -> None:
        self.client = client
        self.deaths = deaths
        self.report = report
        self.inspect = inspect
        self.workers_timeout = workers_timeout
        self.scheduler_timeout = scheduler_timeout
        self.workers: Mapping[str, int] = {}
        self.comings = Comings(report)
        self.abandoned: str | None = None
        self.hindrance: str | None = None
        self._no_workers = _NoWorkers()
        self.unmet = UnmetPlacements(resources_timeout, report, fail)
        self._answered = time.monotonic()
        self._pending: frozenset[str] = frozenset()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="turgo-dask-watch", daemon=True)

    def start(self) -> None:
        """Begin; the workers that are there now are no news."""
        self.workers = dict(self.client.nthreads())
        self.comings.start(self.workers)
        self._thread.start()

    def stop(self, seconds: float | None = None) -> None:
        """End, within the time that one answer may take, or without waiting longer than `seconds` for that."""
        self._stop.set()
        self._thread.join(LOOK_INTERVAL_SECONDS if seconds is None else seconds)

    @property
    def slots(self) -> int:
        """Threads of all workers, as last seen; at least 1."""
        return max(1, sum(self.workers.values()))

    def _run(self) -> None:
        while not self._stop.wait(LOOK_INTERVAL_SECONDS):
            try:
                self._look()
            except (OSError, TimeoutError, CommClosedError) as error:
                self._silent(error)
            except Exception:
                if not self._stop.is_set() and self.client.status == "running":
                    logger.warning("the cluster could not be looked at", exc_info=True)
        self.comings.tell_loop(lambda worker: "")  # the scheduler may be gone

    def _look(self) -> None:
        if self.client.status != "running":
            self.client.loop.add_callback(self._give_up)
            return
        workers = self.client.sync(self.client.scheduler.ncores, callback_timeout=LOOK_INTERVAL_SECONDS * 2)
        self._answered = time.monotonic()
        self._compare(dict(workers))
        self.comings.tell_loop(self._why)
        pending = frozenset(
            key for key, each in list(self.client.futures.items()) if each.status == "pending"
        )
        described = self._described() if self.unmet.pending() or self._stalled(pending) else None
        usable = (
            dict(workers) if described is None else {each for each in described if is_usable(described[each])}
        )
        self._check_any_workers(pending, len(workers), len(usable))
        if described is not None and self.unmet.pending():
            self.unmet.check({each: described[each] for each in usable}, UNMET_REPORT_SECONDS)

    def _described(self) -> Mapping[str, Mapping[str, Any]]:
        """The workers, as the scheduler describes them: a larger answer, so it is not asked for at each look."""
        identity = self.client.sync(
            self.client.scheduler.identity, n_workers=-1, callback_timeout=LOOK_INTERVAL_SECONDS * 2
        )
        found: Mapping[str, Mapping[str, Any]] = identity["workers"]
        return found

    def _stalled(self, pending: frozenset[str]) -> bool:
        """Whether calls are pending, and they are the same as at the last look."""
        before, self._pending = self._pending, pending
        return bool(pending) and pending == before

    def _silent(self, error: Exception) -> None:
        """The scheduler does not answer. After `scheduler_timeout` its connection is cut, which ends all waits."""
        quiet = time.monotonic() - self._answered
        if quiet < self.scheduler_timeout or self.client.status != "running" or self._stop.is_set():
            return
        self.report("scheduler_lost", f"the scheduler has not answered for {quiet:.0f} s: {error}")
        comm = getattr(self.client.scheduler_comm, "comm", None)
        if comm is not None:
            self.client.loop.add_callback(comm.abort)

    async def _give_up(self) -> None:
        """End the wait for calls that were submitted as the connection broke; runs in the client's event loop."""
        for state in list(self.client.futures.values()):
            if state.status == "pending":
                state.cancel(reason=LOST_SCHEDULER)

    def _compare(self, workers: dict[str, int]) -> None:
        before, self.workers = self.workers, workers
        self.comings.seen(before.keys() & workers.keys(), before.keys() | workers.keys())
        newcomers = sorted(workers.keys() - before.keys())
        if newcomers:
            self.unmet.refused.clear()
        for difference in self.inspect(newcomers) if newcomers else ():
            self.report("versions_differ", f"dask: {difference}")

    def _why(self, worker: str) -> str:
        """Why a worker has ended, as far as it, its nanny or its calls let know."""
        reason = why_lost(self.client, worker)
        had = self.deaths.calls_of(worker)
        return reason or (f"it had calls of {', '.join(had)}" if had else "")

    def _check_any_workers(self, pending: frozenset[str], count: int, usable: int) -> None:
        """Cancel calls that have waited too long while there was no worker, or none that begins calls."""
        if usable:
            self._no_workers = _NoWorkers()
            self.abandoned = None
            self.hindrance = None
            return
        self.hindrance = (
            f"of {count} workers none begins any call: they are paused or closing"
            if count
            else "there is no worker"
        )
        if not pending:
            self._no_workers.since = None
            return
        now, limit = time.monotonic(), self.workers_timeout
        self._no_workers.since = self._no_workers.since or now
        waited = now - self._no_workers.since
        if waited >= UNMET_REPORT_SECONDS and not self._no_workers.reported:
            self._no_workers.reported = True
            until = "" if limit is None else f"; the run ends after {limit:g} s (resources_timeout)"
            self.report("waiting", f"calls wait, as {self.hindrance}{until}")
        if limit is not None and waited >= limit:
            self.abandoned = f"no worker has been there for {waited:.0f} s, and none is in sight"
            futures = [distributed.Future(key, self.client) for key in pending]
            self.client.cancel(futures, reason=ABANDONED, msg=self.abandoned)
