"""The submissions of a run that are under way. Each lasts from `submit` until its future is done.

    submit ──> site.submit ──> future ──done, in any thread──> queue ──> completed, in the loop's thread

A run that ends before its time halts them at once, in the thread that ends it; the loop then abandons them.
"""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterator
from typing import Any

import attrs

from turgo.contract.clock import SYSTEM_CLOCK, Clock
from turgo.engine.batching.load import Ticket
from turgo.engine.batching.tag_limits import Limits
from turgo.engine.schedule.pieces import Piece
from turgo.engine.site import Site
from turgo.engine.transport.shipment import Shipment
from turgo.executor import ExtraContext
from turgo.futures import Future, failure_of
from turgo.worker.mapped import so_far
from turgo.worker.outcomes import MapOutcome, Report


@attrs.define(eq=False)
class Submission:
    """One batch that was submitted.

    tags: of its calls. isolated: whether nothing else is to run beside it. apart: whether its calls share a batch with
    no others, as they were lost with a worker before. seconds: of work that are thought to be in it; leads: of the
    longest path that waits for it. submitted: when, by the clock of the run. ticket: its place in the line; None where
    there is but one slot. crowded: whether another one was under way on its site at any time with it.
    """

    pieces: list[Piece]
    shipment: Shipment
    site: Site
    tags: tuple[str, ...]
    isolated: bool
    apart: bool = False
    seconds: float = 0.0
    leads: float = 0.0
    submitted: float = 0.0
    ticket: Ticket | None = None
    crowded: bool = False
    future: Future[Any] | None = None

    @property
    def futures(self) -> list[Future[Any]]:
        """All futures that were made for it."""
        stored = [] if self.shipment.stored is None else [self.shipment.stored.future]
        return stored if self.future is None else [self.future, *stored]

    def partial_report(self, *, fetch: bool) -> Report | None:
        """The report of those of its calls that were over when the run was cut short; None if there is none.

        fetch: whether a report that is there may be fetched, if the calls were not made in this process.
        """
        shipment, values = self.shipment, self.site.values
        stamp, outcomes = shipment.stamp, so_far(shipment)
        lines = list(shipment.logs.lines) if shipment.logs is not None else []
        fetch = fetch or values is None  # then it is in this process
        if not outcomes and fetch and self.future is not None and self.future.done():
            if failure_of(self.future) is not None or (
                values is not None and not values.is_report(shipment, self.future)
            ):
                return None
            report = self.site.report(self.future)
            opened = report if isinstance(report, Exception) else self.site.received(shipment, report)[0]
            if isinstance(opened, BaseException):
                return None
            stamp, outcomes, lines = opened
        if outcomes and isinstance(outcomes[-1], MapOutcome) and not outcomes[-1].ends:
            outcomes.pop()  # a map that was interrupted in its first call
        return Report(stamp, outcomes, lines) if outcomes else None


class _Arrival:
    """Notes that a submission is done, and when."""

    __slots__ = ("done", "now", "number")
    never_blocks = True

    def __init__(
        self, number: int, done: queue.SimpleQueue[tuple[int, float]], now: Callable[[], float]
    ) -> None:
        self.number = number
        self.done = done
        self.now = now

    def __call__(self, future: Future[Any]) -> None:
        self.done.put((self.number, self.now()))


