"""The graph that a flow records: nodes, and the edges between them."""

from __future__ import annotations

import graphlib
from collections.abc import Mapping
from typing import Any

import attrs

from turgo.config.schema import MAX_MAP_WIDTH
from turgo.errors import CycleError, GraphError
from turgo.flows.policy.options import FlowOptions
from turgo.flows.task import AnyTask
from turgo.names import did_you_mean, nearest
from turgo.worker.arguments import CONST, Template


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

    def _check_known(self) -> None:
        for node in self.nodes:
            for earlier in node.upstream:
                if not 0 <= earlier < len(self.nodes):
                    raise GraphError(f"{node!r} depends on node {earlier}, which is not in the graph")
