"""Calls that not every worker suits, while they wait: what they wish for, since when, and what becomes of them."""

from __future__ import annotations

import threading
import time
import weakref
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import attrs

from penstock.errors import RequirementError
from penstock.futures import find
from penstock_dask.future import DaskFuture
from penstock_dask.tags import Wish


@attrs.define
class _Unmet:
    """A wish that calls wait with. since: when it was first seen that no worker meets it; told: whether it is told."""

    futures: weakref.WeakSet[DaskFuture] = attrs.field(factory=weakref.WeakSet)
    since: float | None = None
    told: bool = False


class Wishes:
    """Knows which wishes of calls no worker meets, tells of them, and gives the calls up in the end.

    timeout: seconds that calls wait for a worker that suits them; None for ever (`resources_timeout`).
    tell: puts down what happened; fail: gives calls up.
    refused: for which wishes no calls are taken, since some waited too long, and why; until a worker comes.
    """

    def __init__(
        self,
        timeout: float | None,
        tell: Callable[..., None],
        fail: Callable[[list[DaskFuture], Exception], None],
    ) -> None:
        self.timeout, self.tell, self.fail = timeout, tell, fail
        self.refused: dict[Wish, str] = {}
        self._unmet: dict[Wish, _Unmet] = {}
        self._lock = threading.Lock()

    def expect(self, wish: Wish, future: DaskFuture) -> None:
        """A call was sent that not every worker suits."""
        with self._lock:
            self._unmet.setdefault(wish, _Unmet()).futures.add(future)

    def expect_after(self, args: Any, future: DaskFuture) -> None:
        """A call was sent that may follow one of those: it fails with it. Costs nothing while there are none."""
        if not self._unmet:
            return
        before = {id(each) for each in find(args, "args")}
        with self._lock:
            for unmet in self._unmet.values():
                if any(id(each) in before for each in unmet.futures):
                    unmet.futures.add(future)

    def pending(self) -> bool:
        """Whether a call is pending that not every worker suits; what is over is forgotten."""
        with self._lock:
            for wish, unmet in list(self._unmet.items()):
                if not any(future.status == "pending" for future in list(unmet.futures)):
                    del self._unmet[wish]
            return bool(self._unmet)

    def check(self, workers: Mapping[str, Mapping[str, Any]], grace: float) -> None:
        """Compare with what the scheduler says of its workers; `grace` seconds pass before anything is told of."""
        with self._lock:
            waiting = list(self._unmet.items())
        for wish, unmet in waiting:
            if not workers or any(wish.is_met_by(address, worker) for address, worker in workers.items()):
                unmet.since = None
            else:
                self._consider(wish, unmet, workers, grace)

    def _consider(
        self, wish: Wish, unmet: _Unmet, workers: Mapping[str, Mapping[str, Any]], grace: float
    ) -> None:
        now = time.monotonic()
        unmet.since = unmet.since or now
        waited = now - unmet.since
        message = f"calls ask for {wish}, which no worker offers: {_offers(workers)}"
        if waited >= grace and not unmet.told:
            unmet.told = True
            until = (
                "" if self.timeout is None else f"; they fail after {self.timeout:g} s (resources_timeout)"
            )
            self.tell("waiting", f"{message}{until}")
        if self.timeout is not None and waited >= self.timeout:
            lost = [future for future in list(unmet.futures) if future.status == "pending"]
            self.refused[wish] = f"{message}, for {waited:.0f} s"
            self.fail(lost, RequirementError(self.refused[wish], missing=[str(wish)]))


def _offers(workers: Mapping[str, Mapping[str, Any]]) -> str:
    """What the workers have, those with the same together."""
    offers: Counter[str] = Counter()
    for worker in workers.values():
        resources = sorted((worker.get("resources") or {}).items())
        offers[", ".join(f"{key}={amount:g}" for key, amount in resources) or "nothing"] += 1
    counted = [f"{count} {'offers' if count == 1 else 'offer'} {has}" for has, count in offers.items()]
    return f"of {len(workers)} workers " + ", ".join(counted[:5])
