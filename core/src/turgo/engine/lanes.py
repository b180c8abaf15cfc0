"""Chooses the next batch: the lane whose turn it is, whether its site has room, and which of its ready calls.

schedule.ready ──queues──> Lanes ──lane, pieces, seconds of work──> loop
"""

from __future__ import annotations

from collections import deque
from contextlib import nullcontext
from functools import cached_property
from typing import TYPE_CHECKING

from turgo.contract.clock import Clock
from turgo.engine.batching.selection import Selection
from turgo.engine.batching.tag_limits import Limits
from turgo.engine.batching.urgency import Urgency
from turgo.engine.schedule.pieces import Piece
from turgo.engine.schedule.ready import Lane, Queue
from turgo.engine.schedule.schedule import Schedule
from turgo.engine.site import Site, Sites

if TYPE_CHECKING:
    from turgo.engine.remote_values.store import RemoteStore

REMAKING_LOOK_SECONDS = 0.05
"""How often a call that is to run while nothing else does looks whether lost values are made again meanwhile."""


class Lanes:
    """The lanes of a run, in the order of their turns.

    wait_seconds: until a site takes the next batch that had to wait for it; None if none had to.
    """

    def __init__(self, schedule: Schedule, sites: Sites, limits: Limits | None, clock: Clock) -> None:
        self.schedule = schedule
        self.sites = sites
        self.limits = limits
        self.clock = clock
        self.wait_seconds: float | None = None
        self._turns: deque[Lane] = deque()

    @cached_property
    def urgency(self) -> Urgency:
        """The order of the ready calls, which matters only where several run at once."""
        return Urgency(self.schedule.progress)

    def next_batch(self) -> tuple[Lane, list[Piece], float] | None:
        """The next batch, of each lane in turn: its lane, its pieces and seconds of work; None if none can begin."""
        queues = self.schedule.ready.queues
        if len(self._turns) != len(queues):
            self._turns = deque(queues)
        for _ in range(len(self._turns)):
            lane = self._turns[0]
            self._turns.rotate(-1)
            ready = queues[lane]
            if ready.pieces:
                if self._has_room(lane, ready):
                    pieces, seconds = self._filled(lane, ready)
                    return lane, pieces, seconds
            elif lane.part:  # a run may lose a thousand batches, each with lanes of its parts
                del queues[lane]
                self._turns.pop()
        return None

    def _has_room(self, lane: Lane, ready: Queue) -> bool:
        """Whether a batch of a lane may be submitted now, or has to wait for a slot, the line or a limit."""
        site = self.sites.members[lane.site]
        if site.full or (lane.isolated and site.under_way):
            return False
        if lane.isolated and site.values is not None and site.values.remaking():
            self.wait_seconds = REMAKING_LOOK_SECONDS
            return False
        if site.slots > 1 and (wait := site.batching.load.wait(self.clock.monotonic())):
            self.wait_seconds = wait if self.wait_seconds is None else min(wait, self.wait_seconds)
            return False
        if self.limits and self.limits.full(lane.tags):
            return False
        if not site.opened:
            self.sites.open(site)
        return site.slots == 1 or self._is_worth_a_place(site, ready)

    def _is_worth_a_place(self, site: Site, ready: Queue) -> bool:
        """Whether the most urgent call may begin, or take a place in line where all slots are busy."""
        urgency = self.urgency
        urgency.order(ready, site.batching.costs, site.slots)
        task = self.schedule.progress.nodes[ready.pieces[-1][0]].task
        long = site.batching.is_long(task, urgency.decides, urgency.presses)
        return site.under_way < site.slots or not long

    def _filled(self, lane: Lane, ready: Queue) -> tuple[list[Piece], float]:
        """The pieces of a batch, and seconds of work."""
        site = self.sites.members[lane.site]
        batching = site.batching
        presses = site.slots > 1 and self.urgency.presses
        budget = batching.budget(ready, site.slots, self.clock.monotonic(), presses)
        selection = Selection(self.schedule, lane, batching.costs, batching.most)
        pieces = selection.fill(budget, batching.chain(site.slots))
        if site.values is not None:
            pieces = self._alike(pieces, site.values, lane)
        return pieces, selection.spent

    def _alike(self, pieces: list[Piece], values: RemoteStore, lane: Lane) -> list[Piece]:
        """The first pieces, so many that either all their values stay or none does; the others are ready again."""
        alike = values.prediction.alike_count(pieces, self.schedule.progress)
        with self.schedule.ready.apart() if lane.part and pieces[alike:] else nullcontext():
            for piece in reversed(pieces[alike:]):
                self.schedule.given_back(piece)
        return pieces[:alike]
