"""Shipping: how a batch leaves the driver's process, if it does, and how its report comes back.

An executor that stays in the process hands the batch to the worker as it is: nothing is pickled or copied. Any
pickler that gets hold of it finds a parcel made by cloudpickle instead, so functions of scripts, lambdas and closures
travel on every executor, and no executor has to know. The memory of large arrays lies beside the pickle in it.
"""

from __future__ import annotations

import pickle
import traceback
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import cloudpickle

from penstock.engine import work
from penstock.engine.calling import Call, prepare
from penstock.engine.portable import Parcel, culprit, large_buffers
from penstock.engine.queues import AnyTask, Piece
from penstock.errors import TaskError, TaskTimeoutError, ValueNotPortableError
from penstock.flows.graph import Node
from penstock.ledger import Failure
from penstock.states import TaskState

if TYPE_CHECKING:
    from penstock.engine.elements import Mapped
    from penstock.engine.schedule import Schedule


class _Prepared(dict[AnyTask, Call]):
    """Prepares a function when it is first asked for; after that it is one look-up."""

    def __missing__(self, task: AnyTask) -> Call:
        call = self[task] = prepare(task.fn, task.policy.timeout)
        return call


class Calls:
    """The functions of the tasks of one run: `here`, as they are called in this process, and pickled once."""

    def __init__(self) -> None:
        self.here = _Prepared()
        self._blobs: dict[AnyTask, bytes] = {}

    def blob(self, task: AnyTask) -> bytes:
        """The function as bytes for `work.load_call`. Raises ValueNotPortableError if it cannot be pickled."""
        if task not in self._blobs:
            try:
                self._blobs[task] = cloudpickle.dumps((task.fn, task.policy.timeout))
            except Exception as error:
                raise ValueNotPortableError(f"the function of {task.name} cannot be sent: {error}") from error
        return self._blobs[task]


class Shipment(work.Batch):
    """A batch on the driver's side: its steps are the nodes of the graph, its source the schedule's values.

    users: for a node, the ids of those that take its value: `(consumers, followers)`, or None if the flow returns it.
    """

    def __init__(
        self,
        pieces: Sequence[Any],
        given: dict[int, Any],
        source: Sequence[Any],
        calls: Calls,
        users: Callable[[int], tuple[Sequence[int], Sequence[int]] | None] = lambda node: None,
    ) -> None:
        super().__init__(pieces, given, source)
        self.calls = calls
        self.users = users

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        inner = self._inner()
        numbers: dict[AnyTask, int] = {}
        made: set[int] = set()
        given = dict(self.given)
        steps = []
        for node, _, low, high, columns in self.pieces:
            for read in node.reads:
                if read not in made and read not in given:
                    given[read] = self.source[read]
            made.add(node.id)
            number = numbers.setdefault(node.task, len(numbers))
            steps.append((_parts(node, (node.id, low, high) in inner), number, low, high, columns))
        blobs = [self.calls.blob(task) for task in numbers]
        buffers: list[Any] = []
        try:
            beside = large_buffers(buffers)
            blob = cloudpickle.dumps((steps, blobs, given), protocol=5, buffer_callback=beside)
            return Parcel(blob, *buffers).__reduce_ex__(protocol)
        except Exception as error:
            raise self._unportable(steps, given, error) from error

    def _inner(self) -> set[Piece]:
        """The pieces whose values are taken by other pieces of this batch, and by nothing else."""
        pieces = {(node.id, low, high) for node, _, low, high, _ in self.pieces}
        single = {node for node, low, _ in pieces if low < 0}
        inner = set()
        for node, low, high in pieces:
            users = self.users(node)
            if users is not None:
                consumers, followers = users
                if single.issuperset(consumers) and all((each, low, high) in pieces for each in followers):
                    inner.add((node, low, high))
        return inner

    def _unportable(self, steps: list[Any], given: dict[int, Any], error: Exception) -> ValueNotPortableError:
        """Say whose argument it is."""
        for (node, *_), step in zip(self.pieces, steps, strict=True):
            needed = {read: given.get(read) for read in node.reads}
            for value in (step, needed):
                try:
                    cloudpickle.dumps(value)
                except Exception:  # noqa: BLE001  (user data, whose pickling may raise anything)
                    where = culprit(value, f"an argument of {node.task.name}")
                    return ValueNotPortableError(f"{where} cannot be pickled: {error}")
        return ValueNotPortableError(f"a batch cannot be pickled: {error}")


