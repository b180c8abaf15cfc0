"""What is ready: the calls that may run now, in the lane that says which of them may share a batch. Pure.

push ──> a queue for each lane, from which `Taking.fill` takes
  └────> asked, if the cache may have the value; what it does not have comes back through `missed`
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import TYPE_CHECKING

from penstock.engine.pieces import Piece, first_of
from penstock.engine.queues import Lane, Place, Queue
from penstock.engine.remote import worker_of
from penstock.flows.graph import Node
from penstock.flows.task import AnyTask
from penstock.ledger import Key

if TYPE_CHECKING:
    from penstock.engine.schedule import Schedule


class Ready:
    """The ready calls of one run.

    queues: by lane. asked: ready pieces of tasks with a `cache_key`; whoever has a cache answers with
    `Schedule.succeeded` or `missed`. home, places: where calls run, and those of some tasks in particular.
    caching: whether there is a cache; if not, what has a `cache_key` simply runs.
    """

    def __init__(
        self, schedule: Schedule, home: Place, places: Mapping[AnyTask, Place], *, caching: bool
    ) -> None:
        self.schedule, self.attempts = schedule, schedule.attempts
        self.queues: dict[Lane, Queue] = {}
        self.asked: list[Piece] = []
        self._home, self._places, self._caching = home, places, caching
        self._lanes: dict[AnyTask, Lane] = {}

    def __bool__(self) -> bool:
        """Whether there is anything to run, or to ask the cache for."""
        return bool(self.asked) or any(queue.pieces for queue in self.queues.values())

    def turn(self) -> None:
        """What was pushed first is taken first."""
        for queue in self.queues.values():
            queue.pieces.reverse()
        self.asked.reverse()

    def clear(self) -> None:
        """Nothing more is to run."""
        self.queues.clear()
        self.asked.clear()

    def lane(self, task: AnyTask) -> Lane:
        """Which calls one of this task may share a batch with."""
        lane = self._lanes.get(task)
        if lane is None:
            policy = task.policy
            site, hard_timeouts = self._places.get(task, self._home)
            may_be_killed = hard_timeouts and policy.timeout is not None  # nobody else with it, then
            asks = self._caching and policy.cache_key is not None
            together = policy.batch and not may_be_killed
            lane = self._lanes[task] = Lane(policy.tags, together, site=site, asks=asks)
        return lane

    def push(self, node: Node, piece: Piece) -> None:
        """A piece is ready; where some calls have to go alone, elements become ready one by one."""
        _, low, high = piece
        if high - low <= 1:
            self._put(node, piece)
        elif self.attempts.alone:
            for index in reversed(range(low, high)):
                self._put(node, (node.id, index, index + 1))
        elif self.schedule.remote.isdisjoint(node.follows):
            self._put(node, piece)
        else:
            for run in reversed(list(self._by_worker(node, piece))):
                self._put(node, run)

    def _put(self, node: Node, piece: Piece) -> None:
        task = node.task
        lane = self.lane(task)
        if self.attempts.alone:
            lane = self._lane_of_one(lane, first_of(piece))
        queue = self.queues.get(lane)
        if queue is None:
            if lane.asks:
                self.asked.append(piece)
                return
            queue = self.queues[lane] = Queue()
        queue.push(task, piece)

    def _lane_of_one(self, lane: Lane, key: Key) -> Lane:
        """The lane of a call, some of which have to go alone, or even while nothing else runs."""
        if key not in self.attempts.alone:
            return lane
        secluded = key in self.attempts.suspects
        return lane._replace(together=False, secluded=secluded, asks=False, keeps=lane.asks)

    def _by_worker(self, node: Node, piece: Piece) -> Iterator[Piece]:
        """The elements of a piece in runs that lie on one worker, for each worker in turn a few of them."""
        runs: dict[str | None, list[Piece]] = {}
        low = piece[1]
        for worker, group in groupby(range(*piece[1:]), lambda at: self.worker_of(node, at)):
            high = low + len(list(group))
            runs.setdefault(worker, []).append((node.id, low, high))
            low = high
        for turn in range(4):
            for own in runs.values():
                few = -(-len(own) // 4)
                yield from own[turn * few : (turn + 1) * few]

    def worker_of(self, node: Node, low: int) -> str | None:
        """The worker on which a large value lies that a call takes; None if there is none."""
        for upstream in node.follows:
            if upstream in self.schedule.remote:
                return worker_of(self.schedule.mapped[upstream].values[low])
        for read in node.reads:
            if read in self.schedule.remote and (worker := worker_of(self.schedule.values[read])):
                return worker
        return None

    def missed(self, piece: Piece) -> None:
        """The cache does not have the values of a piece that was asked for: it is to run."""
        task = self.schedule.nodes[piece[0]].task
        lane = self.lane(task)._replace(asks=False, keeps=True)
        self.queues.setdefault(lane, Queue()).push(task, piece)
