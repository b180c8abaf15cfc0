"""Selectors name task runs by a record, a task, its name or `name[index]`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from turgo.engine.schedule.pieces import Piece, piece_of
from turgo.errors import ParameterError
from turgo.names import did_you_mean, nearest
from turgo.records.ledger import Ledger
from turgo.records.task_run import TaskRun


def meant(ledger: Ledger, what: Any) -> list[Piece]:
    """The task runs that are meant, the elements of a mapped node together. Raises ParameterError if there are none."""
    if isinstance(what, TaskRun) and what.key is not None:
        return [piece_of(what.key)]
    asked = what if isinstance(what, str) else getattr(what, "label", getattr(what, "name", None))
    if not isinstance(asked, str):
        raise ParameterError(
            f"{what!r:.80} names no task run: give a TaskRun, a task, its name, or 'name[index]'"
        )
    found = list(_named(ledger, asked))
    indexed = re.fullmatch(r"(.+)\[(\d+)\]", asked)
    if not found and indexed:
        found = list(_labelled(ledger, indexed[1], int(indexed[2])))
    if not found:
        names = dict.fromkeys(ledger.names)
        hint = did_you_mean(nearest(indexed[1] if indexed else asked, names)) or "."
        raise ParameterError(f"the run has no task run {asked!r}{hint} Its tasks are {', '.join(names)}")
    return found


def _named(ledger: Ledger, name: str) -> Iterator[Piece]:
    """All task runs of a name; a mapped node without elements as well, which has none."""
    for node, own in enumerate(ledger.names):
        if own == name:
            columns = ledger.mapped.get(node)
            yield (node, -1, -1) if columns is None else (node, 0, columns.width)


def _labelled(ledger: Ledger, name: str, index: int) -> Iterator[Piece]:
    """The task runs of a name that have an index."""
    for node, low, high in _named(ledger, name):
        if low < 0 and index == ledger.indices[node]:
            yield node, low, high
        elif low <= index < high:
            yield node, index, index + 1
