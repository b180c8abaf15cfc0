"""Recording: what happens when a task is called inside a flow.

    task(…) ──> Recorder.call ──> a Node in the Graph, and a Result that stands for its value

The recorder of the flow that is being recorded is in a context variable, so flows recorded in several threads or
asyncio tasks do not see each other, and a task that is called anywhere else is called, not recorded.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType, ModuleType
from typing import TYPE_CHECKING, Any, NoReturn

from penstock.errors import CycleError, ForeignResultError, GraphError
from penstock.flows.graph import ElementNode, Graph, Node
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

if TYPE_CHECKING:
    from penstock.flows.task import Task

_PLAIN = frozenset({int, float, str, bytes, bool, type(None), complex})
_NOTHING: Mapping[str, Any] = {}
_KINDS: Mapping[type, int] = {list: LIST, tuple: TUPLE, set: SET, frozenset: FROZENSET}


class Result:
    """What calling a task inside a flow returns: it stands for the value, which is known only when the flow runs.

    Pass it to other tasks, on its own or inside lists, tuples, dicts and sets; index it; return it. It cannot be
    looked at while the flow is recorded.
    """

    __slots__ = ("_mapped", "_node", "_recorder")

    def __init__(self, recorder: Recorder, node: int, mapped: bool) -> None:
        self._recorder = recorder
        self._node = node
        self._mapped = mapped

    def __getitem__(self, key: Any) -> Result:
        if current_recorder() is not self._recorder:
            raise ForeignResultError(
                f"{self!r} was indexed outside the flow that recorded it; it can be used only inside that one"
            )
        return self._recorder.item_of(self, key)

    def _refuse(self, deed: str) -> NoReturn:
        name = self._recorder.graph.nodes[self._node].task.name
        raise GraphError(
            f"the result of {name} cannot be {deed} while the flow is recorded: its value is known only when the "
            f"flow runs. Do it inside a task, or spread it over one: other_task.map({name}(…))"
        )

    def __bool__(self) -> bool:
        self._refuse("used as a condition")

    def __iter__(self) -> Iterator[Any]:
        self._refuse("iterated over or unpacked")

    def __len__(self) -> int:
        self._refuse("measured with len()")

    def __eq__(self, other: object) -> Any:
        if type(other) is not Result:
            self._refuse(f"compared with {other!r:.40}")
        return self is other

    __hash__ = object.__hash__

    def __format__(self, spec: str) -> NoReturn:
        self._refuse("put into a text")

    def __reduce__(self) -> NoReturn:
        raise ForeignResultError(
            f"{self!r} left the flow that recorded it; it stands for a value that only its own flow run has"
        )

    def __repr__(self) -> str:
        return f"<result of {self._recorder.graph.nodes[self._node].task.name}, known when the flow runs>"


class Recorder:
    """Records the calls of tasks of one call of a flow into a graph."""

    def __init__(self, flow: str, item: Task[..., Any]) -> None:
        self.graph = Graph(flow, recorded=True)
        self._item = item

    def call(
        self, task: Task[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], index: int | None = None
    ) -> Result:
        """Record one call. The two commonest forms of arguments, all results or all constants, are quick.

        index: which element of a `map` it is, if it is one.
        """
        nodes = self.graph.nodes
        node_id = len(nodes)
        if kwargs or not task.fewest <= len(args) <= task.most:
            task.check_arguments(args, kwargs)
        results = tuple([arg._node for arg in args if type(arg) is Result and arg._recorder is self])
        if len(results) == len(args) and not kwargs:
            depends = results if len(set(results)) == len(results) else tuple(dict.fromkeys(results))
            node = Node(node_id, task.plain, RESULTS, results, _NOTHING, depends)
        elif not results and not kwargs and all(type(arg) in _PLAIN for arg in args):
            node = Node(node_id, task.plain, CONSTANTS, args, _NOTHING, ())
        else:
            node = self._templated(node_id, task.plain, args, kwargs)
        if task.upstream:
            self.order(node, task)
        if index is not None:
            node = _as_element(node, index)
        nodes.append(node)
        return Result(self, node_id, False)

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
        node.depends = tuple(sorted(set(node.depends).union(*first)))

    def item_of(self, result: Result, key: Any) -> Result:
        """Record `result[key]`."""
        return self.call(self._item, (result, key), {})

    def template(self, value: Any, place: str, inside: tuple[int, ...] = ()) -> Template:
        """The template of `value`, in which every result of this flow stands for its node.

        Raises ForeignResultError for a result of another flow, CycleError for a container that holds itself, and
        GraphError for a result in a place where it cannot be replaced by its value.
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
        if not issubclass(cls, (list, tuple, set, frozenset, dict)):  # an object may only say that it is one
            _refuse_hidden(_parts(value), f"{place} is a {cls.__name__} that")
            return (CONST, value)
        if id(value) in inside:
            raise CycleError(f"{place} contains itself")
        return self._container(value, place, (*inside, id(value)))

    def _container(self, value: Any, place: str, inside: tuple[int, ...]) -> Template:
        if isinstance(value, dict):
            _refuse_hidden(value, f"{place} has a key that is or")
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


def _as_element(node: Node, index: int) -> ElementNode:
    element = ElementNode(node.id, node.task, node.plan, node.args, node.kwargs, node.depends)
    element.needs, element.reads, element.index = node.needs, node.reads, index
    return element


_recorder: ContextVar[Recorder | None] = ContextVar("penstock_recorder", default=None)

current_recorder = _recorder.get
"""The recorder of the flow that is being recorded here, or None."""


@contextmanager
def recording(flow: str, item: Task[..., Any]) -> Iterator[Recorder]:
    """Record the tasks that are called inside into one new graph; `item` is the task behind `result[key]`."""
    recorder = Recorder(flow, item)
    token = _recorder.set(recorder)
    try:
        yield recorder
    finally:
        _recorder.reset(token)


def refuse_results(name: str, values: Iterable[object]) -> None:
    """Raise ForeignResultError if a task that is called outside a flow was given a recorded result."""
    found = next(_results_among(values, set()), None)
    if found is not None:
        raise ForeignResultError(
            f"{name} was called outside a flow with {found!r}; a result can be used only inside the flow "
            "that recorded it"
        )


def _refuse_hidden(values: Iterable[object], where: str) -> None:
    """Raise GraphError if a result is where no value can be put in its place, so that the task would get the result."""
    found = next(_results_among(values, set()), None)
    if found is not None:
        raise GraphError(
            f"{where} holds {found!r}, where its value cannot be put in its place. Results are found as arguments and "
            "in lists, tuples, sets and the values of dicts; make such an object inside a task"
        )


def _parts(value: object) -> Iterable[object]:
    """What an object holds that is no list, tuple, set or dict: the fields of a record, the items of a deque."""
    if issubclass(type(value), (type, ModuleType)):
        return ()
    if type(value) is deque:
        return value
    if type(value) is MappingProxyType:
        return value.values()
    slots = getattr(type(value), "__dataclass_fields__", None)
    if slots is not None:
        return [getattr(value, name, None) for name in slots]
    try:  # past what the object makes of looking at it
        return object.__getattribute__(value, "__dict__").values()  # type: ignore[no-any-return]
    except AttributeError:
        return ()


def _results_among(values: Iterable[object], above: set[int]) -> Iterator[Result]:
    for value in values:
        if type(value) is Result:
            yield value
        elif isinstance(value, (list, tuple, set, frozenset, dict)) and id(value) not in above:
            yield from _results_among(
                value.values() if isinstance(value, dict) else value, above | {id(value)}
            )
