"""The columns of a run as bytes, so that a later process can say why a task run is as it is.

    progress ──Columns, in bunches──> {"structure": …, "states": …, "attempts": …, "times": …} ──opened──> Record

A state takes a byte before it is compressed, and nothing is written for a call by itself: a million alike are a
kilobyte. When each call ran is written once the run is over, and for calls of less than a millisecond by batches.
"""

from __future__ import annotations

import json
import zlib
from array import array
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from turgo.engine.schedule.progress import Progress
from turgo.errors import TaskError
from turgo.flows.graph import structure_of
from turgo.outlines.structure import Structure
from turgo.records.ledger import Failure, Key, Ledger, MappedColumns, Span, Stamp
from turgo.records.states import TaskState
from turgo.records.task_run import Attempt
from turgo.worker.values.pickles import message_of

KEPT_ATTEMPTS = 1000
"""Of how many task runs the errors are written, and of how many that were tried before the earlier attempts."""

SHORT_SECONDS = 0.001
"""Calls that take less share the time of their batch."""

Unkept = tuple[int, int, int, str]
"""A piece whose values the journal does not keep, and why."""


class Record(NamedTuple):
    """What was written of a run. unkept: whose values are not kept, and why."""

    ledger: Ledger
    structure: Structure
    guards: dict[int, int]
    unkept: list[Unkept]


class Columns:
    """Makes the bytes; from any thread, while the run is on. unkept: grows meanwhile."""

    def __init__(self, progress: Progress, unkept: Sequence[Unkept] = ()) -> None:
        self.progress = progress
        self.unkept = unkept
        self._structure: bytes = b""

    def __call__(self, *, over: bool) -> dict[str, bytes]:
        """All that is known now. over: whether the run is, so that times are written."""
        ledger = self.progress.ledger
        self._structure = self._structure or _dumped(self._made_of())
        mapped = list(ledger.mapped.items())
        states = bytes(ledger.states) + b"".join([bytes(each.states) for _, each in mapped])
        widths = [[node, each.width] for node, each in mapped]
        return {
            "structure": self._structure,
            "states": zlib.compress(states, 1),
            "attempts": _dumped({"widths": widths, "unkept": list(self.unkept), **_attempts(ledger)}),
            "times": _times(ledger, mapped) if over else b"",
        }

    def _made_of(self) -> dict[str, Any]:
        ledger, structure = self.progress.ledger, structure_of(self.progress.nodes, self.progress.guards)
        names, triggers = list(dict.fromkeys(ledger.names)), list(dict.fromkeys(structure.triggers))
        by_name = {name: at for at, name in enumerate(names)}
        by_trigger = {name: at for at, name in enumerate(triggers)}
        return {
            "names": names,
            "name": [by_name[name] for name in ledger.names],
            "indices": list(ledger.indices),
            "depends": structure.depends,
            "triggers": triggers,
            "trigger": [by_trigger[name] for name in structure.triggers],
            "follows": list(structure.follows.items()),
            "after": list(structure.after.items()),
            "conditions": list(structure.conditions.items()),
            "executors": dict(structure.executors),
            "guards": list(self.progress.guards.items()),
        }


def _attempts(ledger: Ledger) -> dict[str, list[Any]]:
    """Why task runs failed, and what they tried before, of the first of each."""
    failures = [
        [*key, str(failure.state), *_words(failure.error), failure.away]
        for key, failure in list(ledger.failures.items())[:KEPT_ATTEMPTS]
    ]
    earlier = [
        [*key, [[each.started, each.duration, each.worker, _words(each.error)] for each in list(attempts)]]
        for key, attempts in list(ledger.earlier.items())[:KEPT_ATTEMPTS]
    ]
    inputs = [[*key, words] for key, words in list(ledger.inputs.items())]
    picked = [[node, *key] for node, key in list(ledger.picked.items())]
    return {"failures": failures, "earlier": earlier, "inputs": inputs, "picked": picked}


def _words(error: BaseException | None) -> tuple[str, str]:
    if error is None:
        return "", ""
    if isinstance(error, TaskError):
        return error.type_name, str(error.args[0]) if error.args else ""
    return type(error).__name__, message_of(error)


