"""Taking: which of the ready calls go into one batch, and which of those that they make ready go with them. Pure.

A batch advances through the graph: a call whose inputs are all at hand, or made earlier in the same batch, may join it.
So a chain costs one round trip, and a small graph travels whole.
"""

from __future__ import annotations

from collections.abc import Mapping

from penstock.engine.queues import AnyTask, Lane, Piece
from penstock.engine.schedule import RUNNING, Schedule
from penstock.flows.graph import Node
from penstock.records import TaskState
from penstock.triggers import all_successful


class Taking:
    """One choice of pieces that are to run together."""

    def __init__(
        self, schedule: Schedule, lane: Lane, costs: Mapping[AnyTask, float], most: Mapping[AnyTask, int]
    ) -> None:
        self.schedule, self.lane, self.costs, self.most = schedule, lane, costs, most
        self.pieces: list[Piece] = []
        self.spent = 0.0
        self.counts: dict[AnyTask, int] = {}
        self.missing: dict[int, int] = {}
        self.near: list[tuple[int, int, int, float]] = []

    def fill(self, budget: float, chain: float) -> list[Piece]:
        """Take from what the batch itself makes ready, else from what is ready, until the budget is spent."""
        schedule, costs, most, counts = self.schedule, self.costs, self.most, self.counts
        queue = schedule.queues.get(self.lane)
        nodes, near = schedule.nodes, self.near
        while near or (queue and queue.pieces):
            if near:
                node_id, low, high, limit = near.pop()
                own = False
            else:
                assert queue is not None
                node_id, low, high = queue.pieces[-1]
                limit, own = budget, True
            node = nodes[node_id]
            task = node.task
            cost = costs.get(task)
            count = high - low or 1
            if cost is None or not self.lane.together:
                if not own:
                    continue
                if self.pieces:
                    break
                fits = 1
            else:
                fits = min(count, most[task] - counts.get(task, 0))
                whole = cost if low < 0 else self._with_followers(node)
                if self.spent + whole * fits > limit:
                    fits = int((limit - self.spent) / whole)
                if fits < 1 and own and not self.pieces:
                    fits = 1
                if fits < count and (fits < 1 or not own):
                    if own:
                        break
                    continue
            if own and queue is not None:
                queue.pieces.pop()
                queue.took(task, fits)
                if fits < count:
                    queue.pieces.append((node_id, low + fits, high))
            if low >= 0:
                high = low + fits
            self._add(node, low, high, fits, cost or 0.0)
            if cost is None or not self.lane.together:
                break
            self._reach(node, low, high, budget, chain)
        return self.pieces

    def _with_followers(self, node: Node) -> float:
        """Seconds for one element, together with what follows it in the same batch."""
        schedule = self.schedule
        total = self.costs[node.task]
        for follower in schedule.followers.get(node.id, ()):
            following = schedule.nodes[follower]
            if following.task in self.costs and self._fusible(following) and len(following.follows) == 1:
                total += self._with_followers(following)
        return total

    def _add(self, node: Node, low: int, high: int, count: int, cost: float) -> None:
        schedule = self.schedule
        self.pieces.append((node.id, low, high))
        self.spent += cost * count
        self.counts[node.task] = self.counts.get(node.task, 0) + count
        if low < 0:
            schedule.states[node.id] = RUNNING
            schedule.tell(node.id, TaskState.RUNNING)
        else:
            schedule.mapped[node.id].states[low:high] = bytes((RUNNING,)) * count
            schedule.tell(node.id, TaskState.RUNNING, low, high)

    def _reach(self, node: Node, low: int, high: int, budget: float, chain: float) -> None:
        """Find what can run in the same batch once this piece is in it."""
        schedule = self.schedule
        found: list[Piece] = []
        if low < 0 or (low == 0 and high == schedule.mapped[node.id].width):
            missing = self.missing
            for consumer in schedule.consumers[node.id]:
                left = missing.get(consumer)
                if left is None:
                    left = schedule.missing[consumer]
                missing[consumer] = left - 1
                if left == 1:
                    following = schedule.nodes[consumer]
                    if following.spread is None and self._fusible(following):
                        found.append((consumer, -1, -1))
        if low >= 0:
            for follower in schedule.followers.get(node.id, ()):
                following = schedule.nodes[follower]
                if follower in schedule.mapped and len(following.follows) == 1 and self._fusible(following):
                    if high <= schedule.mapped[follower].width:
                        found.append((follower, low, high))
        limit = chain if len(found) == 1 else budget
        for piece in reversed(found):
            self.near.append((*piece, limit))

    def _fusible(self, node: Node) -> bool:
        """Whether a call may run as soon as what it needs has succeeded, in this batch."""
        schedule = self.schedule
        return (
            node.task.policy.trigger is all_successful
            and not schedule.unwell[node.id]
            and schedule.lane(node, (node.id, -1, -1)) == self.lane
        )
