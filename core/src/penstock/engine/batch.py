"""A batch: calls that travel together to one worker, with what they take; see `work` for what becomes of them.

A batch is a list of pieces `(step, call, low, high, columns)`. A piece without columns is one call; one with columns
is the calls of elements `low` to `high` of a mapped step. Needs nothing but the standard library; see `work`.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from penstock.context import Position
from penstock.engine.calling import Call, prepare
from penstock.engine.carried import Carrier, Parcel
from penstock.engine.keeping import Read

LIMIT = 0.5
"""Seconds after which a batch begins no further call, so that other workers can have the rest of it."""

HALTED = -1.0
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


class Batch:
    """Calls that travel together.

    pieces: see the top of the module; given: values that the calls read, by node; source: where else to read them.
    reads: large values that the calls read, which stayed on workers; see `keeping`.
    outcomes: filled in as the calls end, so that an interrupted batch can tell how far it came.
    current: the outcome of the elements that run now, as far as they came; None while a single call runs.
    ahead: those of them that are timed together, from the first that ran to the last that is to.
    crossed: whether it came here from another process, so that what it returns has to be packed.
    carrier: of the parcel that it came in, if that may go where penstock is not.
    limit: seconds after which it begins no further call; read again after each handful of calls, as a run may be ended.
    fail_fast: whether it begins no further call once one has failed.
    abandoned: whether the run is cut short, so that what ends a call is meant for the whole batch.
    killed_if_late: whether the executor ends the worker of a call that does not stop when its time is up.
    run: the id of the run and the name of its flow; attempts: the numbers of calls that are not at their first attempt,
    by node and element; levels: of loggers, as the driver has them, if it came from there.
    outer: where the task is that this batch is run within, if it is; logs: keeps what is logged.
    """

    crossed = False
    carrier: Carrier | None = None
    abandoned = killed_if_late = fail_fast = False
    limit = LIMIT
    reads: Sequence[Read] = ()
    run = ("", "")
    attempts: Mapping[tuple[int, int | None], int] = MappingProxyType({})
    levels: Mapping[str, int] = MappingProxyType({})
    outer: Callable[[], Position] | None = None
    logs: Any = None

    def __init__(self, pieces: Sequence[Any], given: dict[int, Any], source: Sequence[Any] = ()) -> None:
        self.pieces = pieces
        self.given = given
        self.source = source
        self.outcomes: list[Any] = []
        self.stamp: Any = None
        self.current: tuple[float, list[Any], Any, dict[int, Any]] | None = None
        self.ahead: Any = None

    def where(self) -> Position:
        """The call that runs now."""
        return Position(self, len(self.outcomes), None if self.current is None else len(self.current[1]))

    def name_of(self, step: Any) -> str:
        """The name of a step's task."""
        return step.name  # type: ignore[no-any-return]

    def halt(self) -> None:
        """Let no further call of it begin. From any thread of its process."""
        self.limit = HALTED
        ahead = self.ahead
        if type(ahead) is list:
            ahead.clear()  # the loop over it ends


@lru_cache(maxsize=256)
def load_call(blob: bytes) -> Call:
    """The prepared function of a task, unpickled once for each worker process."""
    return prepare(*pickle.loads(blob))


def unpack(parcel: Parcel) -> Batch:
    """The batch that the driver packed; opened here and nowhere before, so that what fails then is an outcome."""
    steps, calls, given, reads, facts = parcel.open()
    pieces = [
        (Step(*parts), load_call(calls[number]), low, high, columns)
        for parts, number, low, high, columns in steps
    ]
    batch = Batch(pieces, given)
    batch.crossed, batch.carrier = True, parcel.carrier
    batch.reads = reads
    batch.run, batch.attempts, batch.levels, batch.killed_if_late, batch.fail_fast = facts
    return batch