def _times(ledger: Ledger, mapped: Iterable[tuple[int, MappedColumns]]) -> bytes:
    """When and where each attempt ran that was the last one of its call."""
    workers: dict[str, int] = {}
    places, moments, ends = array("q"), array("d"), array("f")

    def enter(node: int, low: int, high: int, stamp: Stamp, began: float, ended: Sequence[float]) -> None:
        worker = workers.setdefault(stamp.worker, len(workers))
        places.extend((node, low, high, worker))
        moments.extend((stamp.wall + began - stamp.clock, ended[-1] - began))
        if high - low > 1 and ended[-1] - began > SHORT_SECONDS * (high - low):
            ends.extend(each - began for each in ended)

    for node, times in enumerate(ledger.times):
        if times is not None:
            stamp, began, end = times
            enter(node, -1, -1, stamp, began, (end,))
    for node, columns in mapped:
        for span in columns.spans:
            if span.ends:
                enter(node, span.low, span.high, span.stamp, span.began, span.ends)
    head = json.dumps([list(workers), len(places), len(moments), len(ends)]).encode()
    return zlib.compress(head + b"\n" + b"".join((places.tobytes(), moments.tobytes(), ends.tobytes())), 1)


def _dumped(facts: Any) -> bytes:
    return zlib.compress(json.dumps(facts).encode(errors="surrogatepass"), 1)


def _loaded(written: bytes) -> Any:
    return json.loads(zlib.decompress(written))


def opened(columns: Mapping[str, bytes]) -> Record:
    """What was written. Raises ValueError, LookupError, TypeError or zlib.error if it was damaged."""
    made, attempts = _loaded(columns["structure"]), _loaded(columns["attempts"])
    ledger = Ledger([made["names"][at] for at in made["name"]], made["indices"])
    states, at = zlib.decompress(columns["states"]), len(ledger.names)
    ledger.states[:] = states[:at]
    for node, width in attempts["widths"]:
        ledger.mapped[node] = MappedColumns(width)
        ledger.mapped[node].states[:] = states[at : at + width]
        at += width
    if at != len(states) or len(ledger.states) != len(ledger.names):
        raise ValueError("it has another number of task runs than of states")
    for node, index, state, *words, away in attempts["failures"]:
        error = _error(words)
        if error is None:
            raise ValueError("it has a failure without an error")
        ledger.failures[node, index] = Failure(TaskState(state), error, away=away and tuple(away))
    for node, index, tried in attempts["earlier"]:
        ledger.earlier[node, index] = [
            Attempt(began, seconds, worker, _error(words)) for began, seconds, worker, words in tried
        ]
    ledger.inputs.update({(node, index): words for node, index, words in attempts["inputs"]})
    ledger.picked.update({node: (source, at) for node, source, at in attempts["picked"]})
    if columns["times"]:
        _enter_times(ledger, zlib.decompress(columns["times"]))
    follows = {node: tuple(each) for node, each in made["follows"]}
    triggers = [made["triggers"][at] for at in made["trigger"]]
    structure = Structure(
        [tuple(each) for each in made["depends"]],
        triggers,
        follows,
        {node: tuple(each) for node, each in made.get("after", ())},
        dict(made.get("conditions", ())),
        made.get("executors", {}),
    )
    return Record(ledger, structure, dict(made["guards"]), [tuple(each) for each in attempts["unkept"]])


def _error(words: Sequence[str]) -> BaseException | None:
    type_name, message = words
    return TaskError(message, type_name=type_name) if type_name else None


def _enter_times(ledger: Ledger, written: bytes) -> None:
    head, _, body = written.partition(b"\n")
    workers, *counts = json.loads(head)
    places, moments, ends = array("q"), array("d"), array("f")
    start = 0
    columns: list[array[Any]] = [places, moments, ends]
    for column, count in zip(columns, counts, strict=True):
        column.frombytes(body[start : start + count * column.itemsize])
        start += count * column.itemsize
    at = 0
    for number in range(len(moments) // 2):
        node, low, high, worker = places[4 * number : 4 * number + 4]
        began, seconds = moments[2 * number : 2 * number + 2]
        stamp = Stamp(workers[worker], began, 0.0)
        if low < 0:
            ledger.times[node] = (stamp, 0.0, seconds)
            continue
        own = array("d", (seconds,)) * (high - low)
        if high - low > 1 and seconds > SHORT_SECONDS * (high - low):
            own = array("d", ends[at : at + high - low])
            at += high - low
        ledger.mapped[node].spans.append(Span(low, high, stamp, 0.0, own))


def unkept_reason(unkept: Iterable[Unkept], key: Key) -> str:
    """Why the value of a task run is not kept; empty if it is."""
    node, index = key
    at = -1 if index is None else index
    return next((why for own, low, high, why in unkept if own == node and (low < 0 or low <= at < high)), "")
