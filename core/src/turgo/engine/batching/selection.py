"""Selects the calls of a batch. It takes ready ones, and those that they make ready and that can go with them. Pure.

A batch advances through the graph: a call whose inputs are all at hand, or made earlier in the same batch, may join it.
So a chain costs one round trip, and a small graph is shipped whole.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from turgo.engine.schedule.pieces import Piece
from turgo.engine.schedule.ready import Lane
from turgo.engine.schedule.schedule import Schedule
from turgo.flows.graph import Node
from turgo.flows.policy.triggers import all_successful
from turgo.flows.task import AnyTask
from turgo.records.states import RUNNING, TaskState


class Selection:
    """One selection of pieces that are to run together.

    costs: seconds for a call of each task; most: how many of it may go together. first: how many of a task that is not
    in `costs` may go together, by how many are ready.
    """

    def __init__(
        self,
        schedule: Schedule,
        lane: Lane,
        costs: Mapping[AnyTask, float],
        most: Mapping[AnyTask, int],
        first: Callable[[int], int] = lambda ready: 1,
    ) -> None:
        self.progress = schedule.progress
        self.ready = schedule.ready
        self.lane = lane
        self.costs = costs
        self.most = most
        self.first = first
        self.queue = schedule.ready.queues[lane]
        self.pieces: list[Piece] = []
        self.spent = 0.0
        self.counts: dict[AnyTask, int] = {}
        self.missing: dict[int, int] = {}
        self.near: list[tuple[int, int, int, bool]] = []
        self.fusible: dict[AnyTask, bool] = {}
        self.worker: str | None = None

    def fill(self, budget: float, chain: float) -> list[Piece]:
        """Take from what the batch itself makes ready, else from what is ready, until the budget is spent.

        budget: seconds of work. chain: seconds of work for calls that can run nowhere else, since all that they wait
        for is in this batch and nothing else waits for it. What is of a task that is not in `costs` goes alone.
        """
        costs, near, nodes, ready = self.costs, self.near, self.progress.nodes, self.queue.pieces
        counts, most, remote = self.counts, self.most, self.progress.remote
        while near or ready:
            own = not near
            node_id, low, high, chained = (*ready[-1], False) if own else near.pop()
            node, limit = nodes[node_id], chain if chained else budget
            if own and remote and self._elsewhere(node, low):
                break
            cost = costs.get(node.task)
            if cost is None or not self.lane.together:
                if own:
                    return self._alone(node, low, high)
                continue
            if low < 0:
                room = self.spent + cost <= limit and counts.get(node.task, 0) < most[node.task]
                fits = 1 if room else 0
            else:
                each = self._with_followers(node) if own else cost
                fits = self._fitting(node.task, high - low, limit, each)
            if fits < 1 and own and not self.pieces:
                fits = 1
            if own:
                if fits < 1:
                    break
                self._pop(node, low, high, fits)
            elif fits < (high - low or 1):
                continue  # it is not ready yet but for this batch; it will be
            if low < 0:
                self._add_single(node, cost)
            else:
                self._add_elements(node, low, low + fits, cost)
                self._reach_from_elements(node, low, low + fits)
        return self.pieces

    def _elsewhere(self, node: Node, low: int) -> bool:
        """Whether a call takes a large value from another worker than those before it do."""
        worker = self.ready.worker_of(node, low)
        if self.worker is None:
            self.worker = worker
        return worker not in (None, self.worker)

    def _alone(self, node: Node, low: int, high: int) -> list[Piece]:
        """A call that does not share, or a few of which nobody knows the cost: the batch is it, unless there is one."""
        if not self.pieces:
            few = self.first(self.queue.calls[node.task]) if self.lane.together else 1
            few = min(few, high - low or 1)
            self._pop(node, low, high, few)
            if low >= 0:
                self._add_elements(node, low, low + few, 0.0)
            else:
                self._add_single(node, 0.0)
        return self.pieces

    def _fitting(self, task: AnyTask, count: int, limit: float, each: float) -> int:
        """How many of so many elements, of `each` seconds, the batch still has room for."""
        room = self.most[task] - self.counts.get(task, 0)
        return min(count, room, int((limit - self.spent) / each))

    def _pop(self, node: Node, low: int, high: int, count: int) -> None:
        self.queue.pieces.pop()
        self.queue.took(node.task, count)
        if count < high - low:
            self.queue.pieces.append((node.id, low + count, high))

    def _add_single(self, node: Node, cost: float) -> None:
        """Take a single call, and find which others can run in the same batch after it."""
        progress, task, node_id = self.progress, node.task, node.id
        self.pieces.append((node_id, -1, -1))
        progress.states[node_id] = RUNNING
        if progress.events is not None:
            progress.report(node_id, TaskState.RUNNING)
        self.spent += cost
        self.counts[task] = self.counts.get(task, 0) + 1
        missing, nodes, still_missing = self.missing, progress.nodes, progress.missing
        found = []
        for consumer in progress.consumers[node_id]:
            left = missing[consumer] if consumer in missing else still_missing[consumer]
            if left > 1:
                missing[consumer] = left - 1
            else:
                following = nodes[consumer]
                if following.spread is None and self._fusible(following):
                    found.append(consumer)
        if found:
            chained = len(progress.consumers[node_id]) == 1
            self.near += [(consumer, -1, -1, chained) for consumer in reversed(found)]

    def _with_followers(self, node: Node) -> float:
        """Seconds for one element, together with what follows it in the same batch."""
        progress, total, ahead = self.progress, 0.0, [node]
        while ahead:  # no recursion, as maps may follow each other a thousand deep
            node = ahead.pop()
            total += self.costs[node.task]
            for follower in progress.followers.get(node.id, ()):
                following = progress.nodes[follower]
                if following.task in self.costs and self._fusible(following) and len(following.follows) == 1:
                    ahead.append(following)
        return total

    def _add_elements(self, node: Node, low: int, high: int, cost: float) -> None:
        progress, count = self.progress, high - low
        self.pieces.append((node.id, low, high))
        self.spent += cost * count
        self.counts[node.task] = self.counts.get(node.task, 0) + count
        progress.mapped[node.id].states[low:high] = bytes((RUNNING,)) * count
        progress.report(node.id, TaskState.RUNNING, low, high)

    def _reach_from_elements(self, node: Node, low: int, high: int) -> None:
        """Find what can run in the same batch after these elements: those of the next map, or what reduces them."""
        progress = self.progress
        found: list[Piece] = []
        if low == 0 and high == progress.mapped[node.id].width:
            for consumer in progress.consumers[node.id]:
                left = self.missing.get(consumer, progress.missing[consumer])
                self.missing[consumer] = left - 1
                following = progress.nodes[consumer]
                if left == 1 and following.spread is None and self._fusible(following):
                    found.append((consumer, -1, -1))
        for follower in progress.followers.get(node.id, ()):
            following = progress.nodes[follower]
            opened = follower in progress.mapped and high <= progress.mapped[follower].width
            if opened and len(following.follows) == 1 and self._fusible(following):
                found.append((follower, low, high))
        chained = len(progress.consumers[node.id]) + len(progress.followers.get(node.id, ())) == 1
        self.near += [(*piece, chained) for piece in reversed(found)]

    def _fusible(self, node: Node) -> bool:
        """Whether a call may run as soon as what it needs has succeeded, in this batch."""
        task = node.task
        if task not in self.fusible:
            ordinary = task.policy.trigger is all_successful
            self.fusible[task] = ordinary and self.ready.lane(task) == self.lane
        progress = self.progress
        if progress.apart and not all(progress.nodes[each].task in progress.plain for each in node.upstream):
            return False
        return self.fusible[task] and not progress.irregular[node.id]
