"""The progress of one run. It keeps what each node waits for, its state, and the values that are still needed.

    graph ──edges──> missing   how many upstreams of a node are not over      ─┐
    ledger ────────> states    one code per node, one byte per element         ├─ read by all, written by `schedule`
                     uses      how many are still to take the value of a node  ─┘
    spans, opening, nodes_over  work lists: what is over and whose consequences are still to be drawn

It knows the facts and keeps them consistent; what follows from a fact is decided by the modules above it, and
`schedule` moves the state machine. Pure: no clock, no thread, no executor.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from turgo.engine.schedule.attempts import Attempts
from turgo.engine.schedule.edges import edges_of
from turgo.engine.schedule.pieces import Piece
from turgo.engine.schedule.remote import RemoteValue, fetch_nothing
from turgo.flows.graph import Graph, Node
from turgo.flows.policy.triggers import all_successful
from turgo.flows.task import AnyTask, picking
from turgo.records.ledger import Key, Ledger, MappedColumns
from turgo.records.states import CANCELLED, CODE, OVER, TaskState
from turgo.records.task_run import INPUTS_TASK_RUNS, TaskEvent
from turgo.worker.arguments import results_in

KEPT_VALUES_BYTES = 1 << 30
"""What the values that a run keeps may take together; after that, those that nothing ahead needs are let go."""


class Mapped:
    """A mapped node whose width is known.

    sources: what it is spread over; see `width`. left: elements that are not over, -1 once the node itself is over.
    irregular: whether an element did not simply succeed. missing: for each element, upstreams that are not over, if
    the node follows more than one. picks: the nodes that take one element, by its index, as long as it is not over.
    """

    __slots__ = ("irregular", "left", "missing", "picks", "sources", "states", "values", "width")

    def __init__(self, columns: MappedColumns, sources: list[Any], follows: int) -> None:
        self.width = columns.width
        self.left = columns.width
        self.states = columns.states
        self.values: list[Any] = [None] * columns.width
        self.sources = sources
        self.irregular = False
        self.missing = bytearray([follows]) * columns.width if follows > 1 else None
        self.picks: dict[int, list[Node]] | None = None

    @property
    def over(self) -> bool:
        """Whether every element is over, and what follows from that was seen to."""
        return self.left < 0


class Progress:
    """How far one run of a graph has come.

    values: of the nodes that succeeded, for as long as something needs them. returned: nodes that the flow returns.
    irregular: nodes that have to be asked whether they run, since an upstream did not simply succeed, or since their
    trigger is not the ordinary one. remote: nodes of which some values stayed on workers; a `RemoteValue` stands for
    each of these. fetch: copies them here. first_failed: the first task run that failed for good by itself.
    held: nodes whose values stay until the run is over: those that it returns, all of them if it keeps its values.
    outward: whether each value is to come here, though nothing here needs it. apart: whether no call is to run in the
    batch that makes a value which it takes, as it could change it there; but those that take one of a task in plain,
    whose values nobody can change, so far.
    keeping: whether values are held; let_go: nodes whose values it has let go, as they became too large.
    note_input: writes down what a call was made of that fails. faulty_labels: tasks whose label failed.
    spans, opening, nodes_over: work lists of `Schedule.drain`: elements that are over, mapped nodes whose width may be
    known now, nodes that are over.
    """

    def __init__(
        self, graph: Graph, ledger: Ledger, *, observed: bool = False, keeping: bool = False
    ) -> None:
        nodes = graph.nodes
        self.nodes = nodes
        self.guards = graph.guards
        self.max_map_width = graph.max_map_width
        self.returned = results_in(graph.returns)
        self.keeping = keeping
        self.outward = False
        self.apart = False
        self.plain: set[AnyTask] = set()
        self.kept_bytes = 0
        self.let_go: set[int] = set()
        self.held = set(range(len(nodes))) if keeping else self.returned
        edges = edges_of(nodes, self.held)
        self.consumers = edges.consumers
        self.followers = edges.followers
        self.uses = edges.uses
        self.missing = [len(node.depends) for node in nodes]
        self.irregular = bytearray(node.task.policy.trigger is not all_successful for node in nodes)
        self.ledger = ledger
        self.states = ledger.states
        self.values: list[Any] = [None] * len(nodes)
        self.mapped: dict[int, Mapped] = {}
        self.remote: set[int] = set()
        self.fetch: Callable[[Sequence[RemoteValue]], None] = fetch_nothing
        self.note_input: Callable[[Progress, Key], None] | None = None
        self.faulty_labels: set[AnyTask] = set()
        self.attempts = Attempts(ledger)
        self.unfinished = len(nodes)
        self.first_failed: Key | None = None
        self.events: list[TaskEvent] | None = [] if observed else None
        self.spans: list[Piece] = []
        self.opening: list[Node] = []
        self.nodes_over: list[int] = []

    def is_leaf(self, node_id: int) -> bool:
        """Whether nothing depends on a node, or only on some of its elements."""
        whole = any(self.nodes[each].task is not picking for each in self.consumers[node_id])
        return not (whole or self.followers.get(node_id))

    def users(self, node_id: int) -> tuple[list[int], list[int]] | None:
        """The nodes that take the value of a node, as a whole and element by element; None if it is held."""
        if self.outward or node_id in self.held:
            return None
        return self.consumers[node_id], self.followers.get(node_id, [])

    def states_of(self, node_id: int) -> Iterable[int]:
        """The codes of the task runs of a node."""
        mapped = self.mapped.get(node_id)
        return (self.states[node_id],) if mapped is None else mapped.states

    def set_state(self, key: Key, code: int) -> None:
        """Write the state of one task run."""
        node, index = key
        if index is None:
            self.states[node] = code
        else:
            self.mapped[node].states[index] = code

    def report(
        self, node: int, state: TaskState, low: int | None = None, high: int | None = None, title: str = ""
    ) -> None:
        """Add an event for observers, if there are any: a node, or elements `low` to `high`, entered a state."""
        if self.events is not None:
            count = 1 if low is None or high is None else high - low
            self.events.append(TaskEvent(self.ledger.names[node], state, count, node, low, high, title))

    def report_one(self, key: Key, state: TaskState) -> None:
        """Add an event for observers: one task run entered a state."""
        node, index = key
        title = self.ledger.title(key) if key in self.ledger.inputs else ""
        self.report(node, state, index, None if index is None else index + 1, title)

    def end(self, key: Key, state: TaskState, value: Any) -> None:
        """End a task run that did not succeed; `value` is what its consumers get if they run all the same."""
        node, index = key
        if state.failed and state is not TaskState.TRIGGER_FAILED:
            self.first_failed = self.first_failed or key
            if self.note_input is not None:
                self.note_input(self, key)  # now, as its arguments may be dropped when it is over
        self.set_state(key, CODE[state])
        self.report_one(key, state)
        if index is None:
            self.values[node] = value if self.uses[node] else None
            self.nodes_over.append(node)
            return
        mapped = self.mapped[node]
        mapped.values[index] = value if self.uses[node] else None
        mapped.irregular = True
        mapped.left -= 1
        self.spans.append((node, index, index + 1))

    def cancel(self) -> None:
        """End all that is not over as Cancelled."""
        for node in self.nodes:
            if self.states[node.id] in OVER:
                continue
            self.states[node.id] = CANCELLED
            count = self._cancel_elements(node.id) if node.id in self.mapped else 1
            if self.events is not None:
                self.events.append(TaskEvent(node.task.name, TaskState.CANCELLED, count, node.id))
        self.unfinished = 0

    def _cancel_elements(self, node_id: int) -> int:
        """Cancel the elements of a node that are not over, and return how many those are."""
        states = self.mapped[node_id].states
        left = [index for index, code in enumerate(states) if code not in OVER]
        for index in left:
            states[index] = CANCELLED
        return len(left)

    def drop_value(self, node_id: int) -> None:
        """Drop the value of a node that nothing is still to use.

        A node that maps over only some of its elements may be over before it is; then its elements are kept.
        """
        self.values[node_id] = None
        if node_id in self.mapped and self.mapped[node_id].over:
            self.mapped[node_id].values = []

    def weigh(self, size: int) -> None:
        """Values of so many bytes are kept; from `KEPT_VALUES_BYTES` on, none are."""
        self.kept_bytes += size
        if self.kept_bytes > KEPT_VALUES_BYTES:
            self.stop_keeping()

    def stop_keeping(self) -> None:
        """Keep no values from now on but those that are needed, as they have become too large."""
        self.keeping = False
        self.let_go |= self.held - self.returned
        self.held = self.returned
        for mapped in self.mapped.values():
            if mapped.over:
                mapped.sources = []
        for node_id in self.let_go:
            self.uses[node_id] -= 1
            if not self.uses[node_id]:
                self.drop_value(node_id)

    @property
    def keeps_inputs(self) -> bool:
        """Whether what calls were made of is held once the run is over: a report shows it, if it is not too large."""
        widths = sum(each.width for each in self.mapped.values())
        return self.keeping and len(self.nodes) + widths <= INPUTS_TASK_RUNS

    def drop_values(self) -> None:
        """Drop what is not kept, once the run has its result: what stayed on workers is freed there too."""
        for mapped in () if self.keeps_inputs else self.mapped.values():
            mapped.sources = []
        if not self.keeping and not self.let_go:
            self.values.clear()
            for mapped in self.mapped.values():
                mapped.values = []
