"""The calls that a run made: each attempt of each task run, with its worker and its times."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import attrs

from turgo.outlines.structure import Structure
from turgo.records.ledger import Key, Ledger
from turgo.records.states import STATES
from turgo.records.task_run import titled

OVERLAP_SECONDS = 0.0001
"""Calls that ran one after the other may seem to overlap by this, as clocks are read."""


@attrs.frozen
class Call:
    """One attempt. attempt: its number, from 1 on; last: whether no other came after it; state: of the task run.

    began: seconds since the epoch; seconds: how long it took; failed: whether this attempt did.
    """

    key: Key
    task: str
    worker: str
    began: float
    seconds: float
    attempt: int
    last: bool
    state: str
    failed: bool

    @property
    def end(self) -> float:
        """When it was over."""
        return self.began + self.seconds


def calls_of(ledger: Ledger) -> list[Call]:
    """All calls of a run, in the order of its task runs."""
    return [call for key in keys_of(ledger) for call in _attempts(ledger, key)]


def keys_of(ledger: Ledger) -> Iterator[Key]:
    """All task runs, in the order of recording; a map without elements as a whole, as others wait for it."""
    for node in range(len(ledger.names)):
        columns = ledger.mapped.get(node)
        if columns is None or not columns.width:
            yield node, None
        else:
            yield from ((node, index) for index in range(columns.width))


def _attempts(ledger: Ledger, key: Key) -> Iterator[Call]:
    node, index = key
    tried = list(ledger.earlier.get(key, ()))
    last = ledger.last_attempt(key)
    if last is not None:
        tried.append(last)
    state = STATES[ledger.states[node] if index is None else ledger.mapped[node].states[index]]
    for number, each in enumerate(tried, 1):
        final = number == len(tried)
        yield Call(
            key,
            ledger.names[node],
            each.worker or "lost",
            each.started,
            max(0.0, each.duration),
            number,
            final,
            str(state),
            each.error is not None and (not final or state.failed),
        )


@attrs.frozen
class Titles:
    """The titles of task runs, with their inputs where they are known. input_of: looks for that of a call."""

    ledger: Ledger
    input_of: Callable[[Key], str] | None = None

    def __call__(self, key: Key) -> str:
        """`measure[3] (path='a.txt')`."""
        known = self.ledger.inputs.get(key)
        if known is None and self.input_of is not None:
            known = self.input_of(key)
        return titled(self.ledger.names[key[0]], self.ledger.index(key), known or "")


def upstream_of(ledger: Ledger, structure: Structure, key: Key) -> Iterator[Key]:
    """What a task run waits for: nodes as a whole, as `(node, None)`, and the elements that it follows."""
    node, index = key
    yield from ((each, None) for each in structure.depends[node])
    for each in structure.follows.get(node, ()):
        columns = ledger.mapped.get(each)
        inside = columns is not None and index is not None and index < columns.width
        yield each, index if inside else None
