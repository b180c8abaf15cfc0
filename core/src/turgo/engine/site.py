"""Sites are the executors of one run. Each knows what was learned of its executor and how much is under way there.

    Sites ── open(site) when the first call is to be sent there ──> executor.start()
      └──── closed in reverse order at the end, whatever happened

A run has one site, its own executor, and one more for each other executor that its tasks name. All of them are
driven by the one loop, in its thread. An executor that is started already is used as it is and left open.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from turgo.engine.batching.budget import REMOTE_BATCH_BYTES, Batching
from turgo.engine.schedule.remote import RemoteValue, StoredBatch, fetch_nothing
from turgo.engine.transport.report import open_report, report_bytes
from turgo.engine.transport.report_check import checked
from turgo.engine.transport.shipment import Shipment
from turgo.errors import ExecutorError, ExecutorStartError, TurgoError, WorkerLostError
from turgo.executor import Executor, ExtraContext
from turgo.futures import Future
from turgo.names import reason_of
from turgo.registry.plugins import provider_of
from turgo.worker.code.bootstrap import WorkerCode
from turgo.worker.execute import execute
from turgo.worker.outcomes import Report

if TYPE_CHECKING:
    from turgo.engine.remote_values.store import RemoteStore

logger = logging.getLogger("turgo")

WINDOW_SUBMISSIONS = 2
"""Submissions that are under way for each slot, so that none waits for the driver."""

UNKNOWN_BATCH_SECONDS = 0.5
"""What a batch is thought to take of which nothing is known, where an executor grows by the work that waits."""


class Site:
    """One executor within a run.

    number: its key in lanes, 0 for the run's own; batching: what was learned of it; slots: calls that it runs at once.
    room: the same, with the slots that it would grow to; wanted: seconds of work that let it grow so far.
    under_way: submissions that have not come back; seconds: of work that are thought to be in them. isolated: whether
    one of them is a call that runs alone here, as it is suspected of killing workers. values: its large values; None
    where the executor keeps nothing remote. worker_code: the worker's modules, for workers that may have no turgo.
    fetch: gets remote values of all sites. channel: a pickle of what sends bytes to the driver while calls run, or
    None.
    """

    __slots__ = (
        "_execute",
        "batching",
        "channel",
        "eventful",
        "executor",
        "fetch",
        "hard_timeouts",
        "isolated",
        "name",
        "number",
        "opened",
        "room",
        "seconds",
        "slots",
        "under_way",
        "values",
        "wanted",
        "worker_code",
    )

    def __init__(self, executor: Executor, name: str, number: int = 0) -> None:
        self.executor = executor
        self.name = name
        self.number = number
        self.batching = Batching()
        self.slots = 1
        self.room = 1
        self.wanted = 0.0
        self.under_way = 0
        self.seconds = 0.0
        self.isolated = False
        self.opened = False
        self.eventful = type(executor).events is not Executor.events
        self.hard_timeouts = "hard_timeouts" in executor.capabilities
        self.worker_code: WorkerCode | None = None
        if "distributed" in executor.capabilities:
            # Late: it packs what only other processes need.
            from turgo.engine.transport.worker_code import own_worker_code

            self.worker_code = own_worker_code()
        self.channel: bytes | None = None
        self.fetch: Callable[[Sequence[RemoteValue]], None] = fetch_nothing
        self.values: RemoteStore | None = None
        if "keeps_results_remote" in executor.capabilities:
            from turgo.engine.remote_values.store import RemoteStore  # late, as the packer

            self.values = RemoteStore(executor, number, self.worker_code)
            self.batching.heaviest = REMOTE_BATCH_BYTES
        self._execute: Callable[..., Any] = execute
        if self.worker_code is not None:
            self._execute = self.worker_code.function(f"{execute.__module__}:{execute.__name__}")

    def look(self) -> None:
        """Ask how many calls it can run at once now; one that is not open yet is not asked."""
        if not self.opened:
            return
        try:
            self.slots = self.room = max(1, self.executor.slots)
            growth = self.executor.growth
            self.wanted = 0.0
            if growth is not None:
                self.room = max(self.slots, growth.slots)
                self.wanted = growth.slots * growth.seconds
        except TurgoError:
            raise
        except Exception as error:
            provider = provider_of(type(self.executor))
            raise ExecutorError(
                f"the executor {self.name}, from {provider}, does not say how many calls it runs at once: "
                f"{reason_of(error)}"
            ) from error

    @property
    def full(self) -> bool:
        """Whether nothing more is to be sent before something came back."""
        return self.isolated or (self.under_way >= WINDOW_SUBMISSIONS * self.room and not self.hungry)

    @property
    def hungry(self) -> bool:
        """Whether more work is to be there, so that the executor grows, or stays as large as it is."""
        return self.seconds < self.wanted

    def took(self, seconds: float) -> None:
        """A submission is under way. seconds: of work that are thought to be in it; 0 if nobody knows."""
        self.under_way += 1
        self.seconds += seconds or UNKNOWN_BATCH_SECONDS

    def gave(self, seconds: float) -> None:
        """It is not any more."""
        self.under_way -= 1
        self.seconds -= seconds or UNKNOWN_BATCH_SECONDS

    def submit(self, shipment: Shipment, context: ExtraContext) -> Future[Any]:
        """Submit a batch. Raises what the executor raises."""
        shipment.worker_code = self.worker_code
        if self.values is not None:
            return self.values.submit(shipment, context)
        if shipment.remote:
            from turgo.engine.remote_values.references import fetch_reads  # late: of values of other sites

            fetch_reads(shipment, self.fetch)
        return self.executor.submit(self._execute, shipment, extra_context=context)

    def received(self, shipment: Shipment, report: Any) -> tuple[Report | BaseException, int]:
        """The report of a batch, or the error that is all there is of it; and how many bytes its values have.

        The size is 0 if they were not sent.
        """
        if self.values is not None:
            return self.values.received(shipment, report)
        if type(report) is Report:  # made in this process
            return report, 0
        return checked(open_report(report), shipment.pieces), report_bytes(report)

    def reports(self, futures: Sequence[Future[Any]]) -> list[Any]:
        """The reports of submissions that are done and did not fail; for one whose worker was lost since, the error."""
        try:
            # The base class's `wait` does the same, and looks for futures in the list.
            if type(self.executor).wait is Executor.wait:
                return [future.result() for future in futures]
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
        """Cancel submissions, as well as the executor can; that it cannot is reported and no error."""
        try:
            self.executor.cancel(list(futures))
        except Exception:
            logger.warning("the calls of %s on %s could not be taken back", flow, self.name, exc_info=True)


class Sites:
    """All sites of a run; a context manager that closes in reverse order those that were opened.

    members: by their numbers. watch_start: makes what is entered while an executor starts.
    """

    def __init__(self, sites: Sequence[Site]) -> None:
        self.members = tuple(sites)
        for site in self.members:
            site.fetch = self.fetch
            if site.values is not None:
                site.values.fetch_all = self.fetch
        self._stack = ExitStack()
        self._started: list[Site] = []
        self.deliver: Callable[[bytes], None] = lambda bunch: None
        self.watch_start: Callable[[Executor, str], AbstractContextManager[None]] | None = None

    def open(self, site: Site) -> None:
        """Start its executor, unless it is started. Raises ExecutorStartError, or another TurgoError."""
        if not site.executor.started:
            try:
                with self.watch_start(site.executor, site.name) if self.watch_start else nullcontext():
                    self._stack.enter_context(site.executor.start())
                self._started.append(site)
            except TurgoError:
                raise
            except Exception as error:
                reason = f"{type(error).__name__}: {error}"
                raise ExecutorStartError(
                    f"the executor {site.name} could not be started: {reason}"
                ) from error
        site.opened = True
        if type(site.executor).channel is not Executor.channel:
            self._open_channel(site)
        site.look()

    def _open_channel(self, site: Site) -> None:
        send = self._stack.enter_context(site.executor.channel(self.deliver))
        if send is not None:
            import cloudpickle  # late: few executors have a channel

            site.channel = cloudpickle.dumps(send)

    def fetch(self, remotes: Sequence[RemoteValue]) -> None:
        """Fetch values that stayed on workers, of every site all at once. Raises what waiting for them raises."""
        for site in self.members:
            own = [each for each in remotes if each.stored.site == site.number and each.home is None]
            if own and site.values is not None:
                site.values.fetch(own)

    def keep_copies(self) -> None:
        """Let workers write copies of the large values that they hold."""
        for site in self.members:
            if site.values is not None:
                site.values.keep_copies()

    def copy(self, stored: StoredBatch, wanted: Sequence[tuple[Any, str, str]]) -> Future[Any]:
        """Ask for copies of values of a batch. Raises what the executor raises."""
        values = self.members[stored.site].values
        assert values is not None
        return values.copy(stored, wanted)

    def answer(self, stored: StoredBatch, future: Future[Any]) -> Any:
        """What came of such a request, which is over; or its error."""
        return self.members[stored.site].report(future)

    def hindrances(self) -> Iterator[str]:
        """Why calls that were submitted do not begin."""
        for site in self.members:
            found = site.executor.hindrance() if site.opened and site.executor.started else None
            if found is not None:
                yield f"on {site.name} {found}"

    def __enter__(self) -> Self:
        self._stack.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        for site in self.members:
            if site.values is not None:
                site.values.forget()
        for site in self._started:
            site.values = None  # what stayed on its workers ends with them
        return self._stack.__exit__(kind, error, trace)
