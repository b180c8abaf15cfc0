"""Results stand for the values of tasks while a flow is recorded.

    task(…) ──> Recording.call ──> Result          the recorder makes it
    result[key] ──> Recording.item_of ──> Result   each operation on it is recorded as well

`Recording` is what tasks, results and operators ask of the recorder: `flows.recorder` stands above them all. Which
recorder is active is a context variable, so that flows recorded in several threads or asyncio tasks do not meet, and a
task that is called anywhere else is called, not recorded.

A result can still reach a task, in an object that recording does not search. There every use of it, and its pickling
on the way, is an error that says how to pass it instead.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any, NoReturn, Protocol

from turgo.errors import ForeignResultError, GraphError, NoAttributeError
from turgo.flows.policy.options import FlowOptions


class Recording(Protocol):
    """A recorder, as seen from below. `task` is a `Task`; a node is named by its number in the graph.

    flow: the name of the flow; bound: for a task and an instance, by their ids, the task bound to the instance.
    """

    flow: str
    bound: dict[tuple[int, int], Any]

    def call(
        self, task: Any, args: tuple[Any, ...], kwargs: dict[str, Any], index: int | None = None
    ) -> Result:
        """Record one call of a task."""

    def map(self, task: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Record `task.map(*args, **kwargs)`."""

    def item_of(self, result: Result, key: Any) -> Result:
        """Record `result[key]`."""

    def attribute_of(self, result: Result, name: str) -> Result:
        """Record `result.name`."""

    def parts_of(self, result: Result, count: int) -> list[Result]:
        """Record `result[0]` to `result[count - 1]`."""

    def name_of(self, node: int) -> str:
        """The name of the task of a node."""

    def written(self, node: int) -> str:
        """How a node stands in the flow: `measure(…)`, or as a part of another one, `measure(…).size`."""

    def nout_of(self, node: int) -> int | None:
        """How many values the task of a node declares; None for one."""

    def holds_results(self, value: Any) -> bool:
        """Whether a value contains a result of this flow."""

    def guard(self, node: int) -> None:
        """Tie the nodes recorded after `node` to it."""

    def include(self, requires: frozenset[str], options: FlowOptions) -> None:
        """Add what a flow that is called inside this one requires and limits."""


recorder_here: ContextVar[Recording | None] = ContextVar("turgo_recorder", default=None)

current_recorder = recorder_here.get
"""The recorder that is active in this context, or None."""


ELSEWHERE = (
    "it can be used only inside that one. A task gets the value of a result that is an argument of its own, or in a "
    "list, tuple, set or dict there; inside another object, as in an attribute or a closure, it finds the result itself"
)
"""What is said of a result that is used where its flow is not being recorded."""


class Result:
    """What calling a task inside a flow returns: it stands for the value, which is known only when the flow runs.

    Pass it to other tasks, on its own or inside lists, tuples, dicts and sets; index it; take an attribute of it; take
    it apart if its task is declared with `nout`; return it. It cannot be looked at while the flow is recorded.
    """

    __slots__ = ("_mapped", "_node", "_recorder")

    def __init__(self, recorder: Recording, node: int, mapped: bool) -> None:
        self._recorder = recorder
        self._node = node
        self._mapped = mapped

    def _check_own(self, use: str) -> None:
        if current_recorder() is not self._recorder:
            raise ForeignResultError(f"{self!r} was {use} outside the flow that recorded it; {ELSEWHERE}")

    def __getitem__(self, key: Any) -> Result:
        self._check_own("indexed")
        return self._recorder.item_of(self, key)

    def __getattr__(self, name: str) -> Result:
        if name.startswith("_"):  # what copies, pickles and shows objects looks for these
            raise AttributeError(f"a result has no attribute {name!r}")
        if self._mapped:
            raise NoAttributeError(
                f"{self!r} is a list, which has no {name}; take it from each element inside a task that is mapped"
            )
        if current_recorder() is not self._recorder:
            raise NoAttributeError(
                f"{self!r} has no attribute {name!r} outside the flow that recorded it; {ELSEWHERE}"
            )
        return self._recorder.attribute_of(self, name)

    def _refuse(self, use: str, hint: str = "") -> NoReturn:
        self._check_own(use)
        name, written = self._recorder.name_of(self._node), self._recorder.written(self._node)
        subject = f"the result of {name}" if written == f"{name}(…)" else written
        spread = "" if use == "called" else f", or spread it over one: other_task.map({written})"
        raise GraphError(
            f"{subject} cannot be {use} while the flow is recorded: its value is known only when the flow runs. "
            f"Do it inside a task{spread}{hint}"
        )

    def __call__(self, *args: Any, **kwargs: Any) -> NoReturn:
        self._refuse("called")

    def __bool__(self) -> bool:
        self._refuse("used as a condition")

    def __iter__(self) -> Iterator[Result]:
        nout = self._recorder.nout_of(self._node)
        if nout is None:
            self._refuse(
                "iterated over or unpacked",
                ". To unpack it, declare how many values there are: @task(nout=2)",
            )
        self._check_own("unpacked")
        return iter(self._recorder.parts_of(self, nout))

    def __len__(self) -> int:
        nout = self._recorder.nout_of(self._node)
        if nout is None or self._mapped:
            self._refuse("measured with len()")
        return nout

    def __eq__(self, other: object) -> Any:
        if type(other) is not Result:
            self._refuse(f"compared with {other!r:.40}")
        return self is other

    __hash__ = object.__hash__

    def __format__(self, spec: str) -> NoReturn:
        self._refuse("put into a text")

    def __str__(self) -> NoReturn:
        self._refuse("put into a text")

    def _compute(self, *others: Any) -> NoReturn:
        self._refuse("computed with or ordered")

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = _compute
    __floordiv__ = __rfloordiv__ = __mod__ = __rmod__ = __pow__ = __rpow__ = __matmul__ = __rmatmul__ = (
        _compute
    )
    __and__ = __rand__ = __or__ = __ror__ = __xor__ = __rxor__ = __lshift__ = __rshift__ = _compute
    __lt__ = __le__ = __gt__ = __ge__ = __neg__ = __pos__ = __abs__ = __invert__ = _compute

    def _convert(self) -> NoReturn:
        self._refuse("used as a number")

    __int__ = __float__ = __complex__ = __index__ = _convert

    def __copy__(self) -> Result:
        return self

    def __deepcopy__(self, memo: Any) -> Result:
        return self

    def __reduce__(self) -> NoReturn:
        raise ForeignResultError(f"{self!r} left the flow that recorded it; {ELSEWHERE}")

    def __repr__(self) -> str:
        return f"<result of {self._recorder.name_of(self._node)}, known when the flow runs>"
