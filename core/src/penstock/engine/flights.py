"""Flights: the submissions that are under way. A flight lands when its future is done, in whichever thread that is.

    send ──> site.submit ──> future ──done, in any thread──> queue ──> arrived, in the loop's thread

When a run is ended before its time, flights are halted at once, in the thread that ends it, and abandoned by the loop.
"""

from __future__ import annotations

import queue
import time
from collections.abc import Iterator
from typing import Any

import attrs

from penstock.engine.calling import Expired
from penstock.engine.limits import Limits
from penstock.engine.pieces import Piece
from penstock.engine.shipping import Shipment
from penstock.engine.site import Site
from penstock.engine.spreading import so_far
from penstock.executor import ExtraContext
from penstock.futures import Future, failure_of


@attrs.define(eq=False)
class Flight:
    """A submission that is under way.

    sent: when, by `perf_counter`, in seconds; idle: whether a slot was free for it; tags: of its calls.
    secluded: whether nothing else is to run beside it.
    """

    pieces: list[Piece]
    shipment: Shipment
    site: Site
    tags: tuple[str, ...]
    secluded: bool
    sent: float = attrs.field(factory=time.perf_counter)
    idle: bool = False
    future: Future[Any] | None = None

    @property
    def futures(self) -> list[Future[Any]]:
        """All that was submitted for it."""
        kept = [] if self.shipment.keep is None else [self.shipment.keep.future]
        return kept if self.future is None else [self.future, *kept]

    def away(self, when: float) -> tuple[float, float]:
        """When it was sent, in seconds since the epoch, and how long after that `when` was; by `perf_counter`."""
        return time.time() - (time.perf_counter() - self.sent), when - self.sent

    def brought(self, *, ask: bool) -> tuple[Any, list[Any], Any] | None:
        """What is known of its calls that were over when the run was cut short; None if of none.

        ask: whether a report that is there may be fetched, if the calls were not made in this process.
        """
        shipment, luggage = self.shipment, self.site.luggage
        stamp, outcomes = shipment.stamp, so_far(shipment)
        lines = list(shipment.logs.lines) if shipment.logs is not None else []
        ask = ask or not luggage.values_stay  # then it is in this process
        if not outcomes and ask and self.future is not None and self.future.done():
            if failure_of(self.future) is not None or not luggage.at_hand(shipment, self.future):
                return None
            report = self.site.report(self.future)
            opened = report if isinstance(report, Exception) else luggage.received(shipment, report)[0]
            if isinstance(opened, BaseException):
                return None
            stamp, outcomes, lines = opened
        last = outcomes[-1] if outcomes else None
        if last is not None and type(last[0]) is not bool and not last[2]:
            outcomes.pop()  # a map that was interrupted in its first call
        return (stamp, outcomes, lines) if outcomes else None


class Flights:
    """What is under way in one run, on all its sites."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._under_way: dict[int, Flight] = {}
        self._arrivals: queue.SimpleQueue[tuple[int, float]] = queue.SimpleQueue()
        self._sent = 0
        self._sending: Shipment | None = None

    def __len__(self) -> int:
        return len(self._under_way)

    def __iter__(self) -> Iterator[Flight]:
        return iter(list(self._under_way.values()))

    def send(self, flight: Flight, context: ExtraContext) -> None:
        """Submit it. Raises what the executor raises; it is not under way then."""
        number = self._taken_off(flight)
        self._sending = flight.shipment
        try:
            flight.future = flight.site.submit(flight.shipment, context)
        except Exception:
            self._landed(number)
            raise
        finally:
            self._sending = None
        self._await(number, flight.future)

    def send_on(self, flight: Flight, future: Future[Any]) -> None:
        """It has landed, yet what it brought is to come by another future."""
        flight.future = future
        self._await(self._taken_off(flight), future)

    def _taken_off(self, flight: Flight) -> int:
        number = self._sent = self._sent + 1
        site = flight.site
        flight.idle = site.under_way < site.slots
        self._under_way[number] = flight
        site.under_way += 1
        site.secluded = flight.secluded
        self.limits.took(flight.tags)
        return number

    def _await(self, number: int, future: Future[Any]) -> None:
        arrivals = self._arrivals
        future.add_done_callback(lambda future: arrivals.put((number, time.perf_counter())))

    def _goes_on(self, number: int) -> bool:
        """Whether a flight whose future is done has a second leg, that tells what became of its large values."""
        flight = self._under_way[number]
        if flight.shipment.keep is None or flight.future is None:
            return False
        second = flight.site.luggage.second(flight.shipment, flight.future)
        if second is None:
            return False
        flight.future = second
        self._await(number, second)
        return True

    def any_arrived(self) -> bool:
        """Whether `arrived` would not wait."""
        return not self._arrivals.empty()

    def arrived(self, patience: float) -> list[tuple[Flight, float]]:
        """What has landed, and when; waits for the first for so many seconds."""
        arrived = []
        try:
            number, when = self._arrivals.get(timeout=patience)
            while True:
                if number in self._under_way and not self._goes_on(number):
                    arrived.append((self._landed(number), when))
                number, when = self._arrivals.get_nowait()
        except queue.Empty:
            return arrived

    def _landed(self, number: int) -> Flight:
        flight = self._under_way.pop(number)
        flight.site.under_way -= 1
        flight.site.secluded = False
        self.limits.gave(flight.tags)
        return flight

    def halt(self) -> None:
        """Let no call begin that would be made in this process, and wake who waits in `arrived`. From any thread."""
        for flight in self:
            flight.shipment.halt()
        self._arrivals.put((0, 0.0))  # the number of no flight

    def interrupt(self) -> None:
        """End the call that runs in this very thread, if one does: a synchronous executor makes it in `send`."""
        if self._sending is not None and self._sending.stamp is not None:
            self._sending.abandoned = True
            raise Expired

    def abandon(self, flow: str) -> None:
        """Take back all that is under way, as well as the executors can."""
        sites: dict[Site, list[Future[Any]]] = {}
        for flight in self:
            flight.shipment.abandoned = True
            flight.shipment.halt()
            sites.setdefault(flight.site, []).extend(flight.futures)
        for site, futures in sites.items():
            site.take_back(futures, flow)
