"""Pieces are calls that are handled together. So a million mapped calls are a handful of pieces. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from turgo.records.ledger import Key

Piece = tuple[int, int, int]
"""Elements `low` to `high` of a mapped node, `(node, low, high)`, or a single call, `(node, -1, -1)`."""


def keys_of(piece: Piece) -> Iterator[Key]:
    """The task runs of a piece."""
    node, low, high = piece
    if low < 0:
        yield node, None
    else:
        yield from ((node, index) for index in range(low, high))


def calls_of(pieces: Iterable[Piece]) -> int:
    """The number of task runs."""
    return sum(high - low or 1 for _, low, high in pieces)


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


def parts_of(pieces: Iterable[Piece], most: int) -> list[list[Piece]]:
    """Some pieces in their order, in at most so many parts of as many calls each."""
    left = list(pieces)
    size = -(-calls_of(left) // most)
    parts: list[list[Piece]] = [[]]
    room = size
    for node, low, high in left:
        while True:
            if not room:
                parts.append([])
                room = size
            fits = min(room, high - low or 1)
            room -= fits
            if low < 0 or low + fits == high:
                parts[-1].append((node, low, high))
                break
            parts[-1].append((node, low, low + fits))
            low += fits
    return parts


def without(pieces: Iterable[Piece], key: Key) -> list[Piece]:
    """Some pieces in their order, without one of their task runs."""
    left: list[Piece] = []
    for piece in pieces:
        node, low, high = piece
        if node != key[0]:
            left.append(piece)
        elif key[1] is not None:
            runs = (low, min(high, key[1])), (max(low, key[1] + 1), high)
            left += [(node, start, stop) for start, stop in runs if start < stop]
    return left


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
