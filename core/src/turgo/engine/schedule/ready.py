"""The ready calls of a run, in lanes. Calls of the same lane may share a batch. Pure.

push ──> the queue of a lane, from which `Selection.fill` takes the pieces of a batch
  └────> asked, if the cache may have the value; what it does not have is put into a queue by `missed`
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import groupby
from typing import NamedTuple

from turgo.engine.schedule.pieces import Piece
from turgo.engine.schedule.progress import Progress
from turgo.engine.schedule.remote import worker_of
from turgo.flows.graph import Node
from turgo.flows.task import AnyTask


class Place(NamedTuple):
    """Where calls run: the number of the executor, and whether it kills those that take too long."""

    site: int = 0
    hard_timeouts: bool = False


class Lane(NamedTuple):
    """Calls that may share a batch: with the same tags, on the same executor, and if each of them may share one.

    part: calls that were lost with their worker, and share a batch with no others; 0 for all that were not.
    isolated: calls that run while nothing else does, as one of them may be what kills workers.
    site: the number of the executor that they run on, 0 for the run's own.
    asks: calls that the cache is asked for before they run. keeps: those that it did not have, whose values it is to
    store; nothing runs after them in a batch that could change those values.
    """

    tags: tuple[str, ...]
    together: bool
    part: int = 0
    isolated: bool = False
    site: int = 0
    asks: bool = False
    keeps: bool = False


class Queue:
    """The ready pieces of one lane: a stack, so that what was begun is finished before more is begun.

    calls: how many of each task. unordered: whether pieces were pushed since somebody put them into another order.
    """

    __slots__ = ("calls", "pieces", "unordered")

    def __init__(self) -> None:
        self.pieces: list[Piece] = []
        self.calls: dict[AnyTask, int] = {}
        self.unordered = True

    def push(self, task: AnyTask, piece: Piece) -> None:
        """Put a piece on top."""
        self.pieces.append(piece)
        self.unordered = True
        self.calls[task] = self.calls.get(task, 0) + (piece[2] - piece[1] or 1)

    def took(self, task: AnyTask, count: int) -> None:
        """Count calls of `task` that were taken."""
        self.calls[task] -= count


class Ready:
    """The ready calls of one run.

    queues: by lane. asked: ready pieces of tasks with a `cache_key`; whoever has a cache answers with
    `Schedule.succeeded` or `missed`. home, places: where calls run, and those of some tasks in particular.
    caching: whether there is a cache; if not, what has a `cache_key` simply runs. resuming: whether all calls are asked
    for, as an earlier run may have made them.
    """

    def __init__(
        self,
        progress: Progress,
        home: Place,
        places: Mapping[AnyTask, Place],
        *,
        caching: bool,
        resuming: bool = False,
    ) -> None:
        self.progress = progress
        self.attempts = progress.attempts
        self.queues: dict[Lane, Queue] = {}
        self.asked: list[Piece] = []
        self._home = home
        self._places = places
        self._caching = caching
        self._resuming = resuming
        self._lanes: dict[AnyTask, Lane] = {}
        self._parts = 0
        self._part = 0

    def __bool__(self) -> bool:
        """Whether there is anything to run, or to ask the cache for."""
        return bool(self.asked) or any(queue.pieces for queue in self.queues.values())

    def reverse(self) -> None:
        """Turn the stacks over, so that what was pushed first is taken first."""
        for queue in self.queues.values():
            queue.pieces.reverse()
        self.asked.reverse()

    def clear(self) -> None:
        """Drop all calls: nothing more is to run."""
        self.queues.clear()
        self.asked.clear()

    def lane(self, task: AnyTask) -> Lane:
        """The lane of the calls of a task."""
        lane = self._lanes.get(task)
        if lane is None:
            policy = task.policy
            site, hard_timeouts = self._places.get(task, self._home)
            may_be_killed = (
                hard_timeouts and policy.timeout is not None
            )  # the others of its batch with it, then
            asks = self._resuming or (self._caching and policy.cache_key is not None)
            together = policy.batch and policy.idempotent and not may_be_killed
            lane = self._lanes[task] = Lane(policy.tags, together, site=site, asks=asks)
        return lane

    def push(self, node: Node, piece: Piece) -> None:
        """Add a piece that is ready; elements that read large values in runs that lie on one worker."""
        _, low, high = piece
        if high - low <= 1 or self.progress.remote.isdisjoint(node.follows):
            self._put(node, piece)
        else:
            for run in reversed(list(self._by_worker(node, piece))):
                self._put(node, run)

    def _put(self, node: Node, piece: Piece) -> None:
        task = node.task
        lane = self.lane(task)
        if self._part:
            isolated = self.attempts.isolated
            lane = lane._replace(
                part=self._part, isolated=isolated, asks=False, keeps=lane.asks or lane.keeps
            )
        queue = self.queues.get(lane)
        if queue is None:
            if lane.asks:
                self.asked.append(piece)
                return
            queue = self.queues[lane] = Queue()
        queue.push(task, piece)

    @contextmanager
    def apart(self) -> Iterator[None]:
        """What is pushed inside shares a batch with nothing else."""
        self._parts += 1
        self._part = self._parts
        try:
            yield
        finally:
            self._part = 0

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
        progress = self.progress
        for upstream in node.follows:
            if upstream in progress.remote:
                return worker_of(progress.mapped[upstream].values[low])
        for read in node.reads:
            if read in progress.remote and (worker := worker_of(progress.values[read])):
                return worker
        return None

    def missed(self, piece: Piece) -> None:
        """Add a piece that the cache was asked for and does not have: it is to run."""
        task = self.progress.nodes[piece[0]].task
        lane = self.lane(task)._replace(asks=False, keeps=True)
        self.queues.setdefault(lane, Queue()).push(task, piece)
