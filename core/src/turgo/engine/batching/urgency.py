"""The urgency of a ready call: the length of its longest waiting path. Pure.

Where more is ready than can run, the calls with the longest remaining path go first, or the slots idle at the end while
the last of a chain is waited for. That matters once the paths are long beside what there is to do on every slot; before
that the ready calls stay a stack, so that what was begun is finished before more is begun, and few values are alive.

    rank of a node = seconds of a call of it + the highest rank of those that wait for it

A task that is not known yet counts as the mean of those that are. A mapped node that follows another one has the rank
of that: its elements are taken as soon as they are ready, and a chain of maps keeps few of its values.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from turgo.engine.schedule.pieces import Piece
from turgo.engine.schedule.progress import Progress
from turgo.engine.schedule.ready import Queue
from turgo.flows.task import AnyTask

URGENT_TIMES = 4.0
"""Ranks decide once what is ready keeps the slots busy for no more than so many times the longest path."""

PRESSING_TIMES = 2.0
"""A path that waits presses once what is ready keeps the slots busy for no more than so many times as long: slots have
time to spare, and the next call of that path has none."""

UNKNOWN_CALL_SECONDS = 1.0
"""What every call is thought to take while none is known: paths are as long as they have nodes then."""


class Urgency:
    """Orders the ready calls of one run.

    ranks: of its nodes, in seconds; empty until they are needed. decides: whether the order mattered the last time.
    presses: whether calls that wait are more urgent than some that are ready, and should find a free slot.
    """

    def __init__(self, progress: Progress) -> None:
        self.ranks: list[float] = []
        self.decides = False
        self.presses = False
        self._progress = progress
        self._longest = 0.0
        self._known = 0
        self._falling: list[int] = []
        self._seen = 0
        self._ready = 0.0

    def order(self, queue: Queue, costs: Mapping[AnyTask, float], slots: int) -> None:
        """Let the most urgent pieces of a queue be taken next, if there are more calls than slots and it matters."""
        self._sort(queue, costs, slots)
        self.presses = False
        if self.decides and queue.pieces:
            waiting = self._waiting()
            least = self.ranks[queue.pieces[0][0]]  # as they are in order
            self.presses = waiting > least and self._ready <= PRESSING_TIMES * slots * waiting

    def overtakes(self, node: int) -> bool:
        """Whether something that is not ready is more urgent than a call that is."""
        return self._waiting() > self.ranks[node]

    def leads(self, pieces: Sequence[Piece]) -> float:
        """The highest rank of what waits for the calls of a batch; 0 where the order does not matter."""
        if not self.decides:
            return 0.0
        progress, ranks = self._progress, self.ranks
        inside = {node for node, _, _ in pieces}
        behind = (
            each for node in inside for each in (*progress.consumers[node], *progress.followers.get(node, ()))
        )
        return max((ranks[each] for each in behind if each not in inside), default=0.0)

    def _sort(self, queue: Queue, costs: Mapping[AnyTask, float], slots: int) -> None:
        if len(queue.pieces) < 2 or not queue.unordered:
            return
        if sum(queue.calls.values()) <= slots:
            return
        if not self.ranks or len(costs) >= 2 * self._known:
            self._rank(costs)
        mean = self._mean(costs)
        ready = sum(count * costs.get(task, mean) for task, count in queue.calls.items())
        self.decides = ready <= URGENT_TIMES * slots * self._longest
        self._ready = ready
        if self.decides:
            ranks = self.ranks
            queue.pieces.sort(
                key=lambda piece: ranks[piece[0]]
            )  # stable: of equal ones the last pushed goes first
            queue.unordered = False

    def _waiting(self) -> float:
        """The highest rank of what is not ready yet."""
        falling, missing = self._falling, self._progress.missing
        while self._seen < len(falling) and not missing[falling[self._seen]]:
            self._seen += 1
        return self.ranks[falling[self._seen]] if self._seen < len(falling) else 0.0

    def _mean(self, costs: Mapping[AnyTask, float]) -> float:
        return sum(costs.values()) / len(costs) if costs else UNKNOWN_CALL_SECONDS

    def _rank(self, costs: Mapping[AnyTask, float]) -> None:
        """Find all ranks; anew when twice as many tasks are known."""
        progress, mean = self._progress, self._mean(costs)
        consumers, followers = progress.consumers, progress.followers
        ranks = [0.0] * len(progress.nodes)
        for node in reversed(progress.nodes):  # which are recorded after those that they depend on
            behind = [*consumers[node.id], *followers.get(node.id, ())]
            ranks[node.id] = costs.get(node.task, mean) + max((ranks[each] for each in behind), default=0.0)
        for node in progress.nodes:
            for upstream in node.follows:
                ranks[node.id] = max(ranks[node.id], ranks[upstream])
        self.ranks = ranks
        self._falling = sorted(range(len(ranks)), key=lambda node: -ranks[node])
        self._seen = 0
        self._longest = max(ranks, default=0.0)
        self._known = max(1, len(costs))
