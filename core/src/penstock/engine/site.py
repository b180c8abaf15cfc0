"""Sites: the executors of one run, each with what was learned of it and how much is under way there.

    Sites ── open(site) when the first call is to be sent there ──> executor.start()
      └──── closed in reverse order at the end, whatever happened

A run has one site, its own executor, and one more for each other executor that its tasks name. All of them are
driven by the one loop, in its thread. An executor that is started already is used as it is and left open.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Self

from penstock.engine.batching import HEAVIEST_THERE, Batching
from penstock.engine.carrying import engine_carrier
from penstock.engine.luggage import Luggage
from penstock.engine.remote import Remote
from penstock.engine.shipping import Shipment
from penstock.errors import ExecutorStartError, PenstockError, WorkerLostError
from penstock.executor import Executor, ExtraContext
from penstock.futures import Future

logger = logging.getLogger("penstock")

WINDOW = 2
"""Submissions that are under way for each slot, so that none waits for the driver."""


class Site:
    """One executor within a run.

    number: its key in lanes, 0 for the run's own; batching: what was learned of it; slots: calls that it runs at once.
    under_way: submissions that have not come back. secluded: whether one of them is a call that runs alone here, as it
    is suspected of killing workers. luggage: what it does with large values.
    carrier: the engine's code, for workers that may have no penstock.
    """

    __slots__ = (
        "batching",
        "carrier",
        "eventful",
        "executor",
        "hard_timeouts",
        "luggage",
        "name",
        "number",
        "opened",
        "secluded",
        "slots",
        "under_way",
    )

    def __init__(self, executor: Executor, name: str, number: int = 0) -> None:
        self.executor, self.name, self.number = executor, name, number
        self.batching = Batching()
        self.slots = 1
        self.under_way = 0
        self.secluded = self.opened = False
        self.eventful = type(executor).events is not Executor.events
        self.hard_timeouts = "hard_timeouts" in executor.capabilities
        self.carrier = engine_carrier() if "distributed" in executor.capabilities else None
        self.luggage = Luggage(executor, number, self.carrier)
        if self.luggage.values_stay:
            self.batching.heaviest = HEAVIEST_THERE

    def look(self) -> None:
        """Ask how many calls it can run at once now; one that is not open yet is not asked."""
        if self.opened:
            self.slots = max(1, self.executor.slots)

    @property
    def full(self) -> bool:
        """Whether nothing more is to be sent before something came back."""
        return self.secluded or self.under_way >= WINDOW * self.slots

    def submit(self, shipment: Shipment, context: ExtraContext) -> Future[Any]:
        """Send a batch. Raises what the executor raises."""
        return self.luggage.submit(shipment, context)

    def reports(self, futures: Sequence[Future[Any]]) -> list[Any]:
        """The reports of submissions that are done and did not fail; for one whose worker was lost since, the error."""
        try:
            return self.executor.wait(list(futures))  # type: ignore[no-any-return]
        except WorkerLostError:
            return [self.report(future, WorkerLostError) for future in futures]

    def report(self, future: Future[Any], but: type[Exception] = Exception) -> Any:
        """The report of one that is done, or the error of a type `but` that is all there is of it."""
        try:
            return self.executor.wait([future])[0]
        except but as error:
            return error

    def take_back(self, futures: Sequence[Future[Any]], flow: str) -> None:
        """Cancel submissions, as well as the executor can; that it cannot is told of and no error."""
        try:
            self.executor.cancel(list(futures))
        except Exception:
            logger.warning("the calls of %s on %s could not be taken back", flow, self.name, exc_info=True)


class Sites:
    """All sites of a run; a context manager that closes in reverse order those that were opened."""

    def __init__(self, sites: Sequence[Site]) -> None:
        self._sites = list(sites)
        for site in self._sites:
            site.luggage.bring = self.bring
        self._stack = ExitStack()

    def open(self, site: Site) -> None:
        """Start its executor, unless it is started. Raises ExecutorStartError, or another PenstockError."""
        if not site.executor.started:
            try:
                self._stack.enter_context(site.executor.start())
            except PenstockError:
                raise
            except Exception as error:
                reason = f"{type(error).__name__}: {error}"
                raise ExecutorStartError(
                    f"the executor {site.name} could not be started: {reason}"
                ) from error
        site.opened = True
        site.look()

    def bring(self, remotes: Sequence[Remote]) -> None:
        """Fetch values that stayed on workers, of every site all at once. Raises what waiting for them raises."""
        for site in self._sites:
            own = [remote for remote in remotes if remote.keep.site == site.number and remote.home is None]
            if own:
                site.luggage.fetch(own)

    def __iter__(self) -> Iterator[Site]:
        return iter(self._sites)

    def __getitem__(self, number: int) -> Site:
        return self._sites[number]

    def __enter__(self) -> Self:
        self._stack.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        for site in self._sites:
            site.luggage.forget()
        return self._stack.__exit__(kind, error, trace)
