"""The recorder makes graph nodes from the calls of tasks in a flow.

    task(…) ──> Recorder.call ──> a Node in the Graph, and a Result that stands for its value

Where a result stands among the arguments, a template holds the number of its node; see `turgo.flows.templates`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from turgo.errors import GraphError
from turgo.flows.graph import ElementNode, Graph, MappedNode, Node
from turgo.flows.mapping import MapArguments, Place, map_arguments, split_places, too_wide
from turgo.flows.policy.options import FlowOptions
from turgo.flows.policy.triggers import all_successful
from turgo.flows.results import Result, recorder_here
from turgo.flows.task import AnyTask, attribute, item, picking
from turgo.flows.templates import PLAIN_TYPES, template_of
from turgo.worker.arguments import CONST, CONSTANTS, RESULT, RESULTS, TEMPLATES, Template, results_in

_new = object.__new__
_NOTHING: Mapping[str, Any] = {}


class Recorder:
    """Records the calls of tasks of one call of a flow into a graph.

    It is the `Recording` that results and tasks know; bound: see there.
    """

    def __init__(self, graph: Graph) -> None:
        self.flow = graph.flow
        self.graph = graph
        self.bound: dict[tuple[int, int], Any] = {}
        self._nodes = self.graph.nodes
        # Of the node of a part of a result: the node of the whole, and the key or the name.
        self._parts: dict[int, tuple[int, Any]] = {}

    def call(
        self, task: AnyTask, args: tuple[Any, ...], kwargs: dict[str, Any], index: int | None = None
    ) -> Result:
        """Record one call. The two commonest forms of arguments, all results or all constants, are quick.

        index: which element of a `map` it is, if it is one.
        """
        nodes = self._nodes
        node_id = len(nodes)
        if kwargs or not task.fewest <= len(args) <= task.most:
            task.check_arguments(args, kwargs)
        results = tuple([arg._node for arg in args if type(arg) is Result and arg._recorder is self])
        if len(results) == len(args) and not kwargs:
            node = _new(Node)  # past `__init__`, whose call would take longer than all that it does
            node.id, node.task = node_id, task.plain
            node.plan, node.args, node.kwargs = RESULTS, results, _NOTHING
            depends = results if len(set(results)) == len(results) else tuple(dict.fromkeys(results))
            node.depends = node.needs = node.reads = depends
        elif not results and not kwargs and PLAIN_TYPES.issuperset(map(type, args)):
            node = Node(node_id, task.plain, CONSTANTS, args, _NOTHING, ())
        else:
            node = self._templated(node_id, task.plain, args, kwargs)
        if task.upstream:
            self.order(node, task)
        if index is not None:
            node = _as_element(node, index)
        nodes.append(node)
        result = _new(Result)
        result._recorder, result._node = self, node_id
        result._mapped = False
        return result

    def map(self, task: AnyTask, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Record `task.map(*args, **kwargs)`: a Result, or a list of Results where elements are results themselves."""
        task.check_arguments(args, kwargs)
        arguments = map_arguments(task.name, args, kwargs, self.graph.max_map_width)
        if any(self._hold_results(values) for values in arguments.spread.values()):
            return self._one_by_one(task, arguments)
        return self._mapped(task, arguments)

    def _hold_results(self, values: Result | Sequence[Any]) -> bool:
        return not isinstance(values, (Result, range)) and self.holds_results(values)

    def _one_by_one(self, task: AnyTask, arguments: MapArguments) -> list[Result]:
        width = arguments.known_width
        if width > self.graph.max_map_width:
            raise too_wide(task.name, width, self.graph.max_map_width)
        return [self.call(task, *arguments.of_element(index), index) for index in range(width)]

    def _mapped(self, task: AnyTask, arguments: MapArguments) -> Result:
        templates: dict[Place, Template] = {}
        for place, value in (*arguments.fixed.items(), *arguments.spread.items()):
            known = place in arguments.spread and not isinstance(value, Result)
            templates[place] = (CONST, value) if known else self._template(value, place, task)
        spread = arguments.spread.values()
        follows = tuple(
            dict.fromkeys(each._node for each in spread if isinstance(each, Result) and each._mapped)
        )
        needed = set().union(*(results_in(template) for template in templates.values()))
        reads = set().union(*(results_in(templates[place]) for place in arguments.fixed))
        args, kwargs = split_places(templates)
        depends = tuple(sorted((needed - set(follows)) | reads))
        node = MappedNode(len(self._nodes), task.plain, TEMPLATES, args, kwargs, depends)
        node.reads = tuple(sorted(reads))
        node.follows = follows
        node.spread = tuple(arguments.spread)
        self._nodes.append(node)
        if task.upstream:
            self.order(node, task)
        return Result(self, node.id, True)

    def _template(self, value: Any, place: Place, task: AnyTask) -> Template:
        return template_of(value, f"{place!r} of {task.name}.map()", self)

    def _templated(self, node_id: int, task: AnyTask, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Node:
        positional = tuple(
            template_of(arg, f"argument {number} of {task.name}", self) for number, arg in enumerate(args)
        )
        named = {name: template_of(arg, f"{name!r} of {task.name}", self) for name, arg in kwargs.items()}
        depends = set().union(*map(results_in, positional), *map(results_in, named.values()))
        if not depends:
            return Node(node_id, task, CONSTANTS, tuple(args), dict(kwargs), ())
        return Node(node_id, task, TEMPLATES, positional, named, tuple(sorted(depends)))

    def order(self, node: Node, task: AnyTask) -> None:
        """Add the upstreams that `task.after(…)` asked for."""
        first = [results_in(template_of(each, f"after() of {task.name}", self)) for each in task.upstream]
        for each, results in zip(task.upstream, first, strict=True):
            if not (results or each is None or isinstance(each, (list, tuple, set, frozenset, dict))):
                raise GraphError(
                    f"after() of {task.name} was given {each!r:.80}, and not the result of a task"
                )
        node.depends = tuple(sorted(set(node.depends).union(*first)))

    def item_of(self, result: Result, key: Any) -> Result:
        """Record `result[key]`; of a mapped result, it is the element of that index."""
        part = self.call(picking if result._mapped else item, (result, key), {})
        self._parts[part._node] = result._node, key
        return part

    def attribute_of(self, result: Result, name: str) -> Result:
        """Record `result.name`."""
        part = self.call(attribute, (result, name), {})
        self._parts[part._node] = result._node, name
        return part

    def parts_of(self, result: Result, count: int) -> list[Result]:
        """Record `result[0]`, `result[1]`, …; of a mapped result, a map for each that follows it element by element."""
        return [
            self._items_of(result, at) if result._mapped else self.item_of(result, at) for at in range(count)
        ]

    def _items_of(self, result: Result, at: int) -> Result:
        nodes = self.graph.nodes
        places = ((RESULT, result._node), (CONST, at))
        node = MappedNode(len(nodes), item, TEMPLATES, places, _NOTHING, ())
        node.follows, node.spread = (result._node,), (0,)
        nodes.append(node)
        return Result(self, node.id, True)

    def guard(self, node: int) -> None:
        """Tie the nodes that were recorded after `node` to it, but for those that are so by what they follow."""
        graph = self.graph
        for later in graph.nodes[node + 1 :]:
            if later.id not in graph.guards and not (
                _is_skipped_with_upstream(later) and max(later.upstream, default=-1) > node
            ):
                graph.guards[later.id] = node
                later.depends = (*later.depends, node)

    def holds_results(self, value: Any) -> bool:
        """Whether there is a result of this flow in a value. Raises as `template_of` does."""
        kind: int = template_of(value, "an argument", self)[0]
        return kind != CONST

    def name_of(self, node: int) -> str:
        """The name of the task of a node."""
        return self._nodes[node].task.name

    def written(self, node: int) -> str:
        """How a node stands in the flow: `measure(…)`, or as a part of another one, `measure(…).size`."""
        parts = ""
        while node in self._parts:
            is_attribute = self._nodes[node].task is attribute
            node, key = self._parts[node]
            parts = (f".{key}" if is_attribute else f"[{key!r:.40}]") + parts
        return f"{self.name_of(node)}(…){parts}"

    def nout_of(self, node: int) -> int | None:
        """How many values the task of a node declares; None for one."""
        return self._nodes[node].task.policy.nout

    def include(self, requires: frozenset[str], options: FlowOptions) -> None:
        """Add what a flow that is called inside this one requires and limits."""
        self.graph.requires |= requires
        self.graph.options = self.graph.options.with_limits_of(options)


def _is_skipped_with_upstream(node: Node) -> bool:
    """Whether a node is sure to be skipped, or not to run, if an upstream is."""
    policy = node.task.policy
    return policy.skip_on_upstream_skip and policy.trigger is all_successful


def _as_element(node: Node, index: int) -> ElementNode:
    element = ElementNode(node.id, node.task, node.plan, node.args, node.kwargs, node.depends)
    element.needs, element.reads, element.index = node.needs, node.reads, index
    return element


@contextmanager
def recording(graph: Graph) -> Iterator[Recorder]:
    """Record the tasks that are called inside into a graph."""
    recorder = Recorder(graph)
    token = recorder_here.set(recorder)
    try:
        yield recorder
    finally:
        recorder_here.reset(token)
