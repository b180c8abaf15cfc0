"""A schedule that is driven by hand: the test plays the worker."""

import pytest

from turgo import flow
from turgo.engine.batching.selection import Selection
from turgo.engine.schedule.schedule import Schedule
from turgo.records.ledger import Failure, Ledger
from turgo.records.states import TaskState
from turgo.records.task_runs import TaskRuns
from turgo.worker.arguments import fill


class Driven:
    """The schedule of a flow's graph, and what the loop would do with it, one step at a time."""

    def __init__(self, body, *, observed=False, hard_timeouts=False, caching=False):
        self.graph = flow(body).record()
        self.ledger = Ledger(
            [node.task.name for node in self.graph.nodes], [node.index for node in self.graph.nodes]
        )
        self.schedule = Schedule(
            self.graph, self.ledger, observed=observed, hard_timeouts=hard_timeouts, caching=caching
        )
        self.progress = self.schedule.progress
        self.costs, self.most = {}, {}
        self.order = []

    def know(self, *tasks, cost=0.001, most=1_000_000):
        """From now on it is known what calls of these tasks cost, in seconds."""
        for task in tasks:
            self.costs[task], self.most[task] = cost, most

    def take(self, budget=1.0, chain=1.0, first=lambda ready: 1):
        """The next batch of the first lane that has one."""
        for lane, queue in self.schedule.ready.queues.items():
            if queue.pieces:
                return Selection(self.schedule, lane, self.costs, self.most, first).fill(budget, chain)
        return []

    def take_each(self):
        """The batches of all lanes, as long as there are any."""
        batches = []
        while pieces := self.take():
            batches.append(pieces)
        return batches

    def succeed(self, pieces, value=0):
        """Each call of a batch has the value `value`."""
        for node, low, high in pieces:
            self.order.append((self.graph.nodes[node].task.name, low))
            if low < 0:
                self.schedule.succeeded(node, value)
            else:
                self.schedule.elements_succeeded(node, low, high, [value] * (high - low), {})

    def fail(self, node, index=None, state=TaskState.FAILED):
        """One call failed."""
        self.schedule.failed((node, index), Failure(state, ValueError("on purpose")))

    def run(self, **limits):
        """Run to the end; every call succeeds."""
        while not self.schedule.done:
            pieces = self.take(**limits)
            assert pieces, "nothing is ready, but it is not over"
            self.succeed(pieces)

    @property
    def states(self):
        return [str(run.state) for run in TaskRuns(self.ledger)]

    @property
    def result(self):
        return fill(self.graph.returns, self.progress.values.__getitem__)


@pytest.fixture
def driven():
    """Make a schedule that is driven by hand, of a flow's body."""
    return Driven
