"""Pieces: calls that are dealt with together, so that a million mapped calls are a handful of pieces. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from penstock.ledger import Key

Piece = tuple[int, int, int]
"""Elements `low` to `high` of a mapped node, `(node, low, high)`, or a single call, `(node, -1, -1)`."""


def keys_of(piece: Piece) -> Iterator[Key]:
    """The task runs of a piece."""
    node, low, high = piece
    if low < 0:
        yield node, None
    else:
        yield from ((node, index) for index in range(low, high))


def first_of(piece: Piece) -> Key:
    """The first task run of a piece."""
    node, low, _ = piece
    return node, low if low >= 0 else None


def piece_of(key: Key) -> Piece:
    """The piece that is one task run and no other."""
    node, index = key
    return (node, -1, -1) if index is None else (node, index, index + 1)


def gaps(holes: Iterable[int], count: int) -> Iterator[tuple[int, int]]:
    """The runs of offsets below `count` that are not among `holes`."""
    start = 0
    for hole in sorted(holes):
        if hole > start:
            yield start, hole
        start = hole + 1
    if start < count:
        yield start, count


def inner_pieces(
    pieces: set[Piece], users: Callable[[int], tuple[Sequence[int], Sequence[int]] | None]
) -> set[Piece]:
    """Those of the pieces of a batch whose values are taken by others of them, and by nothing else.

    users: see `Schedule.users`.
    """
    single = {node for node, low, _ in pieces if low < 0}
    inner = set()
    for node, low, high in pieces:
        taking = users(node)
        if taking is not None:
            consumers, followers = taking
            if single.issuperset(consumers) and all((each, low, high) in pieces for each in followers):
                inner.add((node, low, high))
    return inner
