"""The graph that a flow records: nodes, and the edges between them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import attrs

from turgo.config.schema import MAX_MAP_WIDTH
from turgo.errors import CycleError, GraphError
from turgo.flows.mapping import length_of
from turgo.flows.policy.options import FlowOptions
from turgo.flows.task import AnyTask
from turgo.names import did_you_mean, nearest
from turgo.outlines.structure import Structure
from turgo.worker.arguments import CONST, CONSTANTS, TEMPLATES, Template
from turgo.worker.functions import chosen

if TYPE_CHECKING:
    from turgo.outlines.outline import Outline


class Node:
    """One recorded call of a task; a `MappedNode` is one recorded `map`.

    id: its place in the graph; nodes are recorded after those they depend on.
    plan, args, kwargs: how its arguments are made; see `turgo.worker.arguments`.
    depends: ids of the nodes that must be over, as a whole, before it can run.
    needs: those of them whose values it uses; `after()` adds to `depends` alone.
    reads: those of them whose values are among the arguments of each call, as a whole.
    """

    __slots__ = ("args", "depends", "id", "kwargs", "needs", "plan", "reads", "task")

    follows: tuple[int, ...] = ()
    """For a mapped node, the ids of the mapped nodes that it follows element by element."""

    spread: tuple[int | str, ...] | None = None
    """For a mapped node, the positions and names of the arguments that are spread over the elements."""

    index: int | None = None
    """For a node made by mapping over a list that holds results, which element it is."""

    def __init__(
        self,
        id: int,
        task: AnyTask,
        plan: int,
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
        depends: tuple[int, ...],
    ) -> None:
        self.id = id
        self.task = task
        self.plan = plan
        self.args = args
        self.kwargs = kwargs
        self.depends = self.needs = self.reads = depends

    @property
    def upstream(self) -> tuple[int, ...]:
        """All nodes that it depends on, as a whole or element by element."""
        return (*self.depends, *self.follows)

    def __repr__(self) -> str:
        return f"<node {self.id}: {self.task.name}{'.map' if self.spread is not None else ''}>"


class MappedNode(Node):
    """One recorded `map`."""

    __slots__ = ("follows", "spread")


class ElementNode(Node):
    """One element of a `map` over a list that holds results."""

    __slots__ = ("index",)


@attrs.define(eq=False)
class Graph:
    """What one call of a flow recorded.

    flow: its name; nodes: in the order of recording; returns: the template of what the flow returned.
    recorded: whether a flow recorded it, which leaves no room for a circle.
    requires: what its executor has to offer; see `turgo.executor.CAPABILITIES`.
    options: how the run is to go.
    guards: for nodes that were recorded within a `case`, the node that says whether that is the one to take.
    max_map_width: how many elements a mapped node may have.
    """

    flow: str
    nodes: list[Node] = attrs.field(factory=list)
    returns: Template = (CONST, None)
    recorded: bool = False
    requires: frozenset[str] = frozenset()
    options: FlowOptions = attrs.field(factory=FlowOptions)
    guards: dict[int, int] = attrs.field(factory=dict)
    max_map_width: int = MAX_MAP_WIDTH

    @property
    def uses_cache(self) -> bool:
        """Whether any of its tasks has a `cache_key`."""
        return any(task.policy.cache_key is not None for task in {node.task for node in self.nodes})

    def check(self) -> None:
        """Raise CycleError if nodes depend on each other in a circle, GraphError if one depends on nothing known.

        What a flow records cannot contain either; a graph put together by hand can.
        """
        if self.recorded or all(earlier < node.id for node in self.nodes for earlier in node.upstream):
            return
        import graphlib  # late: a flow records no such graph

        self._check_known()
        try:
            graphlib.TopologicalSorter({node.id: node.upstream for node in self.nodes}).prepare()
        except graphlib.CycleError as circle:
            names = " -> ".join(self.nodes[id].task.name for id in circle.args[1])
            raise CycleError(f"these tasks depend on each other in a circle: {names}") from None
        raise GraphError(f"the nodes of {self.flow} are not in the order of their dependencies")

    def check_reference(self) -> None:
        """Raise GraphError if the flow names a task that decides its state, but no call of one was recorded."""
        names = dict.fromkeys(node.task.name for node in self.nodes)
        for asked in self.options.reference:
            if asked not in names:
                hint = did_you_mean(nearest(asked, names)) or "."
                raise GraphError(
                    f"reference={asked!r} of the flow {self.flow} is no task that it called{hint} It called "
                    f"{', '.join(names)}"
                )

    @property
    def outline(self) -> Outline:
        """What it looks like; also in a notebook, where it is shown so."""
        return self.drawn(self.known_widths(), lambda node: {})

    def drawn(self, widths: Mapping[int, int], states: Callable[[int], Mapping[str, int]]) -> Outline:
        """The same with words. widths: of the maps where it is known; states: how many calls of a node are in which."""
        from turgo.outlines.boxes import Nodes, outline_of  # late: most graphs are run and not looked at

        names, indices = [node.task.name for node in self.nodes], [node.index for node in self.nodes]
        structure = structure_of(self.nodes, self.guards)
        return outline_of(self.flow, Nodes(names, indices, structure, self.guards, widths, states))

    def to_mermaid(self) -> str:
        """The source of a flowchart."""
        return self.outline.to_mermaid()

    def to_svg(self) -> str:
        """A picture. Raises MissingPackageError if pygraphviz is not installed."""
        return self.outline.to_svg()

    def _repr_html_(self) -> str:
        return self.outline._repr_html_()

    def known_widths(self) -> dict[int, int]:
        """Of the maps whose width does not depend on a value."""
        widths: dict[int, int] = {}
        for node in self.nodes:
            sources = []
            for place in node.spread or ():
                kind, held = (node.args[place] if isinstance(place, int) else node.kwargs[place])[:2]
                known = length_of(held) if kind == CONST else None
                sources.append(widths.get(held) if kind != CONST and held in node.follows else known)
            known_sources = [each for each in sources if each is not None]
            if sources and len(known_sources) == len(sources):
                widths[node.id] = min(known_sources)
        return widths

    def _check_known(self) -> None:
        for node in self.nodes:
            for earlier in node.upstream:
                if not 0 <= earlier < len(self.nodes):
                    raise GraphError(f"{node!r} depends on node {earlier}, which is not in the graph")


def structure_of(nodes: Sequence[Node], guards: Mapping[int, int]) -> Structure:
    """What is kept of nodes. guards: of those within a `case`, the node that says whether it is taken."""
    tasks = [node.task for node in nodes]
    triggers = {task: task.policy.trigger.name for task in set(tasks)}
    named = {task.name: task.policy.executor for task in triggers if task.policy.executor is not None}
    after = {}
    for node in nodes:
        if len(node.depends) > len(node.needs):
            ordering = set(node.depends).difference(node.needs, (guards.get(node.id),))
            if ordering:
                after[node.id] = tuple(sorted(ordering))
    return Structure(
        [node.depends for node in nodes],
        [triggers[task] for task in tasks],
        {node.id: node.follows for node in nodes if node.spread is not None},
        after,
        {node.id: _condition(node) for node in nodes if node.task.fn is chosen},
        {name: _executor_name(executor) for name, executor in named.items()},
    )


def _condition(node: Node) -> str:
    """What the guard of a case compares with."""
    from turgo.flows.shown_values import shown_value  # late: few flows have a case

    if node.plan == CONSTANTS:
        return shown_value(node.args[1])
    kind, held = node.args[1][:2] if node.plan == TEMPLATES else (None, None)
    return shown_value(held) if kind == CONST else "a result"


def _executor_name(executor: Any) -> str:
    """As people name it."""
    if isinstance(executor, str):
        return executor
    if isinstance(executor, Mapping):
        return str(executor.get("use", "an executor of its own"))
    return (executor if isinstance(executor, type) else type(executor)).__name__
