"""Calls whose tags no present worker meets. Keeps since when they wait, and when they fail.

submitted ──> add ──> check, with the scheduler's list of workers
                         ├── some worker meets them: forgotten
                         ├── after some seconds: reported once
                         └── after `resources_timeout`: they fail, and later ones like them at once
"""

from __future__ import annotations

import threading
import time
import weakref
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import attrs

from turgo.errors import RequirementError
from turgo.futures import find
from turgo_dask.calls.future import DaskFuture
from turgo_dask.calls.tags import Placement


@attrs.define
class _Waiting:
    """The calls with one placement. since: when it was first seen that no worker meets it."""

    futures: weakref.WeakSet[DaskFuture] = attrs.field(factory=weakref.WeakSet)
    since: float | None = None
    reported: bool = False


class UnmetPlacements:
    """Keeps the calls that not every worker may run, reports those that none may, and fails them in the end.

    timeout: seconds that such calls wait; None for ever (`resources_timeout`).
    report: records an event; fail: ends calls with an error.
    refused: placements of which calls are refused, with the reason, until another worker comes.
    """

    def __init__(
        self,
        timeout: float | None,
        report: Callable[..., None],
        fail: Callable[[list[DaskFuture], Exception], None],
    ) -> None:
        self.timeout = timeout
        self.report = report
        self.fail = fail
        self.refused: dict[Placement, str] = {}
        self._waiting: dict[Placement, _Waiting] = {}
        self._lock = threading.Lock()

    def add(self, placement: Placement, future: DaskFuture) -> None:
        """Keep a submitted call that not every worker may run."""
        with self._lock:
            self._waiting.setdefault(placement, _Waiting()).futures.add(future)

    def add_dependent(self, args: Any, future: DaskFuture) -> None:
        """Keep a submitted call that depends on a kept one: it fails with it. Costs nothing while none is kept."""
        if not self._waiting:
            return
        before = {id(each) for each in find(args, "args")}
        with self._lock:
            for waiting in self._waiting.values():
                if any(id(each) in before for each in waiting.futures):
                    waiting.futures.add(future)

    def pending(self) -> bool:
        """Whether a kept call is pending; placements without one are forgotten."""
        with self._lock:
            for placement, waiting in list(self._waiting.items()):
                if not any(future.status == "pending" for future in list(waiting.futures)):
                    del self._waiting[placement]
            return bool(self._waiting)

    def check(self, workers: Mapping[str, Mapping[str, Any]], report_after: float) -> None:
        """Compare with the scheduler's description of its workers. report_after: seconds until a wait is reported."""
        with self._lock:
            kept = list(self._waiting.items())
        for placement, waiting in kept:
            if not workers or any(placement.allows(address, worker) for address, worker in workers.items()):
                waiting.since = None
            else:
                self._consider(placement, waiting, workers, report_after)

    def _consider(
        self,
        placement: Placement,
        waiting: _Waiting,
        workers: Mapping[str, Mapping[str, Any]],
        report_after: float,
    ) -> None:
        now = time.monotonic()
        waiting.since = waiting.since or now
        waited = now - waiting.since
        message = f"calls ask for {placement}, which no worker offers: {_offers(workers)}"
        if waited >= report_after and not waiting.reported:
            waiting.reported = True
            until = (
                "" if self.timeout is None else f"; they fail after {self.timeout:g} s (resources_timeout)"
            )
            self.report("waiting", f"{message}{until}")
        if self.timeout is not None and waited >= self.timeout:
            lost = [future for future in list(waiting.futures) if future.status == "pending"]
            self.refused[placement] = f"{message}, for {waited:.0f} s"
            self.fail(lost, RequirementError(self.refused[placement], missing=[str(placement)]))


def _offers(workers: Mapping[str, Mapping[str, Any]]) -> str:
    """What the workers offer, those with the same counted together."""
    offers: Counter[str] = Counter()
    for worker in workers.values():
        resources = sorted((worker.get("resources") or {}).items())
        offers[", ".join(f"{key}={amount:g}" for key, amount in resources) or "nothing"] += 1
    counted = [f"{count} {'offers' if count == 1 else 'offer'} {has}" for has, count in offers.items()]
    return f"of {len(workers)} workers " + ", ".join(counted[:5])
