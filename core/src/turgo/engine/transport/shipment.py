"""A batch on the driver's side, which pickles itself as a payload.

    schedule ── load ──> Shipment ── executor within this process ──> the batch as it is: nothing is copied
                                  └─ any pickler ───────────────────> Payload: its pickle, large arrays beside it

So functions of scripts, lambdas and closures are shipped on every executor, and no executor has to know.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from turgo.engine.schedule.pieces import Piece, inner_pieces
from turgo.engine.schedule.remote import StoredBatch
from turgo.engine.transport.functions import Calls
from turgo.flows.graph import Node
from turgo.flows.task import AnyTask
from turgo.records.titles import Title
from turgo.worker.arguments import CONST, CONSTANTS, RESULT, RESULTS, TEMPLATES, Template
from turgo.worker.batch import Batch, BatchPiece
from turgo.worker.code.bootstrap import Payload
from turgo.worker.process import process_name

if TYPE_CHECKING:
    from turgo.engine.schedule.progress import Mapped, Progress


class Shipment(Batch):
    """A batch on the driver's side: its steps are the nodes of the graph, its source the schedule's values.

    users: for a node, the ids of those that take its value: `(consumers, followers)`, or None if the flow returns it.
    remote: nodes with values that stayed on workers; stored: where its own values stay, if they do; see `RemoteStore`.
    looked: whether nobody knows before it is over whether any of its values stay.
    progress: of the run.
    swaps: constants that are read from a worker, not shipped in it: the id of each, and of the node in its place.
    """

    stored: StoredBatch | None = None
    looked = False
    swaps: Mapping[int, int] = MappingProxyType({})
    progress: Progress | None = None

    def __init__(
        self,
        pieces: Sequence[BatchPiece],
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

    def title_of(self, name: str, index: int | None, step: Any) -> Title:
        """A call in words, with its input."""
        return Title((name, index), self, (step.id, index if step.spread is not None else None))

    def input_of(self, key: tuple[int, int | None]) -> str:
        """What one of its calls is made of, in words."""
        from turgo.engine.schedule.inputs import input_of  # late, with all that shows values

        return "" if self.progress is None else input_of(self.progress, key)

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        inner = self._inner()
        numbers: dict[AnyTask, int] = {}
        made: set[int] = set()
        given = dict(self.given)
        steps = []
        for piece in self.pieces:
            node, low, high = piece.step, piece.low, piece.high
            for read in node.reads:
                if read not in made and read not in given:
                    given[read] = self.source[read]
            made.add(node.id)
            number = numbers.setdefault(node.task, len(numbers))
            parts = _parts(node, (node.id, low, high) in inner, self.swaps)
            steps.append((parts, number, low, high, piece.columns))
        blobs = [self.calls.blob(task, self.worker_code) for task in numbers]
        origin = (self.name, process_name(), self.channel)
        ends = (self.killed_if_late, self.fail_fast, self.keeps, self.limit, self.tells)
        facts = (self.run, self.attempts, self.calls.levels, *ends, *origin)
        buffers: list[Any] = []
        try:
            reads = [tuple(read) for read in self.reads]
            blob = self.calls.dumps((steps, blobs, given, reads, facts), self.worker_code, buffers)
            payload = Payload(blob, *buffers, worker_code=self.worker_code)
            self.calls.sent_bytes += payload.__sizeof__()
            return payload.__reduce_ex__(protocol)
        except Exception as error:
            from turgo.engine.transport.unpicklable import unportable  # late: it looks for what is at fault

            raise unportable(self.pieces, given.get, error) from error

    def _inner(self) -> set[Piece]:
        """Pieces whose values nothing needs outside of this batch; a cache, where there is one, may keep its own."""
        if any(piece.step.task.policy.cache_key is not None for piece in self.pieces[:1]):
            return set()  # such calls share a batch with no others
        return inner_pieces({(piece.step.id, piece.low, piece.high) for piece in self.pieces}, self.users)

    @property
    def calls_count(self) -> int:
        """How many calls it has."""
        return sum(1 if piece.columns is None else piece.high - piece.low for piece in self.pieces)

    def settle(self) -> None:
        """Copy what it reads here now, so that it can be submitted again when the schedule has dropped that."""
        made = {piece.step.id for piece in self.pieces}
        for piece in self.pieces:
            for read in piece.step.reads:
                if read not in made and read not in self.given:
                    self.given[read] = self.source[read]

    def outward(self, pieces: Sequence[Piece]) -> list[Piece]:
        """Those of its pieces whose values are not used up within it."""
        inner = self._inner() if len(pieces) > 1 else ()
        return [piece for piece in pieces if piece not in inner]


def load(pieces: Sequence[Piece], progress: Progress, calls: Calls) -> Shipment:
    """The shipment of some pieces, with what their calls are spread over and which values they read."""
    nodes, mapped, here = progress.nodes, progress.mapped, calls.here
    given: dict[int, Any] = {}
    loaded: list[BatchPiece] = []
    made: set[tuple[int, int]] = set()
    new = tuple.__new__
    for node_id, low, high in pieces:
        node = nodes[node_id]
        if low < 0:
            # One for each call: half the time of BatchPiece(…).
            loaded.append(new(BatchPiece, (node, here[node.task], low, high, None)))
        else:
            columns = _columns(mapped, node_id, low, high, made)
            loaded.append(BatchPiece(node, here[node.task], low, high, columns))
            made.add((node_id, low))
        if mapped:
            for read in node.reads:
                value = progress.values[read]
                spread = read in mapped or read in progress.remote  # the second for a merge of a map
                if spread and type(value) is list:
                    given[read] = list(value)
    shipment = Shipment(loaded, given, progress.values, calls, progress.users, progress.remote)
    shipment.progress = progress
    shipment.attempts = progress.attempts.later(pieces)
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
    """What a Step is made of; the values of spread arguments are shipped as columns, so they are left out here."""
    plan, args, kwargs = node.plan, node.args, node.kwargs
    if node.spread is not None:
        args = tuple(None if at in node.spread else template for at, template in enumerate(args))
        kwargs = {name: None if name in node.spread else template for name, template in kwargs.items()}
    if swaps:
        plan, args, kwargs = _without_constants(plan, args, kwargs, swaps)
    return node.id, plan, args, kwargs, node.depends, node.spread, inner, node.task.name, node.index


def _without_constants(
    plan: int, args: tuple[Any, ...], kwargs: Mapping[str, Any], swaps: Mapping[int, int]
) -> tuple[int, tuple[Any, ...], Mapping[str, Any]]:
    """A node's plan and arguments, with results in the place of constants. swaps: by a constant's id, the result's."""
    if plan == RESULTS:
        return plan, args, kwargs

    def swapped(held: Any) -> Template | None:
        template = (CONST, held) if plan == CONSTANTS else held
        if template is None or template[0] != CONST or id(template[1]) not in swaps:
            return template
        return (RESULT, swaps[id(template[1])])

    return TEMPLATES, tuple(map(swapped, args)), {name: swapped(held) for name, held in kwargs.items()}
