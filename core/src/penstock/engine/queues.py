"""What is ready to run, in the order in which it is to be taken."""

from __future__ import annotations

from typing import NamedTuple

from penstock.engine.pieces import Piece
from penstock.flows.task import AnyTask


class Lane(NamedTuple):
    """Calls that may share a batch: with the same tags, and willing to share one at all.

    secluded: calls that run while nothing else does, as they are suspected of killing workers.
    site: the number of the executor that they run on, 0 for the run's own.
    asks: calls that the cache is asked for before they run. keeps: such as were not there, whose values it is to keep;
    nothing runs in a batch after them that could change those values.
    """

    tags: tuple[str, ...]
    together: bool
    secluded: bool = False
    site: int = 0
    asks: bool = False
    keeps: bool = False


class Place(NamedTuple):
    """Where calls run: the number of the executor, and whether it kills those that take too long."""

    site: int = 0
    hard_timeouts: bool = False


class Queue:
    """The ready pieces of one lane: a stack, so that what was begun is finished before more is begun."""

    __slots__ = ("calls", "pieces")

    def __init__(self) -> None:
        self.pieces: list[Piece] = []
        self.calls: dict[AnyTask, int] = {}

    def push(self, task: AnyTask, piece: Piece) -> None:
        """Put a piece on top."""
        self.pieces.append(piece)
        self.calls[task] = self.calls.get(task, 0) + (piece[2] - piece[1] or 1)

    def took(self, task: AnyTask, count: int) -> None:
        """So many calls of `task` were taken."""
        self.calls[task] -= count
