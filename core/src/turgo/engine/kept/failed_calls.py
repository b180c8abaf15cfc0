"""Keeps what calls that failed were made of, so that they can be replayed: function, arguments, declared variables."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from turgo.engine.schedule.inputs import argument
from turgo.engine.schedule.pieces import Piece
from turgo.engine.schedule.progress import Progress
from turgo.flows.graph import Node
from turgo.flows.task import AnyTask
from turgo.journal.writer import JournalWriter
from turgo.records.ledger import Key
from turgo.records.task_run import titled
from turgo.worker.outcomes import MapOutcome, Outcome

REPLAYABLE_CALLS = 100
"""Of how many calls that failed the arguments are kept."""


class FailedCalls:
    """Those of one run. variables_of: the environment variables that a task declares, with their values."""

    def __init__(
        self,
        progress: Progress,
        writer: JournalWriter,
        variables_of: Callable[[AnyTask], Mapping[str, str | None]],
    ) -> None:
        self.progress = progress
        self.writer = writer
        self.variables_of = variables_of
        self._kept: set[Key] = set()

    def note(self, pieces: Sequence[Piece], outcomes: Sequence[Outcome]) -> None:
        """Keep the first few that failed in a batch, in which their arguments may have been made as well."""
        failed = [key for key in _failed(pieces, outcomes) if self.progress.nodes[key[0]].task.policy.journal]
        if not failed or len(self._kept) >= REPLAYABLE_CALLS:
            return
        made = _made(pieces, outcomes)
        for node, index in failed:
            if len(self._kept) < REPLAYABLE_CALLS:
                self._keep(self.progress.nodes[node], index, made)

    def _keep(self, node: Node, index: int | None, made: Mapping[Key, Any]) -> None:
        places: list[int | str] = [*range(len(node.args)), *node.kwargs]
        try:
            values = {place: argument(self.progress, node, place, index, made) for place in places}
        except LookupError:
            return
        self._kept.add((node.id, index))
        args = [values[place] for place in places if isinstance(place, int)]
        kwargs = {place: values[place] for place in places if isinstance(place, str)}
        label = titled(node.task.name, node.index if index is None else index)
        call = (node.task.name, node.id, node.index, index)
        fn = node.task.fn
        place = (getattr(fn, "__module__", ""), getattr(fn, "__qualname__", "<object>"))
        nameless = fn if "<" in place[1] else None  # else it is looked up, as it may have been mended
        if self.writer.put_inputs(label, [place, nameless, args, kwargs, call], self.variables_of(node.task)):
            self.progress.ledger.replayable.add((node.id, index))


def _failed(pieces: Sequence[Piece], outcomes: Sequence[Outcome]) -> Iterator[Key]:
    """The calls of a batch that failed, in its order."""
    for (node, low, _), outcome in zip(pieces, outcomes, strict=False):
        if isinstance(outcome, MapOutcome):
            yield from ((node, low + at) for at, failure in outcome.failures.items() if failure is not None)
        elif outcome is not None and outcome.failure is not None:
            yield node, None


def _made(pieces: Sequence[Piece], outcomes: Sequence[Outcome]) -> dict[Key, Any]:
    """The values that the calls of a batch have made."""
    made: dict[Key, Any] = {}
    for (node, low, _), outcome in zip(pieces, outcomes, strict=False):
        if isinstance(outcome, MapOutcome):
            found = enumerate(outcome.values)
            made |= {(node, low + at): value for at, value in found if at not in outcome.failures}
        elif outcome is not None and outcome.failure is None:
            made[node, None] = outcome.value
    return made