def load(pieces: Sequence[Piece], schedule: Schedule, calls: Calls) -> Shipment:
    """The shipment of some pieces, with what their calls are spread over and which values they read."""
    nodes, mapped, here = schedule.nodes, schedule.mapped, calls.here
    given: dict[int, Any] = {}
    loaded: list[Any] = []
    made: set[tuple[int, int]] = set()
    for node_id, low, high in pieces:
        node = nodes[node_id]
        if low < 0:
            loaded.append((node, here[node.task], low, high, None))
        else:
            loaded.append((node, here[node.task], low, high, _columns(mapped, node_id, low, high, made)))
            made.add((node_id, low))
        if mapped:
            for read in node.reads:
                if read in mapped and schedule.values[read] is not None:
                    given[read] = list(schedule.values[read])
    return Shipment(loaded, given, schedule.values, calls, schedule.users)


def _columns(
    mapped: Mapping[int, Mapped], node_id: int, low: int, high: int, made: set[tuple[int, int]]
) -> list[Any]:
    """What elements `low` to `high` are spread over; the number of a node whose elements are made in this batch."""
    columns: list[Any] = []
    for source in mapped[node_id].columns:
        if type(source) is not int:
            columns.append(source[low:high])
        elif (source, low) in made:
            columns.append(source)
        else:
            columns.append(mapped[source].values[low:high])
    return columns


def _parts(node: Node, inner: bool) -> tuple[Any, ...]:
    """What a Step is made of; the values of spread arguments travel as columns, so they are left out here."""
    args, kwargs = node.args, node.kwargs
    if node.spread is not None:
        args = tuple(None if at in node.spread else template for at, template in enumerate(args))
        kwargs = {name: None if name in node.spread else template for name, template in kwargs.items()}
    return node.id, node.plan, args, kwargs, node.depends, node.spread, inner


def open_report(report: Any) -> tuple[Any, Any, Any] | BaseException:
    """The report of a batch as `work.execute` made it, wherever it ran; or why there is none.

    There is none if the batch could not be opened where it was to run, or its values cannot be unpickled here.
    """
    if not isinstance(report, (bytes, Parcel)):
        return report  # type: ignore[no-any-return]
    try:
        stamp, outcomes, lines = report.open() if isinstance(report, Parcel) else pickle.loads(report)
    except Exception as error:  # noqa: BLE001  (unpickling runs the code of others)
        return error
    return (stamp, outcomes, lines) if stamp is not None else _error_from(outcomes[1])


def failure_from(told: tuple[str, Any, str], task: AnyTask) -> Failure:
    """The failure of a call from what the worker told of it."""
    state, error, text = told
    if state == "TimedOut":
        limit = task.policy.timeout or 0.0
        return Failure(
            TaskState.TIMED_OUT,
            TaskTimeoutError(f"{task.name} took longer than {limit} s", seconds=limit),
            text,
        )
    return Failure(TaskState(state), _error_from(error), text)


def drop_locals(error: BaseException) -> None:
    """Let go of what the frames of an error, and of those that led to it, hold; their lines can still be told."""
    ahead: list[BaseException | None] = [error]
    seen: set[int] = set()
    while ahead:
        each = ahead.pop()
        if each is not None and id(each) not in seen:
            seen.add(id(each))
            traceback.clear_frames(each.__traceback__)
            ahead += [each.__cause__, each.__context__]


def _error_from(packed: Any) -> BaseException:
    if isinstance(packed, BaseException):
        return packed
    if isinstance(packed, bytes):
        return pickle.loads(packed)  # type: ignore[no-any-return]  # only errors are packed so
    type_name, message = packed
    if type_name == f"{ValueNotPortableError.__module__}.{ValueNotPortableError.__qualname__}":
        return ValueNotPortableError(message)
    return TaskError(message, type_name=type_name)