class Submissions:
    """What is under way in one run, on all its sites. under_way: by number, in the order of submission."""

    def __init__(self, limits: Limits | None, clock: Clock = SYSTEM_CLOCK) -> None:
        self.limits = limits
        self.clock = clock
        self.under_way: dict[int, Submission] = {}
        self._done: queue.SimpleQueue[tuple[int, float]] = queue.SimpleQueue()
        self._count = 0
        self._submitting: Shipment | None = None

    def __iter__(self) -> Iterator[Submission]:
        return iter(list(self.under_way.values()))

    def submit(self, submission: Submission, context: ExtraContext) -> None:
        """Submit a batch. Raises what the executor raises; it is not under way then."""
        number = self._add(submission)
        self._submitting = submission.shipment
        try:
            submission.future = submission.site.submit(submission.shipment, context)
        except Exception:
            self._remove(number)
            raise
        finally:
            self._submitting = None
        self._watch(number, submission.future)

    def resume(self, submission: Submission, future: Future[Any]) -> None:
        """Wait for a batch again, whose report is to come by another future."""
        submission.future = future
        self._watch(self._add(submission), future)

    def _add(self, submission: Submission) -> int:
        number = self._count = self._count + 1
        site = submission.site
        now = submission.submitted = self.clock.monotonic()
        if site.room > 1:
            seconds, leads = submission.seconds, submission.leads
            submission.ticket = site.batching.load.submitted(now, seconds, site.slots, leads)
        if site.under_way:
            self._crowd(submission)
        self.under_way[number] = submission
        site.took(submission.seconds)
        site.isolated = submission.isolated
        if self.limits is not None:
            self.limits.took(submission.tags)
        return number

    def _crowd(self, submission: Submission) -> None:
        """Another one is under way on its site."""
        submission.crowded = True
        if submission.site.under_way == 1:  # those of two and more know it
            for other in self.under_way.values():
                other.crowded |= other.site is submission.site

    def away(self, submission: Submission, when: float) -> tuple[float, float]:
        """When it was submitted, in seconds since the epoch, and how long after that `when` was, by the clock."""
        clock = self.clock
        return clock.wall() - (clock.monotonic() - submission.submitted), when - submission.submitted

    def _watch(self, number: int, future: Future[Any]) -> None:
        future.add_done_callback(_Arrival(number, self._done, self.clock.monotonic))

    def _awaits_facts(self, number: int) -> bool:
        """Whether a batch whose future is done is to be asked, by a second call, for the facts of its large values."""
        submission = self.under_way[number]
        values = submission.site.values
        if values is None or submission.shipment.stored is None or submission.future is None:
            return False
        second = values.submit_facts(submission.shipment, submission.future)
        if second is None:
            return False
        submission.future = second
        self._watch(number, second)
        return True

    def any_done(self) -> bool:
        """Whether `completed` would not wait."""
        return not self._done.empty()

    def completed(self, timeout: float) -> list[tuple[Submission, float]]:
        """The submissions that are done, and when; waits for the first at most so many seconds."""
        completed = []
        try:
            waits = self._done.empty()
            number, when = self.clock.get(self._done, timeout) if waits else self._done.get_nowait()
            while True:
                if number in self.under_way and not self._awaits_facts(number):
                    completed.append((self._remove(number), when))
                number, when = self._done.get_nowait()
        except queue.Empty:
            return completed

    def _remove(self, number: int) -> Submission:
        submission = self.under_way.pop(number)
        submission.site.gave(submission.seconds)
        if submission.ticket is not None:
            submission.site.batching.load.done(submission.ticket, self.clock.monotonic())
        submission.site.isolated = False
        if self.limits is not None:
            self.limits.gave(submission.tags)
        return submission

    def halt(self) -> None:
        """Let no call begin that would run in this process, and wake up who waits in `completed`. From any thread."""
        for submission in self:
            submission.shipment.halt()
        self._done.put((0, 0.0))  # the number of no submission

    def give_up_here(self) -> bool:
        """Whether a call runs in this very thread, in `submit` of a synchronous executor. Its batch is abandoned."""
        if self._submitting is None or self._submitting.stamp is None:
            return False
        self._submitting.abandoned = True
        return True

    def abandon(self, flow: str) -> None:
        """Cancel all that is under way, as well as the executors can."""
        sites: dict[Site, list[Future[Any]]] = {}
        for submission in self:
            submission.shipment.abandoned = True
            submission.shipment.halt()
            sites.setdefault(submission.site, []).extend(submission.futures)
        for site, futures in sites.items():
            site.take_back(futures, flow)
