"""Recording: what happens when a task is called inside a flow.

    task(…) ──> Recorder.call ──> a Node in the Graph, and a Result that stands for its value

Where a result stands among the arguments, a template holds the number of its node; see `penstock.flows.templates`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from penstock.errors import CycleError, ForeignResultError, GraphError
from penstock.flows.graph import ElementNode, Graph, MappedNode, Node
from penstock.flows.hidden import insides_of, refuse_hidden
from penstock.flows.marks import refuse_mark, unmapped
from penstock.flows.results import Result, recorder_here
from penstock.flows.templates import (
    CONST,
    CONSTANTS,
    DICT,
    FROZENSET,
    LIST,
    RECORD,
    RESULT,
    RESULTS,
    SET,
    TEMPLATES,
    TUPLE,
    Template,
    results_in,
)
from penstock.triggers import all_successful

if TYPE_CHECKING:
    from penstock.flows.task import Task

_new = object.__new__
_PLAIN = frozenset({int, float, str, bytes, bool, type(None), complex})
_NOTHING: Mapping[str, Any] = {}
_KINDS: Mapping[type, int] = {list: LIST, tuple: TUPLE, set: SET, frozenset: FROZENSET}


class Recorder:
    """Records the calls of tasks of one call of a flow into a graph.

    bound: for a task and an instance, by their ids, the task that is bound to the instance.
    """

    def __init__(self, flow: str, item: Task[..., Any], attribute: Task[..., Any]) -> None:
        self.graph = Graph(flow, recorded=True)
        self._nodes = self.graph.nodes
        self.bound: dict[tuple[int, int], Task[..., Any]] = {}
        self._item, self._attribute = item, attribute

    def call(
        self, task: Task[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], index: int | None = None
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
        elif not results and not kwargs and _PLAIN.issuperset(map(type, args)):
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

    def _templated(
        self, node_id: int, task: Task[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> Node:
        positional = tuple(
            self.template(arg, f"argument {number} of {task.name}") for number, arg in enumerate(args)
        )
        named = {name: self.template(arg, f"{name!r} of {task.name}") for name, arg in kwargs.items()}
        depends = set().union(*map(results_in, positional), *map(results_in, named.values()))
        if not depends:
            return Node(node_id, task, CONSTANTS, tuple(args), dict(kwargs), ())
        return Node(node_id, task, TEMPLATES, positional, named, tuple(sorted(depends)))

    def order(self, node: Node, task: Task[..., Any]) -> None:
        """Add the upstreams that `task.after(…)` asked for."""
        first = [results_in(self.template(each, f"after() of {task.name}")) for each in task.upstream]
        for each, results in zip(task.upstream, first, strict=True):
            if not (results or each is None or isinstance(each, (list, tuple, set, frozenset, dict))):
                raise GraphError(
                    f"after() of {task.name} was given {each!r:.80}, and not the result of a task"
                )
        node.depends = tuple(sorted(set(node.depends).union(*first)))

    def item_of(self, result: Result, key: Any) -> Result:
        """Record `result[key]`."""
        return self.call(self._item, (result, key), {})

    def attribute_of(self, result: Result, name: str) -> Result:
        """Record `result.name`."""
        return self.call(self._attribute, (result, name), {})

    def parts_of(self, result: Result, count: int) -> list[Result]:
        """Record `result[0]`, `result[1]`, …; of a mapped result, a map for each that follows it element by element."""
        return [
            self._items_of(result, at) if result._mapped else self.item_of(result, at) for at in range(count)
        ]

    def _items_of(self, result: Result, at: int) -> Result:
        nodes = self.graph.nodes
        places = ((RESULT, result._node), (CONST, at))
        node = MappedNode(len(nodes), self._item, TEMPLATES, places, _NOTHING, ())
        node.follows, node.spread = (result._node,), (0,)
        nodes.append(node)
        return Result(self, node.id, True)

    def guard(self, guard: int) -> None:
        """Tie the nodes that were recorded after `guard` to it, but for those that are so by what they follow."""
        graph = self.graph
        for node in graph.nodes[guard + 1 :]:
            if node.id not in graph.guards and not (
                _heeds_skips(node) and max(node.upstream, default=-1) > guard
            ):
                graph.guards[node.id] = guard
                node.depends = (*node.depends, guard)

    def holds_results(self, value: Any) -> bool:
        """Whether there is a result of this flow in a value. Raises as `template` does."""
        kind: int = self.template(value, "an argument")[0]
        return kind != CONST

    def template(self, value: Any, place: str, inside: tuple[int, ...] = ()) -> Template:
        """The template of `value`, in which every result of this flow stands for its node.

        Raises ForeignResultError for a result of another flow, CycleError for a container that holds itself,
        GraphError for a result in a place where it cannot be replaced by its value, and ParameterError for an
        `unmapped` in any place but a map.
        """
        cls = type(value)
        if cls in _PLAIN:
            return (CONST, value)
        if cls is Result:
            if value._recorder is not self:
                raise ForeignResultError(
                    f"{place} is {value!r}, recorded by another call of a flow ({value._recorder.graph.flow}); "
                    "a result can be used only inside the call that recorded it"
                )
            return (RESULT, value._node)
        if cls is slice:
            parts = tuple(self.template(part, place) for part in (value.start, value.stop, value.step))
            return (CONST, value) if all(part[0] == CONST for part in parts) else (RECORD, parts, slice)
        if not issubclass(cls, (list, tuple, set, frozenset, dict)):  # an object may only say that it is one
            if cls is unmapped:
                refuse_mark(value, place)
            refuse_hidden(insides_of(value), f"{place} is a {cls.__name__} that")
            return (CONST, value)
        if id(value) in inside:
            raise CycleError(f"{place} contains itself")
        return self._container(value, place, (*inside, id(value)))

    def _container(self, value: Any, place: str, inside: tuple[int, ...]) -> Template:
        if _PLAIN.issuperset(map(type, value)) and (
            not isinstance(value, dict) or _PLAIN.issuperset(map(type, value.values()))
        ):
            return (CONST, value)  # most are so, and some have a million elements
        if isinstance(value, dict):
            refuse_hidden(value, f"{place} has a key that is or")
            pairs = tuple(
                (key, self.template(item, f"{place}[{key!r}]", inside)) for key, item in value.items()
            )
            return (DICT, pairs) if any(item[0] != CONST for _, item in pairs) else (CONST, value)
        items = tuple(self.template(item, f"{place}[{at}]", inside) for at, item in enumerate(value))
        if all(item[0] == CONST for item in items):
            return (CONST, value)
        if isinstance(value, tuple) and hasattr(value, "_fields"):
            return (RECORD, items, type(value))
        return (next(kind for cls, kind in _KINDS.items() if isinstance(value, cls)), items)


def _heeds_skips(node: Node) -> bool:
    """Whether a node is sure to be skipped, or not to run, if an upstream is."""
    policy = node.task.policy
    return policy.skip_on_upstream_skip and policy.trigger is all_successful


def _as_element(node: Node, index: int) -> ElementNode:
    element = ElementNode(node.id, node.task, node.plan, node.args, node.kwargs, node.depends)
    element.needs, element.reads, element.index = node.needs, node.reads, index
    return element


@contextmanager
def recording(flow: str, item: Task[..., Any], attribute: Task[..., Any]) -> Iterator[Recorder]:
    """Record the tasks that are called inside into one new graph.

    item: the task behind `result[key]`; attribute: the one behind `result.name`.
    """
    recorder = Recorder(flow, item, attribute)
    token = recorder_here.set(recorder)
    try:
        yield recorder
    finally:
        recorder_here.reset(token)
