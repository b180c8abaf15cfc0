"""The colours of states."""

from turgo.outlines.colours import PLAIN, STATE_COLOURS, colour_of
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
