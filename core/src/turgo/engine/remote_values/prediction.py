"""Predicts which tasks return large values. It learns from what a run has seen on one site. Pure.

Until a task is known to return small values only, the values of its calls may be stored on their worker.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from turgo.engine.schedule.pieces import Piece, inner_pieces
from turgo.engine.schedule.progress import Progress
from turgo.flows.task import AnyTask
from turgo.worker.outcomes import Outcome, is_complete


class SizePrediction:
    """Tasks that have returned a large value, and tasks that have returned small ones only."""

    def __init__(self) -> None:
        self._small: set[AnyTask] = set()
        self._large: set[AnyTask] = set()

    def all_small(self, tasks: Iterable[AnyTask]) -> bool:
        """Whether all of the tasks are predicted to return small values."""
        return self._small.issuperset(tasks)

    def any_large(self, tasks: Iterable[AnyTask]) -> bool:
        """Whether one of the tasks has returned a large value."""
        return not self._large.isdisjoint(tasks)

    def forget(self, tasks: Iterable[AnyTask]) -> None:
        """The tasks are measured again, as what they returned together was large."""
        self._small.difference_update(tasks)

    def learn(self, tasks: Sequence[AnyTask], outcomes: Sequence[Outcome], large: set[AnyTask]) -> None:
        """A task that returned a large value may return another one; any other is predicted to return small ones."""
        self._large |= large
        seen = {task for task, outcome in zip(tasks, outcomes, strict=False) if is_complete(outcome)}
        self._small = (self._small | seen) - self._large

    def alike_count(self, pieces: Sequence[Piece], progress: Progress) -> int:
        """How many of the first pieces to submit together, so that either all their values stay or none does.

        Values that stay are lost with their worker and made again; those that are here already should not be.
        """
        count = len(pieces)
        while count > 1 and self._large:
            first = pieces[:count]
            inner = inner_pieces(set(first), progress.users)
            kinds = [
                progress.nodes[piece[0]].task in self._large if piece not in inner else None
                for piece in first
            ]
            outward = [kind for kind in kinds if kind is not None]
            if len(set(outward)) < 2:
                break
            count = kinds.index(not outward[0])
        return count
