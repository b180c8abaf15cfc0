"""Shipping: how a batch leaves the driver's process, if it does. How its report comes back says `unpacking`.

An executor that stays in the process hands the batch to the worker as it is: nothing is pickled or copied. Any
pickler that gets hold of it finds a parcel made by cloudpickle instead, so functions of scripts, lambdas and closures
travel on every executor, and no executor has to know. The memory of large arrays lies beside the pickle in it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from penstock.engine.batch import Batch
from penstock.engine.calls import Calls
from penstock.engine.carried import Parcel
from penstock.engine.constants import without_constants
from penstock.engine.pieces import Piece, inner_pieces
from penstock.engine.remote import Keep
from penstock.engine.unportable import unportable
from penstock.flows.graph import Node
from penstock.flows.task import AnyTask

if TYPE_CHECKING:
    from penstock.engine.elements import Mapped
    from penstock.engine.schedule import Schedule


class Shipment(Batch):
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
        facts = (self.run, self.attempts, self.calls.levels, self.killed_if_late, self.fail_fast)
        buffers: list[Any] = []
        try:
            blob = self.calls.dumps((steps, blobs, given, self.reads, facts), self.carrier, buffers)
            return Parcel(blob, *buffers, carrier=self.carrier).__reduce_ex__(protocol)
        except Exception as error:
            raise unportable(self.pieces, given.get, error) from error

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
    for source in mapped[node_id].sources:
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
