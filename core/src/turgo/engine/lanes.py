"""Chooses the next batch: the lane whose turn it is, whether its site has room, and which of its ready calls.

schedule.ready ──queues──> Lanes ──lane, pieces, seconds of work──> loop
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from contextlib import nullcontext
from functools import cached_property, partial
from typing import TYPE_CHECKING, NamedTuple

from turgo.contract.clock import Clock
from turgo.engine.batching.selection import Selection
from turgo.engine.batching.tag_limits import Limits
from turgo.engine.batching.urgency import Urgency
from turgo.engine.schedule.pieces import Piece
from turgo.engine.schedule.ready import Lane, Queue
from turgo.engine.schedule.schedule import Schedule
from turgo.engine.site import Site, Sites
from turgo.flows.task import AnyTask

if TYPE_CHECKING:
    from turgo.engine.remote_values.store import RemoteStore

WATCHED_SLOTS = 100
"""On so many slots at most it is foreseen when one is free. On more of them one soon is."""

REMAKING_LOOK_SECONDS = 0.05
"""How often a call that is to run while nothing else does looks whether lost values are made again meanwhile."""


class Chosen(NamedTuple):
    """A batch that may begin. seconds: of work that are thought to be in it; leads: of the longest path behind it."""

    lane: Lane
    pieces: list[Piece]
    seconds: float
    leads: float


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

    def next_batch(self) -> Chosen | None:
        """The next batch, of each lane in turn; None if none can begin."""
        queues = self.schedule.ready.queues
        if len(self._turns) != len(queues):
            self._turns = deque(queues)
        for _ in range(len(self._turns)):
            lane = self._turns[0]
            self._turns.rotate(-1)
            ready = queues[lane]
            if ready.pieces:
                if self._has_room(lane, ready):
                    return self._filled(lane, ready)
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
        if site.room > 1 and (wait := site.batching.load.wait(self.clock.monotonic(), site.room)):
            self.wait_seconds = wait if self.wait_seconds is None else min(wait, self.wait_seconds)
            return False
        if self.limits and self.limits.full(lane.tags):
            return False
        if not site.opened:
            self.sites.open(site)
        return site.room == 1 or self._is_worth_a_place(site, ready)

    def _is_worth_a_place(self, site: Site, ready: Queue) -> bool:
        """Whether the most urgent call may begin, or take a place in line where all slots are busy."""
        urgency = self.urgency
        urgency.order(ready, site.batching.costs, site.room)
        if site.under_way < site.room or site.hungry:
            return True
        batching, task = site.batching, self.schedule.progress.nodes[ready.pieces[-1][0]].task
        long = batching.is_long(task, urgency.decides, urgency.presses)
        if site.room > WATCHED_SLOTS or batching.is_long(task, urgent=False):
            return not long
        return not (long or urgency.presses) or self._is_over_in_time(site, ready.pieces[-1][0], task)

    def _is_over_in_time(self, site: Site, node: int, task: AnyTask) -> bool:
        """Whether a call of a node, if it waits in line, is over before a more urgent one can begin."""
        urgency, batching = self.urgency, site.batching
        if not urgency.overtakes(node):
            return True
        ends = batching.load.begins(self.clock.monotonic()) + batching.costs[task]
        return ends <= batching.load.goes_on(urgency.ranks[node])

    def _filled(self, lane: Lane, ready: Queue) -> Chosen:
        """The batch that is chosen."""
        site = self.sites.members[lane.site]
        batching = site.batching
        presses = site.room > 1 and self.urgency.presses
        budget = batching.budget(ready, site.room, self.clock.monotonic(), presses)
        selection = Selection(self.schedule, lane, batching.costs, batching.most, self._first_calls(site))
        pieces = selection.fill(budget, batching.chain(site.room))
        if site.values is not None:
            pieces = self._alike(pieces, site.values, lane)
        leads = self.urgency.leads(pieces) if site.room > 1 else 0.0
        return Chosen(lane, pieces, selection.spent, leads)

    def _first_calls(self, site: Site) -> Callable[[int], int]:
        """How many calls of an unknown task go together.

        One, where a batch that keeps values does not stop itself, and where there is no round trip to save.
        """
        if site.values is not None or site.room == 1:
            return lambda ready: 1
        return partial(site.batching.first_calls, slots=site.room)

    def _alike(self, pieces: list[Piece], values: RemoteStore, lane: Lane) -> list[Piece]:
        """The first pieces, so many that either all their values stay or none does; the others are ready again."""
        alike = values.prediction.alike_count(pieces, self.schedule.progress)
        with self.schedule.ready.apart() if lane.part and pieces[alike:] else nullcontext():
            for piece in reversed(pieces[alike:]):
                self.schedule.given_back(piece)
        return pieces[:alike]
