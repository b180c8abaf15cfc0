"""Pieces: calls that are dealt with together."""

import pytest

from turgo.engine.schedule.pieces import first_of, gaps, inner_pieces, keys_of, parts_of, piece_of, without


@pytest.mark.parametrize("key", [(3, None), (3, 0), (3, 7)])
def test_a_task_run_and_the_piece_that_is_only_it_stand_for_each_other(key):
    """There and back, for a single call and for an element."""
    assert list(keys_of(piece_of(key))) == [key] and first_of(piece_of(key)) == key


def test_a_piece_of_elements_is_all_of_them_in_order():
    """The upper bound is not among them."""
    assert list(keys_of((1, 2, 5))) == [(1, 2), (1, 3), (1, 4)] and first_of((1, 2, 5)) == (1, 2)


@pytest.mark.parametrize(
    ("holes", "runs"),
    [((), [(0, 4)]), ((0, 3), [(1, 3)]), ((2, 1), [(0, 1), (3, 4)]), (range(4), [])],
)
def test_the_gaps_are_the_runs_between_holes(holes, runs):
    """In whatever order the holes come; runs without anything in them are left out."""
    assert list(gaps(holes, 4)) == runs


def test_only_what_nothing_outside_takes_is_inner():
    """A call whose taker is elsewhere is not, nor one whose value the flow returns; elements go by their followers."""
    users = {0: ([1], []), 1: ([9], []), 2: None, 3: ([], [4]), 4: ([9], [])}
    pieces = {(0, -1, -1), (1, -1, -1), (2, -1, -1), (3, 0, 5), (4, 0, 5)}
    assert inner_pieces(pieces, users.__getitem__) == {(0, -1, -1), (3, 0, 5)}
    assert inner_pieces({(3, 0, 5), (4, 0, 4)}, users.__getitem__) == set()


def test_pieces_are_parted_into_as_many_calls_each():
    """In their order, through the middle of a piece; never into more parts than there are calls."""
    pieces = [(0, -1, -1), (1, 0, 6), (2, -1, -1)]
    assert parts_of(pieces, 2) == [[(0, -1, -1), (1, 0, 3)], [(1, 3, 6), (2, -1, -1)]]
    assert parts_of(pieces, 1) == [pieces]
    assert parts_of([(1, 4, 6)], 4) == [[(1, 4, 5)], [(1, 5, 6)]]
    assert [sum(high - low or 1 for _, low, high in part) for part in parts_of([(0, 0, 10)], 4)] == [
        3,
        3,
        3,
        1,
    ]


@pytest.mark.parametrize(
    ("key", "left"),
    [
        ((0, None), [(1, 0, 4), (2, 5, 6), (1, 8, 9)]),
        ((1, 0), [(0, -1, -1), (1, 1, 4), (2, 5, 6), (1, 8, 9)]),
        ((1, 2), [(0, -1, -1), (1, 0, 2), (1, 3, 4), (2, 5, 6), (1, 8, 9)]),
        ((1, 8), [(0, -1, -1), (1, 0, 4), (2, 5, 6)]),
        ((3, 1), [(0, -1, -1), (1, 0, 4), (2, 5, 6), (1, 8, 9)]),
    ],
)
def test_pieces_without_one_of_their_task_runs(key, left):
    """Its own piece is parted around it, and no other one is."""
    assert without([(0, -1, -1), (1, 0, 4), (2, 5, 6), (1, 8, 9)], key) == left
