"""The colours of states."""

from turgo.outlines.colours import NOT_TO_RUN, PLAIN, STATE_COLOURS, TAKEN_OVER, TO_RUN, colour_of
from turgo.outlines.shapes import Box
from turgo.records.states import TaskState


def test_every_state_has_a_colour() -> None:
    """And nothing else has one."""
    assert set(STATE_COLOURS) == {str(state) for state in TaskState}


def test_what_went_wrong_shows_first() -> None:
    """One failure among many successes paints the box; before a run it is plain."""
    many = Box("bake", "1", 9, True, (), {"Success": 8, "Failed": 1})
    assert colour_of(many) is STATE_COLOURS["Failed"]
    assert colour_of(Box("bake", "1", 9, True)) is PLAIN


def test_what_would_be_taken_over_looks_as_it_will() -> None:
    """As Cached, what would not run as Crashed, and what would run as all of a graph that has not run."""
    assert colour_of(Box("bake", "1", 3, True, (), {TAKEN_OVER: 3})) is STATE_COLOURS["Cached"]
    assert colour_of(Box("bake", "1", 3, True, (), {TAKEN_OVER: 2, TO_RUN: 1})) is PLAIN
    assert colour_of(Box("bake", "1", 2, True, (), {TO_RUN: 1, NOT_TO_RUN: 1})) is STATE_COLOURS["Crashed"]
