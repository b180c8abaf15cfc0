"""Shipping: how a batch leaves the driver's process, if it does, and how its report comes back.

An executor that stays in the process hands the batch to the worker as it is: nothing is pickled or copied. Any
pickler that gets hold of it finds a parcel made by cloudpickle instead, so functions of scripts, lambdas and closures
travel on every executor, and no executor has to know. The memory of large arrays lies beside the pickle in it.
"""

from __future__ import annotations

import pickle
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import cloudpickle

from penstock.engine import belongings, work
from penstock.engine.belongings import Belongings
from penstock.engine.calling import Call, prepare
from penstock.engine.carried import Carrier, Parcel
from penstock.engine.constants import without_constants
from penstock.engine.levels import levels_here
from penstock.engine.portable import culprit, large_buffers
from penstock.engine.queues import AnyTask, Piece
from penstock.engine.remote import Keep
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
        call = self[task] = prepare(*_prepared(task))
        return call


def _prepared(task: AnyTask) -> tuple[Call, float | None, bool]:
    """What `prepare` needs."""
    return task.body, task.policy.timeout, task.policy.log_prints


class Calls:
    """The functions of the tasks of one run: `here`, as they are called in this process, and pickled once.

    run: its id and the name of its flow.
    """

    def __init__(self, run: tuple[str, str] = ("", "")) -> None:
        self.run = run
        self.here = _Prepared()
        self._blobs: dict[AnyTask, bytes] = {}
        self._belongings: Belongings | None = None
        self._levels: dict[str, int] | None = None

    @property
    def levels(self) -> dict[str, int]:
        """The levels of this process's loggers when a batch first left it."""
        if self._levels is None:
            self._levels = levels_here()
        return self._levels

    def dumps(self, value: Any, carrier: Carrier | None, buffers: list[Any] | None = None) -> bytes:
        """A pickle, its large buffers beside it in `buffers`; a carrier if penstock may not be where it goes."""
        if carrier is not None:
            if self._belongings is None:
                self._belongings = Belongings(carrier)
            return self._belongings.dumps(value, buffers)
        beside = None if buffers is None else large_buffers(buffers)
        return belongings.dumps(value, beside)

    def blob(self, task: AnyTask, carrier: Carrier | None = None) -> bytes:
        """The function as bytes for `work.load_call`. Raises ValueNotPortableError if it cannot be pickled."""
        if task not in self._blobs:
            try:
                self._blobs[task] = self.dumps(_prepared(task), carrier)
            except Exception as error:
                raise ValueNotPortableError(f"the function of {task.name} cannot be sent: {error}") from error
        return self._blobs[task]


class Shipment(work.Batch):
    """A batch on the driver's side: its steps are the nodes of the graph, its source the schedule's values.

    users: for a node, the ids of those that take its value: `(consumers, followers)`, or None if the flow returns it.
    remote: nodes with values that stayed on workers; keep: where its own values stay, if they do; see `luggage`.
    looked: whether nobody knows before it is over whether any of its values stay.
    swaps: constants that do not travel in it but are read from a worker: the id of each, and of the node in its place.
    """

    keep: Keep | None = None
    looked = False
    swaps: Mapping[int, int] = MappingProxyType({})

    def __init__(
        self,
        pieces: Sequence[Any],
        given: dict[int, Any],
        source: Any,
        calls: Calls,
        users: Callable[[int], tuple[Sequence[int], Sequence[int]] | None] = lambda node: None,
        remote: set[int] | None = None,
    ) -> None:
        super().__init__(pieces, given, source)
        self.calls = calls
        self.run = calls.run
        self.users = users
        self.remote = set() if remote is None else remote

    def name_of(self, step: Any) -> str:
        """The name of a node's task."""
        return step.task.name  # type: ignore[no-any-return]

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
            parts = _parts(node, (node.id, low, high) in inner, self.swaps)
            steps.append((parts, number, low, high, columns))
        blobs = [self.calls.blob(task, self.carrier) for task in numbers]
        facts = (self.run, self.attempts, self.calls.levels, self.killed_if_late)
        buffers: list[Any] = []
        try:
            blob = self.calls.dumps((steps, blobs, given, self.reads, facts), self.carrier, buffers)
            return Parcel(blob, *buffers, carrier=self.carrier).__reduce_ex__(protocol)
        except Exception as error:
            raise self._unportable(steps, given, error) from error

    def halt(self) -> None:
        """Let no further call of it begin, if it runs here: it goes through these very lists."""
        if self.stamp is not None and type(self.pieces) is list:
            for *_, columns in self.pieces:
                for column in columns or ():
                    if type(column) is list:
                        column.clear()
            self.pieces.clear()

    def _inner(self) -> set[Piece]:
        """Pieces whose values nothing needs outside of this batch; a cache, where there is one, may keep its own."""
        if any(piece[0].task.policy.cache_key is not None for piece in self.pieces[:1]):
            return set()  # such calls share a batch with no others
        return inner_pieces({(node.id, low, high) for node, _, low, high, _ in self.pieces}, self.users)

    def settle(self) -> None:
        """Take along what it reads here now, so that it can be sent again when the schedule has forgotten that."""
        made = {node.id for node, *_ in self.pieces}
        for node, *_ in self.pieces:
            for read in node.reads:
                if read not in made and read not in self.given:
                    self.given[read] = self.source[read]

    def outward(self, pieces: Sequence[Piece]) -> list[Piece]:
        """Those of its pieces whose values are not used up within it."""
        inner = self._inner() if len(pieces) > 1 else ()
        return [piece for piece in pieces if piece not in inner]

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


def inner_pieces(
    pieces: set[Piece], users: Callable[[int], tuple[Sequence[int], Sequence[int]] | None]
) -> set[Piece]:
    """Those of the pieces of a batch whose values are taken by others of them, and by nothing else."""
    single = {node for node, low, _ in pieces if low < 0}
    inner = set()
    for node, low, high in pieces:
        taking = users(node)
        if taking is not None:
            consumers, followers = taking
            if single.issuperset(consumers) and all((each, low, high) in pieces for each in followers):
                inner.add((node, low, high))
    return inner


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
                value = schedule.values[read]
                spread = read in mapped or read in schedule.remote  # the second for a merge of a map
                if spread and type(value) is list:
                    given[read] = list(value)
    shipment = Shipment(loaded, given, schedule.values, calls, schedule.users, schedule.remote)
    shipment.attempts = schedule.attempts.later(pieces)
    return shipment


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


def _parts(node: Node, inner: bool, swaps: Mapping[int, int]) -> tuple[Any, ...]:
    """What a Step is made of; the values of spread arguments travel as columns, so they are left out here."""
    plan, args, kwargs = node.plan, node.args, node.kwargs
    if node.spread is not None:
        args = tuple(None if at in node.spread else template for at, template in enumerate(args))
        kwargs = {name: None if name in node.spread else template for name, template in kwargs.items()}
    if swaps:
        plan, args, kwargs = without_constants(plan, args, kwargs, swaps)
    return node.id, plan, args, kwargs, node.depends, node.spread, inner, node.task.name, node.index


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
    if isinstance(packed[0], bytes):
        blob, *packed = packed
        with suppress(Exception):  # its class may be one that only the worker has
            return pickle.loads(blob)  # type: ignore[no-any-return]  # only errors are packed so
    type_name, message, *bases = packed
    if type_name == f"{ValueNotPortableError.__module__}.{ValueNotPortableError.__qualname__}":
        return ValueNotPortableError(message)
    return TaskError(message, type_name=type_name, bases=bases)
