"""The schedule: which calls are ready, and what follows from what came of one. Pure: no clock, no thread, no executor.

    Schedule(graph, ledger)      the nodes without upstreams are ready
    queues                  -->  ready pieces; `Taking.fill` chooses those that are to run together
    succeeded / failed / …  <--  what came of a piece; marks what depends on it as ready, skipped, trigger-failed …
    done                         nothing is left

A *piece* is `(node, low, high)`: elements `low` to `high` of a mapped node, or `(node, -1, -1)` for a single call.
A million mapped calls are thus a handful of pieces, and their states are slices of a bytearray.

Nodes that are over go onto a list of work (`drain`) rather than down the stack, so a chain of 100,000 tasks that may
not run any more does not overflow it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from penstock.engine.elements import Elements, Mapped
from penstock.engine.queues import AnyTask, Lane, Piece, Queue
from penstock.engine.states import CANCELLED, OVER, PENDING, RETRYING, RUNNING, SUCCESS
from penstock.flows.graph import Graph, Node
from penstock.flows.templates import results_in
from penstock.ledger import Failure, Key, Ledger
from penstock.records import TaskEvent
from penstock.states import CODE, STATES, TaskState
from penstock.triggers import all_successful


class Schedule:
    """The state of one run of a graph.

    values: what the nodes brought, for as long as something needs it. returned: the nodes that the flow returned.
    """

    def __init__(
        self, graph: Graph, ledger: Ledger, *, observed: bool = False, hard_timeouts: bool = False
    ) -> None:
        nodes = self.nodes = graph.nodes
        count = len(nodes)
        self.ledger = ledger
        self.hard_timeouts = hard_timeouts
        self.states = ledger.states
        self.values: list[Any] = [None] * count
        self.mapped: dict[int, Mapped] = {}
        self.queues: dict[Lane, Queue] = {}
        self._lanes: dict[AnyTask, Lane] = {}
        self.retries: list[tuple[float, Key]] = []
        self.events: list[TaskEvent] | None = [] if observed else None
        self.unfinished = count
        self.returned = results_in(graph.returns)
        self.consumers: list[list[int]] = [[] for _ in range(count)]
        self.followers: dict[int, list[int]] = {}
        self.missing = [len(node.depends) for node in nodes]
        self.unwell = bytearray(count)
        self._tries: dict[Key, int] = {}
        self._crashes: dict[Key, int] = {}
        self.alone: set[Key] = set()
        self.suspects: set[Key] = set()
        self.spans: list[Piece] = []
        self.opening: list[Node] = []
        self.nodes_over: list[int] = []
        self.elements = Elements(self)
        self._connect(nodes)
        self._start(nodes)

    @property
    def troubled(self) -> bool:
        """Whether any call had to be tried or sent again, so that something may have to be struck out."""
        return bool(self._tries or self._crashes or self.alone)

    def recovered(self, key: Key) -> None:
        """A call brought a value: an earlier failure of it no longer counts, and it need not go alone any more."""
        self.ledger.failures.pop(key, None)
        self._at_rest(key)

    def _at_rest(self, key: Key) -> None:
        self.alone.discard(key)
        self.suspects.discard(key)

    @property
    def done(self) -> bool:
        """Whether every node is over."""
        return self.unfinished == 0

    def _connect(self, nodes: list[Node]) -> None:
        consumers, followers = self.consumers, self.followers
        for node in nodes:
            node_id = node.id
            for upstream in node.depends:
                consumers[upstream].append(node_id)
            for upstream in node.follows:
                followers.setdefault(upstream, []).append(node_id)
            if node.task.policy.trigger is not all_successful:
                self.unwell[node_id] = 1  # it has to be asked even if all is well: `any_failed` says no then
        uses = self.uses = [len(consuming) for consuming in consumers]
        for upstream, following in followers.items():
            uses[upstream] += len(following)
        for node in nodes:
            if node.needs is not node.depends:
                for upstream in set(node.depends).difference(node.needs):
                    uses[upstream] -= 1
        for returned in self.returned:
            uses[returned] += 1

    def _start(self, nodes: list[Node]) -> None:
        roots = [node for node in nodes if not node.depends and not node.follows]
        for node in roots:
            if node.spread is not None:
                self.elements.open(node)
            else:
                self.push(node, (node.id, -1, -1))
        self.drain()
        for queue in self.queues.values():
            queue.pieces.reverse()  # the first that was recorded is on top

    # What is ready.

    def lane(self, task: AnyTask) -> Lane:
        """Which calls one of this task may share a batch with."""
        lane = self._lanes.get(task)
        if lane is None:
            policy = task.policy
            may_be_killed = self.hard_timeouts and policy.timeout is not None  # nobody else with it, then
            lane = self._lanes[task] = Lane(policy.tags, policy.batch and not may_be_killed)
        return lane

    def push(self, node: Node, piece: Piece) -> None:
        """A piece is ready; where some calls have to go alone, elements become ready one by one."""
        if self.alone and piece[2] - piece[1] > 1:
            for index in reversed(range(piece[1], piece[2])):
                self.push(node, (node.id, index, index + 1))
            return
        task = node.task
        lane = self.lane(task)
        key = (piece[0], piece[1] if piece[1] >= 0 else None)
        if self.alone and key in self.alone:
            lane = Lane(lane.tags, together=False, secluded=key in self.suspects)
        queue = self.queues.get(lane)
        if queue is None:
            queue = self.queues[lane] = Queue()
        queue.push(task, piece)

    def retry(self, key: Key) -> None:
        """A call that waited for its next try is ready again."""
        node, index = key
        self._set_state(key, PENDING)
        self.push(self.nodes[node], (node, -1, -1) if index is None else (node, index, index + 1))

    # What came of a piece.

    def succeeded(self, node_id: int, value: Any) -> None:
        """A single call brought a value."""
        self.states[node_id] = SUCCESS
        if self.uses[node_id]:
            self.values[node_id] = value
        if self.troubled:
            self.recovered((node_id, None))
        if self.events is not None:
            self.tell(node_id, TaskState.SUCCESS)
        self._node_over(node_id)
        if self.nodes_over or self.opening:
            self.drain()

    def failed(self, key: Key, failure: Failure) -> None:
        """A call failed, timed out or was skipped: it is tried again, or it is over."""
        node = self.nodes[key[0]]
        if failure.state is TaskState.CRASHED:
            tries, allowed = self._crashes, node.task.policy.crash_retries
        else:
            tries, allowed = self._tries, node.task.policy.retries
        tried = tries[key] = tries.get(key, 0) + 1
        self.ledger.failures[key] = failure
        if failure.state is not TaskState.SKIPPED and tried <= allowed:
            self._keep_attempt(key)
            self._set_state(key, RETRYING)
            self._tell_key(key, TaskState.RETRYING)
            crashed = failure.state is TaskState.CRASHED
            self.retries.append((0.0 if crashed else node.task.policy.retry_delay, key))
            return
        self.end(key, failure.state, None if failure.state is TaskState.SKIPPED else failure.error)
        self.drain()

    def not_run(self, key: Key) -> None:
        """A call was in a batch but did not run, since one that it needs failed there."""
        node_id, index = key
        node = self.nodes[node_id]
        self._set_state(key, PENDING)
        if index is None:
            if not self.missing[node_id]:
                self._decide(node)
        elif self.elements.ready(node, index):
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
        self.alone.update(keys)
        if len(keys) == 1 and sure:
            self.failed(keys[0], failure)
            return
        if len(keys) == 1:
            self.suspects.add(keys[0])
        for key in reversed(keys):
            self.not_run(key)

    def cancel(self) -> None:
        """Nothing more is to run: all that is not over is Cancelled."""
        for node in self.nodes:
            if self.states[node.id] in OVER:
                continue
            self.states[node.id] = CANCELLED
            count, mapped = 1, self.mapped.get(node.id)
            if mapped is not None:
                left = [index for index, code in enumerate(mapped.states) if code not in OVER]
                count = len(left)
                for index in left:
                    mapped.states[index] = CANCELLED
            if self.events is not None:
                self.events.append(TaskEvent(node.task.name, TaskState.CANCELLED, count, node.id))
        self.queues.clear()
        self.retries.clear()
        self.unfinished = 0

    def decisive(self) -> Iterator[Node]:
        """The nodes that decide the state of the run: those that were returned, and those that nothing follows."""
        for node in self.nodes:
            if node.id in self.returned or not (self.consumers[node.id] or self.followers.get(node.id)):
                yield node

    def users(self, node_id: int) -> tuple[list[int], list[int]] | None:
        """The nodes that take the value of a node, as a whole and element by element; None if the flow returns it."""
        if node_id in self.returned:
            return None
        return self.consumers[node_id], self.followers.get(node_id, [])

    def states_of(self, node_id: int) -> Iterable[int]:
        """The codes of the task runs of a node."""
        mapped = self.mapped.get(node_id)
        return (self.states[node_id],) if mapped is None else mapped.states

    # States.

    def _set_state(self, key: Key, code: int) -> None:
        node, index = key
        if index is None:
            self.states[node] = code
        else:
            self.mapped[node].states[index] = code

    def _keep_attempt(self, key: Key) -> None:
        attempt = self.ledger.last_attempt(key)
        if attempt is not None:
            self.ledger.earlier.setdefault(key, []).append(attempt)
        if key[1] is None:
            self.ledger.times[key[0]] = None

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
        self._at_rest(key)
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

    # What follows.

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
            self.push(node, (node_id, -1, -1))

    def _forget(self, node_id: int) -> None:
        """Nothing is still to use a node. (One that maps over fewer of its elements may be over before it is.)"""
        self.values[node_id] = None
        if node_id in self.mapped and self.mapped[node_id].over:
            self.mapped[node_id].values = []

    def _decide(self, node: Node) -> None:
        """All upstreams of a single call are over: it runs, or its trigger or a skip says that it does not."""
        verdict = self.verdict(node, None)
        if verdict is None:
            self.push(node, (node.id, -1, -1))
        else:
            self.end((node.id, None), verdict, None)

    def verdict(self, node: Node, index: int | None) -> TaskState | None:
        """Why a call may not run, as the state that it then has; None if it may."""
        policy = node.task.policy
        whole = [STATES[self.states[upstream]] for upstream in node.depends]
        own: list[TaskState] = []
        if index is not None:
            own = [STATES[self.mapped[upstream].states[index]] for upstream in node.follows]
        if policy.skip_on_upstream_skip and TaskState.SKIPPED in (*whole, *own):
            return TaskState.SKIPPED
        if policy.trigger is all_successful:  # the state of a mapped node says whether any element failed
            states = whole + own
        else:
            states = [STATES[code] for upstream in node.depends for code in self.states_of(upstream)] + own
        runs = not node.upstream or policy.trigger.allows(states)
        return None if runs else TaskState.TRIGGER_FAILED


def keys_of(piece: Piece) -> Iterator[Key]:
    """The task runs of a piece."""
    node, low, high = piece
    if low < 0:
        yield node, None
    else:
        yield from ((node, index) for index in range(low, high))
