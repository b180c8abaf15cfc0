"""The schedule: which calls are ready, and what follows from what came of one. Pure: no clock, no thread, no executor.

    Schedule(graph, ledger)      the nodes without upstreams are ready
    ready                   -->  ready pieces; `Taking.fill` chooses those that are to run together
    succeeded / failed / …  <--  what came of a piece; marks what depends on it as ready, skipped, trigger-failed …
    done                         nothing is left

What it deals with are *pieces*, `(node, low, high)`: see `pieces`. The states of their elements are slices of a
bytearray.

Nodes that are over go onto a list of work (`drain`) rather than down the stack, so a chain of 100,000 tasks that may
not run any more does not overflow it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from penstock.engine.attempts import Attempts
from penstock.engine.edges import edges_of
from penstock.engine.elements import Elements, Mapped
from penstock.engine.pieces import Piece, keys_of, piece_of
from penstock.engine.queues import Place
from penstock.engine.ready import Ready
from penstock.engine.remote import Remote, nowhere
from penstock.engine.states import CACHED, CANCELLED, OVER, PENDING, RETRYING, RUNNING, SUCCESS
from penstock.engine.verdicts import merge, refused
from penstock.flows.branches import merging
from penstock.flows.graph import Graph, Node
from penstock.flows.task import AnyTask
from penstock.flows.templates import results_in
from penstock.ledger import Failure, Key, Ledger
from penstock.records import TaskEvent
from penstock.states import CODE, STATES, TaskState
from penstock.triggers import all_successful


class Schedule:
    """The state of one run of a graph.

    values: what the nodes brought, for as long as something needs it. returned: the nodes that the flow returned.
    remote: nodes of which some values stayed on workers; a `Remote` stands for each of these.
    bring: how their values come here if they have to.
    first_failed: the first task run that failed for good by itself; a run that is to fail fast is cancelled then.
    places: where the calls of tasks run that do not run on the run's own executor.
    caching: whether there is a cache to be asked for the values of tasks that have a `cache_key`.
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
    ) -> None:
        nodes = self.nodes = graph.nodes
        count = len(nodes)
        self.ledger = ledger
        self.states = ledger.states
        self.values: list[Any] = [None] * count
        self.mapped: dict[int, Mapped] = {}
        self.remote: set[int] = set()
        self.bring: Callable[[Sequence[Remote]], None] = nowhere
        self.events: list[TaskEvent] | None = [] if observed else None
        self.unfinished = count
        self.returned = results_in(graph.returns)
        self.guards, self.max_map_width = graph.guards, graph.max_map_width
        self.consumers, self.followers, self.uses = edges_of(nodes, self.returned)
        self.missing = [len(node.depends) for node in nodes]
        # Nodes that have to be asked even if all is well count as unwell from the start: `any_failed` says no then.
        self.unwell = bytearray(node.task.policy.trigger is not all_successful for node in nodes)
        self.first_failed: Key | None = None
        self.attempts = Attempts(ledger)
        self.ready = Ready(self, Place(0, hard_timeouts), places or {}, caching=caching)
        self.spans: list[Piece] = []
        self.opening: list[Node] = []
        self.nodes_over: list[int] = []
        self.elements = Elements(self)
        self._start(nodes)

    @property
    def done(self) -> bool:
        """Whether every node is over."""
        return self.unfinished == 0

    def _start(self, nodes: list[Node]) -> None:
        roots = [node for node in nodes if not node.depends and not node.follows]
        for node in roots:
            if node.spread is not None:
                self.elements.open(node)
            else:
                self.ready.push(node, (node.id, -1, -1))
        self.drain()
        self.ready.turn()

    def retry(self, key: Key) -> None:
        """A call that waited for its next try is ready again."""
        self._set_state(key, PENDING)
        self.ready.push(self.nodes[key[0]], piece_of(key))

    def succeeded(self, node_id: int, value: Any, code: int = SUCCESS) -> None:
        """A single call brought a value; code: SUCCESS, or CACHED if it came from the cache."""
        self.states[node_id] = code
        if self.uses[node_id]:
            self.values[node_id] = value
        if self.attempts.troubled:
            self.attempts.recovered((node_id, None))
        if self.events is not None:
            self.tell(node_id, STATES[code])
        self._node_over(node_id)
        if self.nodes_over or self.opening:
            self.drain()

    def failed(self, key: Key, failure: Failure) -> None:
        """A call failed, timed out or was skipped: it is tried again, or it is over."""
        final = self.attempts.failed(key, failure, self.nodes[key[0]].task.policy)
        if final is None:
            self._set_state(key, RETRYING)
            self._tell_key(key, TaskState.RETRYING)
            return
        self.end(key, final.state, None if final.state is TaskState.SKIPPED else final.error)
        self.drain()

    def refuse(self, key: Key, failure: Failure) -> None:
        """A call cannot even be looked up: it has failed, and is not tried again."""
        self.ledger.failures[key] = failure
        self.end(key, failure.state, failure.error)
        self.drain()

    def not_run(self, key: Key) -> None:
        """A call was in a batch but did not run, since one that it needs failed there."""
        node_id, index = key
        node = self.nodes[node_id]
        self._set_state(key, PENDING)
        if index is None:
            if not self.missing[node_id]:
                self._decide(node)
        elif not self.elements.held_up(node, index):
            self.elements.decide(node, index)
        self.drain()

    def given_back(self, piece: Piece) -> None:
        """Calls were in a batch that did not come to them, as it took too long."""
        node_id, low, high = piece
        if low < 0:
            self.not_run((node_id, None))
        else:
            self.elements.given_back(self.nodes[node_id], low, high)
            self.drain()

    def lost(self, pieces: Iterable[Piece], failure: Failure, *, sure: bool) -> None:
        """The worker of a batch was lost. A call that was alone in it has crashed; several go again one by one.

        sure: whether it was this batch's worker and no other's. If not, a call that was alone goes again in seclusion.
        """
        keys = [key for piece in pieces for key in keys_of(piece)]
        if self.attempts.lost(keys, sure=sure):
            self.failed(keys[0], failure)
            return
        for key in reversed(keys):
            self.not_run(key)

    def cancel(self) -> None:
        """Nothing more is to run: all that is not over is Cancelled."""
        for node in self.nodes:
            if self.states[node.id] in OVER:
                continue
            self.states[node.id] = CANCELLED
            count = self.elements.cancel(node.id) if node.id in self.mapped else 1
            if self.events is not None:
                self.events.append(TaskEvent(node.task.name, TaskState.CANCELLED, count, node.id))
        self.ready.clear()
        self.attempts.waiting.clear()
        self.unfinished = 0

    def is_leaf(self, node_id: int) -> bool:
        """Whether nothing depends on a node."""
        return not (self.consumers[node_id] or self.followers.get(node_id))

    def let_go(self) -> None:
        """Forget all values, once the run has its result: what is elsewhere is not kept there for it any more."""
        self.values.clear()
        for mapped in self.mapped.values():
            mapped.values, mapped.sources = [], []

    def users(self, node_id: int) -> tuple[list[int], list[int]] | None:
        """The nodes that take the value of a node, as a whole and element by element; None if the flow returns it."""
        if node_id in self.returned:
            return None
        return self.consumers[node_id], self.followers.get(node_id, [])

    def states_of(self, node_id: int) -> Iterable[int]:
        """The codes of the task runs of a node."""
        mapped = self.mapped.get(node_id)
        return (self.states[node_id],) if mapped is None else mapped.states

    def _set_state(self, key: Key, code: int) -> None:
        node, index = key
        if index is None:
            self.states[node] = code
        else:
            self.mapped[node].states[index] = code

    def tell(self, node: int, state: TaskState, low: int | None = None, high: int | None = None) -> None:
        """Note for observers, if there are any, that a node or its elements `low` to `high` went into a state."""
        if self.events is not None:
            count = 1 if low is None or high is None else high - low
            self.events.append(TaskEvent(self.ledger.names[node], state, count, node, low, high))

    def _tell_key(self, key: Key, state: TaskState) -> None:
        node, index = key
        self.tell(node, state, index, None if index is None else index + 1)

    def end(self, key: Key, state: TaskState, value: Any) -> None:
        """A task run is over without having succeeded; `value` is what its consumers get if they run all the same."""
        node, index = key
        self.attempts.at_rest(key)
        if self.first_failed is None and state.failed and state is not TaskState.TRIGGER_FAILED:
            self.first_failed = key
        self._set_state(key, CODE[state])
        self._tell_key(key, state)
        if index is None:
            self.values[node] = value if self.uses[node] else None
            self.nodes_over.append(node)
            return
        mapped = self.mapped[node]
        mapped.values[index] = value if self.uses[node] else None
        mapped.unwell = True
        mapped.left -= 1
        self.spans.append((node, index, index + 1))

    def drain(self) -> None:
        """Follow up all that is over. Elements go first: when a node opens, what it follows is accounted for."""
        spans, opening, over = self.spans, self.opening, self.nodes_over
        while spans or opening or over:
            if spans:
                self.elements.over(*spans.pop())
            elif opening:
                self.elements.open(opening.pop())
            else:
                self._node_over(over.pop())

    def _node_over(self, node_id: int) -> None:
        """Everything of a node is over: free what only it needed, and see what it was the last to hold up."""
        self.unfinished -= 1
        node = self.nodes[node_id]
        missing, states, uses = self.missing, self.states, self.uses
        if states[node_id] != SUCCESS:
            self._went_ill(node)
        for consumer in self.consumers[node_id]:
            left = missing[consumer] = missing[consumer] - 1
            if not left and states[consumer] != RUNNING:
                self._unblocked(consumer)
        for upstream in node.needs:
            left = uses[upstream] = uses[upstream] - 1
            if not left:
                self._forget(upstream)
        for upstream in node.follows:
            uses[upstream] -= 1
            if not uses[upstream]:
                self._forget(upstream)

    def _went_ill(self, node: Node) -> None:
        """What depends on a node that did not simply succeed has to ask its trigger."""
        if self.states[node.id] == CACHED:
            return
        for consumer in self.consumers[node.id]:
            self.unwell[consumer] = 1
        if node.spread is not None and node.id not in self.mapped:
            self.opening += [self.nodes[follower] for follower in self.followers.get(node.id, ())]

    def _unblocked(self, node_id: int) -> None:
        node = self.nodes[node_id]
        if node.spread is not None:
            self.opening.append(node)
        elif self.unwell[node_id]:
            self._decide(node)
        else:
            self.ready.push(node, (node_id, -1, -1))

    def _forget(self, node_id: int) -> None:
        """Nothing is still to use a node. (One that maps over fewer of its elements may be over before it is.)"""
        self.values[node_id] = None
        if node_id in self.mapped and self.mapped[node_id].over:
            self.mapped[node_id].values = []

    def _decide(self, node: Node) -> None:
        """All upstreams of a single call are over: it runs, or its trigger or a skip says that it does not."""
        if refused(self, node, None):
            return
        if node.task is merging:
            merge(self, node)
        else:
            self.ready.push(node, (node.id, -1, -1))
