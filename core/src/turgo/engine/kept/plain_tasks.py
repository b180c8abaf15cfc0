"""Learns which tasks return what nobody can change in place, so that their values may go on within a batch.

A journal keeps each value as it was when it was made. In the driver's process a call that takes it gets the value
itself and may change it; so it runs in a later batch, unless the value is a number or a text. What was learned is a
guess: a batch in which another value turns up ends there, see `worker.execute`.
"""

from __future__ import annotations

from collections.abc import Sequence

from turgo.engine.schedule.pieces import Piece
from turgo.engine.schedule.progress import Progress
from turgo.flows.task import AnyTask
from turgo.worker.outcomes import UNCHANGING, CallOutcome, Outcome


class PlainTasks:
    """What is learned of one run; it is written into its progress."""

    def __init__(self, progress: Progress) -> None:
        self.progress = progress
        self._others: set[AnyTask] = set()

    def learn(self, pieces: Sequence[Piece], outcomes: Sequence[Outcome]) -> None:
        """Look at the values of a batch. A task that once returned another one is never plain again."""
        plain, others = self.progress.plain, self._others
        for (node, _, _), outcome in zip(pieces, outcomes, strict=False):
            task = self.progress.nodes[node].task
            if outcome is None or task in others:
                continue
            values = (outcome.value,) if isinstance(outcome, CallOutcome) else outcome.values
            if UNCHANGING.issuperset(map(type, values)):
                plain.add(task)
            else:
                others.add(task)
                plain.discard(task)
