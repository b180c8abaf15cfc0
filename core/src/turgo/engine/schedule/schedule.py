"""The schedule: the state machine of the task runs of one graph. Pure: no clock, no thread, no executor.

    Schedule(graph, ledger)      the nodes without upstreams are ready
    ready                   -->  ready pieces; `Selection.fill` chooses those that are to run together
    succeeded / failed / …  <--  the outcome of a piece; what depends on it becomes ready, Skipped, TriggerFailed …
    done                         no node is left

The states of a task run, and the methods that change them (`Selection.fill` alone makes a call Running):

                         ┌──────────── not_run, given_back, lost ────────────┐
                         v                                                   │
    ┄┄waits┄┄> PENDING, ready ──────────── fill ──────────────────> RUNNING ─┴─ succeeded ──> SUCCESS
       │          │      ^                                           │
       │          │      └─ retry ── RETRYING <── failed, tries left ┤
       │          │                                                  └─ failed, none left ──> FAILED, TIMED_OUT,
       │          ├─ succeeded, by the cache ──> CACHED                                       CRASHED, SKIPPED
       │          └─ refuse: no cache key ────> FAILED
       └─ refused, when all upstreams are over ──> SKIPPED, TRIGGER_FAILED; FAILED if the trigger itself raises
          merge, when all branches are over ─────> SUCCESS, SKIPPED                    cancel: any ──> CANCELLED

No method leaves a state on the right: a task run in it is over. A call *waits* as long as `missing` of its node, or of
its element, is above 0; the end of a task run takes 1 from each that depends on it. It is *ready* from then on until
`fill` takes it: in one queue of `ready`, or in the list of what the cache is asked for. A mapped node is PENDING until
its last element is over; its state is then that of its first element that failed, else SUCCESS, or SKIPPED if all were.

What is dealt with are *pieces*, `(node, low, high)`: see `pieces`. The end of one task run may end a hundred thousand
others; these follow each other through work lists (`drain`) and not down the stack.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import nullcontext
from functools import cached_property
from typing import Any

from turgo.engine.schedule.conditions import barred, merge, pick, refused
from turgo.engine.schedule.elements import Elements
from turgo.engine.schedule.pieces import Piece, keys_of, parts_of, piece_of, without
from turgo.engine.schedule.progress import Progress
from turgo.engine.schedule.ready import Place, Ready
from turgo.errors import WorkerLostError
from turgo.flows.graph import Graph, Node
from turgo.flows.operators import merging
from turgo.flows.task import AnyTask, picking
from turgo.records.ledger import Failure, Key, Ledger
from turgo.records.states import OVER, PENDING, PRESENT, RETRYING, RUNNING, STATES, SUCCESS, TaskState

LOST_PARTS = 4
"""In how many parts the calls of a lost batch go again: a thousand calls take five rounds, each a worker."""


class Schedule:
    """Moves the task runs of one graph from state to state.

    progress: the facts, for all who only read. ready: the calls that may run now.
    places: where the calls of tasks run that do not run on the run's own executor.
    caching: whether there is a cache to be asked for the values of tasks that have a `cache_key`.
    keeping: whether values are kept until the run is over. resuming: whether each call is asked for before it runs.
    """

    def __init__(
        self,
        graph: Graph,
        ledger: Ledger,
        *,
        observed: bool = False,
        hard_timeouts: bool = False,
        places: Mapping[AnyTask, Place] | None = None,
        caching: bool = False,
        keeping: bool = False,
        resuming: bool = False,
    ) -> None:
        self.progress = Progress(graph, ledger, observed=observed, keeping=keeping)
        self.progress.note_input = _note_input
        self.attempts = self.progress.attempts
        home = Place(0, hard_timeouts)
        self.ready = Ready(self.progress, home, places or {}, caching=caching, resuming=resuming)
        self._start()

    @cached_property
    def elements(self) -> Elements:
        """The mapped calls; many graphs have none."""
        return Elements(self.progress, self.ready)

    @property
    def done(self) -> bool:
        """Whether every node is over."""
        return self.progress.unfinished == 0

    def _start(self) -> None:
        for node in self.progress.nodes:
            if not node.depends and not node.follows:
                if node.spread is not None:
                    self.elements.open(node)
                else:
                    self.ready.push(node, (node.id, -1, -1))
        if self.progress.nodes_over or self.progress.opening:
            self.drain()
        self.ready.reverse()

    def retry(self, key: Key) -> None:
        """A call that waited for its next try is ready again."""
        self.progress.set_state(key, PENDING)
        with self.ready.apart() if self.attempts.crashed(key) else nullcontext():
            self.ready.push(self.progress.nodes[key[0]], piece_of(key))

    def succeeded(self, node_id: int, value: Any, code: int = SUCCESS) -> None:
        """A single call has a value. code: SUCCESS, or CACHED if it came from the cache."""
        progress = self.progress
        progress.states[node_id] = code
        if progress.uses[node_id]:
            progress.values[node_id] = value
        if self.attempts.troubled:
            self.attempts.recovered((node_id, None))
        if progress.events is not None:
            progress.report(node_id, STATES[code])
        self._node_over(node_id)
        if progress.nodes_over or progress.opening:
            self.drain()

    def elements_succeeded(
        self,
        node_id: int,
        low: int,
        high: int,
        values: list[Any] | None,
        failures: Mapping[int, Any],
        code: int = SUCCESS,
    ) -> None:
        """Elements have values, save those at the offsets in `failures`, which are to be entered by `failed`.

        values: None if nothing needs them. code: SUCCESS, or CACHED if they came from the cache.
        """
        self.elements.succeeded(node_id, low, high, values, failures, code)
        self.drain()

    def failed(self, key: Key, failure: Failure) -> None:
        """A call failed, timed out, crashed or was skipped: it is tried again, or it is over."""
        final = self.attempts.failed(key, failure, self.progress.nodes[key[0]].task.policy)
        if final is None:
            self.progress.set_state(key, RETRYING)
            self.progress.report_one(key, TaskState.RETRYING)
            return
        self.progress.end(key, final.state, None if final.state is TaskState.SKIPPED else final.error)
        self.drain()

    def refuse(self, key: Key, failure: Failure) -> None:
        """A call has no cache key, as making it failed: the call has failed, and is not tried again."""
        self.progress.ledger.failures[key] = failure
        self.progress.end(key, failure.state, failure.error)
        self.drain()

    def not_run(self, key: Key) -> None:
        """A call was in a batch but did not run, since one that it needs failed there."""
        node_id, index = key
        node = self.progress.nodes[node_id]
        self.progress.set_state(key, PENDING)
        if index is None:
            if not self.progress.missing[node_id]:
                self._decide(node)
        elif not self.elements.held_up(node, index):
            self.elements.decide(node, index)
        self.drain()

    def given_back(self, piece: Piece) -> None:
        """Calls were in a batch that did not reach them, as it took too long."""
        node_id, low, high = piece
        if low < 0:
            self.not_run((node_id, None))
        else:
            self.elements.given_back(self.progress.nodes[node_id], low, high)
            self.drain()

    def lost(self, pieces: Iterable[Piece], failure: Failure, *, sure: bool, last: Key | None = None) -> None:
        """The worker of a batch was lost. A call that was alone in it has crashed; several go again in parts.

        sure: whether it was this batch's worker and no other's. If not, the batch goes again whole and isolated.
        last: the call that it had begun last, where workers tell: if it was this batch, it was this call.
        """
        lost = list(pieces)
        if last is not None and len(others := without(lost, last)):
            self.attempts.cleared([key for piece in others for key in keys_of(piece)], failure)
            self._go_again(parts_of(others, LOST_PARTS))
            lost = [piece_of(last)]
        keys = [key for piece in lost for key in keys_of(piece)]
        if not self.progress.nodes[keys[0][0]].task.policy.idempotent:  # then it was alone in its batch
            failure, sure = failure._replace(error=_may_have_run(failure.error)), True
        if self.attempts.lost(keys, failure, sure=sure):
            self.failed(keys[0], failure)
        else:
            self._go_again(parts_of(lost, LOST_PARTS if sure else 1))

    def excused(self, pieces: Iterable[Piece], failure: Failure) -> None:
        """A batch was lost, but not by its own calls: it goes again as it is. Not for ever, as it may be its calls."""
        lost = list(pieces)
        keys = [key for piece in lost for key in keys_of(piece)]
        idempotent = self.progress.nodes[keys[0][0]].task.policy.idempotent
        harmless = idempotent or not getattr(failure.error, "begun", True)
        if harmless and self.attempts.excused(keys, failure):
            self._go_again([lost])
        else:
            self.lost(lost, failure, sure=True)

    def _go_again(self, parts: list[list[Piece]]) -> None:
        """Parts of a lost batch are ready, each apart from all else."""
        for part in reversed(parts):
            with self.ready.apart():
                for piece in reversed(part):
                    self.given_back(piece)

    def cancel(self) -> None:
        """Nothing more is to run: all that is not over is Cancelled."""
        self.progress.cancel()
        self.ready.clear()
        self.attempts.waiting.clear()

    def drain(self) -> None:
        """Follow up all that is over.

        Elements go first: when a node opens, those that are over of what it follows have been counted.
        """
        progress = self.progress
        spans, opening, over = progress.spans, progress.opening, progress.nodes_over
        while spans or opening or over:
            if spans:
                self.elements.over(*spans.pop())
            elif opening:
                self.elements.open(opening.pop())
            else:
                self._node_over(over.pop())

    def _node_over(self, node_id: int) -> None:
        """Everything of a node is over: drop what only it needed, and see which nodes wait for nothing now."""
        progress = self.progress
        progress.unfinished -= 1
        node = progress.nodes[node_id]
        missing, states, uses = progress.missing, progress.states, progress.uses
        if states[node_id] not in PRESENT:
            self._make_consumers_irregular(node)
        for consumer in progress.consumers[node_id]:
            left = missing[consumer] = missing[consumer] - 1
            if not left and states[consumer] != RUNNING:
                self._unblocked(consumer)
        for upstream in node.needs:
            left = uses[upstream] = uses[upstream] - 1
            if not left:
                progress.drop_value(upstream)
        for upstream in node.follows:
            uses[upstream] -= 1
            if not uses[upstream]:
                progress.drop_value(upstream)

    def _make_consumers_irregular(self, node: Node) -> None:
        """What depends on a node that did not simply succeed has to ask its trigger."""
        progress = self.progress
        for consumer in progress.consumers[node.id]:
            progress.irregular[consumer] = 1
        if node.spread is not None and node.id not in progress.mapped:
            progress.opening += [progress.nodes[follower] for follower in progress.followers.get(node.id, ())]

    def _unblocked(self, node_id: int) -> None:
        """The last upstream of a node is over."""
        node = self.progress.nodes[node_id]
        if node.spread is not None:
            self.progress.opening.append(node)
        elif self.progress.irregular[node_id]:
            # if it is over, it took one element, and was so before the others
            if self.progress.states[node_id] not in OVER:
                self._decide(node)
        else:
            self.ready.push(node, (node_id, -1, -1))

    def _decide(self, node: Node) -> None:
        """All upstreams of a single call are over: it runs, or its trigger or a skip says that it does not."""
        if node.task is picking:
            if not barred(self.progress, node, None):
                pick(self.progress, node)
            return
        if refused(self.progress, node, None):
            return
        if node.task is merging:
            merge(self.progress, node)
        else:
            self.ready.push(node, (node.id, -1, -1))


def _note_input(progress: Progress, key: Key) -> None:
    from turgo.engine.schedule.inputs import note_input  # late, with all that shows values: few calls fail

    note_input(progress, key)


def _may_have_run(error: BaseException) -> WorkerLostError:
    """What is said of a call that is lost for good, as it may not be made twice."""
    lost = WorkerLostError(f"{error}; it may have run, and is not sent again, as it is not idempotent")
    lost.__cause__ = error
    return lost
