"""Weights: which tasks bring large values, as far as a run has learned it on one site. Pure.

Until a task is known to bring none, its calls may keep what they bring.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from penstock.engine.pieces import Piece, inner_pieces
from penstock.engine.schedule import Schedule
from penstock.flows.task import AnyTask


class Weights:
    """What is known of the values of tasks: that some are heavy, as they may be large, and others light."""

    def __init__(self) -> None:
        self._light: set[AnyTask] = set()
        self._heavy: set[AnyTask] = set()

    def all_light(self, tasks: Iterable[AnyTask]) -> bool:
        """Whether none of the tasks is thought to bring a large value."""
        return self._light.issuperset(tasks)

    def any_heavy(self, tasks: Iterable[AnyTask]) -> bool:
        """Whether one of the tasks has brought a large value."""
        return not self._heavy.isdisjoint(tasks)

    def doubt(self, tasks: Iterable[AnyTask]) -> None:
        """The tasks have to be looked at once more, as what they brought together was large."""
        self._light.difference_update(tasks)

    def learn(self, tasks: Sequence[AnyTask], outcomes: Sequence[Any], large: set[AnyTask]) -> None:
        """A task that brought a large value may bring another one; one that did not is taken for light."""
        self._heavy |= large
        brought = {task for task, outcome in zip(tasks, outcomes, strict=False) if _is_well(outcome)}
        self._light = (self._light | brought) - self._heavy

    def alike(self, pieces: Sequence[Piece], schedule: Schedule) -> int:
        """How many of the first pieces to send together, so that either all their values stay or none does.

        Values that stay are lost with their worker and made again; those that are at home already should not be.
        """
        count = len(pieces)
        while count > 1 and self._heavy:
            first = pieces[:count]
            inner = inner_pieces(set(first), schedule.users)
            kinds = [
                schedule.nodes[piece[0]].task in self._heavy if piece not in inner else None
                for piece in first
            ]
            outward = [kind for kind in kinds if kind is not None]
            if len(set(outward)) < 2:
                break
            count = kinds.index(not outward[0])
        return count


def _is_well(outcome: Any) -> bool:
    """Whether every call of an outcome brought a value."""
    if outcome is None or outcome[0] is False:
        return False
    return outcome[0] is True or not outcome[3]
