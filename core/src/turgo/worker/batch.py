"""A batch holds calls for one worker. They are shipped together, with their arguments.

Batch ── pieces ──> BatchPiece ── step      which node, and how its arguments are put together
      │                        └─ columns   what the calls of a mapped step are spread over; None: one call
      ├─ given, source              values of other nodes
      └─ reads                      large values that are stored on workers
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from time import perf_counter as monotonic_clock  # bound here, so that a task may replace those of the module
from time import time as wall_clock
from types import MappingProxyType
from typing import Any, NamedTuple

from turgo.worker.call import Call, prepare
from turgo.worker.code.bootstrap import Payload, WorkerCode
from turgo.worker.context import Position
from turgo.worker.outcomes import Going, MapOutcome, Outcome
from turgo.worker.output.lines import stream_to, telling
from turgo.worker.values.stored_values import Read

BATCH_SECONDS = 0.5
"""Seconds after which a batch begins no further call, so that other workers can have the rest of it."""

HALTED_SECONDS = -1.0
"""The limit of a batch that is to begin no further call, not even a first one."""


class Step:
    """The part of a node that a worker needs."""

    __slots__ = ("args", "depends", "id", "index", "inner", "kwargs", "name", "plan", "spread")

    def __init__(
        self,
        id: int,
        plan: int,
        args: Any,
        kwargs: Any,
        depends: Any,
        spread: Any,
        inner: bool = False,
        name: str = "",
        index: int | None = None,
    ) -> None:
        self.id = id
        self.plan = plan
        self.args = args
        self.kwargs = kwargs
        self.depends = depends
        self.spread = spread
        self.inner = inner  # nothing outside of the batch needs its value
        self.name = name
        self.index = index


class BatchPiece(NamedTuple):
    """One call of a step, or the calls of elements `low` to `high` of a mapped one.

    columns: what the elements are spread over, one column for each spread argument: a sequence, or the id of a step
    whose elements this very batch makes. None for one call, of which low and high say nothing.
    """

    step: Any
    call: Call
    low: int
    high: int
    columns: list[Any] | None


class Batch:
    """Calls that are shipped together.

    pieces: of them, in order; given: values that the calls read, by node; source: where else to read them.
    reads: large values that the calls read, which stayed on workers; see `stored_values`.
    outcomes: filled in as the calls end, so that an interrupted batch can report how far it came.
    current: the outcome of the elements that run now, as far as they came; None while a single call runs.
    ahead: those of them that are timed together, from the first that ran to the last that is to.
    crossed: whether it came here from another process, so that what it returns has to be packed.
    worker_code: of the payload that it came in, if that may go where turgo is not.
    limit: seconds after which it begins no further call; read again after each handful of calls, as a run may be ended.
    fail_fast: whether it begins no further call once one has failed. keeps: whether each value is to be reported as it
    was when it was made, whatever later calls of the batch do to it. least: bytes of a value that stays on the worker.
    abandoned: whether the run is cut short, so that what ends a call is meant for the whole batch.
    killed_if_late: whether the executor ends the worker of a call that does not stop when its time is up.
    run: the id of the run and the name of its flow; attempts: the numbers of calls that are not at their first attempt,
    by node and element; levels: of loggers, as the driver has them, if it came from there.
    outer: where the task is that this batch is run within, if it is; logs: keeps what is logged.
    tells: whether it tells the driver of each call that it begins, as it was lost with a worker before.
    name: of this batch; driver: the name of the driver's process; channel: a pickle of what sends bytes there, or None.
    worker: its name, if it is not that of this process and thread. clock, wall_clock: what is read there, in seconds.
    """

    crossed = tells = False
    worker_code: WorkerCode | None = None
    abandoned = killed_if_late = fail_fast = keeps = False
    limit = BATCH_SECONDS
    least = float("inf")
    reads: Sequence[Read] = ()
    run = ("", "")
    attempts: Mapping[tuple[int, int | None], int] = MappingProxyType({})
    levels: Mapping[str, int] = MappingProxyType({})
    outer: Callable[[], Position] | None = None
    logs: Any = None
    name = ""
    driver = ""
    channel: bytes | None = None
    worker = ""
    clock = staticmethod(monotonic_clock)
    wall_clock = staticmethod(wall_clock)

    def __init__(
        self, pieces: Sequence[BatchPiece], given: dict[int, Any], source: Sequence[Any] = ()
    ) -> None:
        self.pieces = pieces
        self.given = given
        self.source = source
        self.outcomes: list[Outcome] = []
        self.stamp: Any = None
        self.current: Going | MapOutcome | None = None
        self.ahead: Any = None

    def where(self) -> Position:
        """The call that runs now."""
        return Position(self, len(self.outcomes), None if self.current is None else len(self.current.values))

    def name_of(self, step: Any) -> str:
        """The name of a step's task."""
        return step.name  # type: ignore[no-any-return]

    def title_of(self, name: str, index: int | None, step: Any) -> Any:
        """A call in words. index: the element, if it is one; step: which is called."""
        return name if index is None else f"{name}[{index}]"

    def taken_again(self) -> set[int]:
        """The steps whose values later calls of the batch take."""
        made = {piece.step.id for piece in self.pieces}
        taken: set[int] = set()
        for piece in self.pieces:
            taken.update(piece.step.depends)
            taken.update(column for column in piece.columns or () if type(column) is int)
        return taken & made

    def halt(self) -> None:
        """Let no further call of it begin. From any thread of its process."""
        self.limit = HALTED_SECONDS
        ahead = self.ahead
        if type(ahead) is list:
            ahead.clear()  # the loop over it ends


@lru_cache(maxsize=256)
def load_call(blob: bytes) -> Call:
    """The prepared function of a task, unpickled once for each worker process."""
    return prepare(*pickle.loads(blob))


def unpack(payload: Payload) -> Batch:
    """The batch that the driver packed; opened here and nowhere before, so that what fails then is an outcome."""
    steps, calls, given, reads, facts = payload.open()
    pieces = [
        BatchPiece(Step(*parts), load_call(calls[number]), low, high, columns)
        for parts, number, low, high, columns in steps
    ]
    batch = Batch(pieces, given)
    batch.crossed, batch.worker_code = True, payload.worker_code
    batch.reads = [Read(*row) for row in reads]
    batch.run, batch.attempts, batch.levels, *ends, batch.name, batch.driver, batch.channel = facts
    batch.killed_if_late, batch.fail_fast, batch.keeps, batch.limit, batch.tells = ends
    if batch.tells and batch.channel is not None:
        send = stream_to(batch.channel).send
        batch.pieces = [piece._replace(call=telling(batch, piece.call, send)) for piece in pieces]
    return batch
