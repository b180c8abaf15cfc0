"""Boxes: what they are called, and what is counted in them."""

import pytest

from turgo.outlines.shapes import Box, Shapes


@pytest.mark.parametrize(
    ("box", "label"),
    [
        (Box("bake", "1", 1, False), "bake"),
        (Box("bake", "1", 1, True), "bake ×1"),
        (Box("bake", "1", 0, True), "bake ×0"),
        (Box("bake", "1", None, True), "bake ×?"),
        (Box("bake", "1", 12_000, False), "bake ×12,000"),
    ],
)
def test_a_box_says_how_many_calls_it_is(box: Box, label: str) -> None:
    """A single call is its name alone; a map of one says that it is a map."""
    assert box.label == label


def test_a_box_counts_states() -> None:
    """The state alone of a single call, and of a map of unknown width, whose one state is that of all its calls."""
    assert Box("bake", "1", None, True, (), {"Pending": 1}).counts == "Pending"
    assert Box("bake", "1", 1, False, (), {"Failed": 1}).counts == "Failed"
    assert Box("bake", "1", 3, True, (), {"Success": 2, "Failed": 1}).counts == "2 Success, 1 Failed"


def test_what_was_drawn_together_stands_in_the_heading() -> None:
    """A picture that leaves something out says so."""
    assert Shapes("bakery", (), ()).heading == "bakery"
    assert (
        Shapes("bakery", (), (), "9 calls are drawn together").heading == "bakery: 9 calls are drawn together"
    )
