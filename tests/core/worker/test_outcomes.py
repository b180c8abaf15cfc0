"""Outcomes: what a worker reports by name, and the rows that stand for it between processes."""

import pickle
from array import array

import pytest

from turgo.worker.outcomes import (
    CallFailure,
    CallOutcome,
    Going,
    MapOutcome,
    is_complete,
    outcomes_of,
    row_of,
    without_value,
)

FAILURE = CallFailure("Failed", ValueError("broken"), "its text")
OUTCOMES = [
    CallOutcome(5, None, 1.0, 2.0),
    CallOutcome(None, FAILURE, 1.0, 2.0),
    MapOutcome([1, None, 3], {1: FAILURE}, 1.0, array("d", [2.0, 3.0, 4.0])),
    MapOutcome([None], {0: None}, 1.0, array("d", [2.0])),
    None,
]


def test_rows_become_the_outcomes_that_they_stand_for() -> None:
    """Of a call, of the elements of a map, and of a piece that was not executed."""
    assert outcomes_of(row_of(outcome) for outcome in OUTCOMES) == OUTCOMES


def test_a_row_is_made_of_builtins() -> None:
    """A worker without turgo has no class that the driver could find."""
    assert b"turgo" not in pickle.dumps([row_of(outcome) for outcome in OUTCOMES])


@pytest.mark.parametrize(
    ("outcome", "complete"), list(zip(OUTCOMES, [True, False, False, False, False], strict=True))
)
def test_an_outcome_is_complete_if_every_call_has_a_value(outcome: object, complete: bool) -> None:
    """None is a value; an element that was not executed has none."""
    assert is_complete(outcome) is complete
    assert is_complete(MapOutcome([None, 2], {}, 0.0, array("d", [1.0, 1.0])))


def test_a_value_that_nobody_needs_is_left_out() -> None:
    """The times and the failure stay."""
    assert without_value(OUTCOMES[0]) == CallOutcome(None, None, 1.0, 2.0)
    assert without_value(OUTCOMES[1]) == OUTCOMES[1]
    assert without_value(OUTCOMES[2]) == OUTCOMES[2]._replace(values=None)
    assert without_value(None) is None


def test_elements_that_were_timed_together_have_the_same_end() -> None:
    """Three, then two; one more is over, and the clock was not read since."""
    going = Going(list("abcdef"), {}, 1.0, [2.0, 3.0], [3, 2])
    assert going.ends(6, 9.0) == array("d", [2.0, 2.0, 2.0, 3.0, 3.0, 9.0])
    assert going.ends(4, 9.0) == array("d", [2.0, 2.0, 2.0, 3.0])


def test_elements_that_were_timed_one_by_one_have_ends_of_their_own() -> None:
    """There is no count then."""
    going = Going(list("abc"), {}, 1.0, [2.0, 3.0], [])
    assert going.ends(3, 9.0) == array("d", [2.0, 3.0, 9.0])
    assert going.ends(1, 9.0) == array("d", [2.0])


def test_a_count_whose_reading_another_thread_does_not_see_yet_does_not_matter() -> None:
    """A count is entered before its reading."""
    assert Going(list("abc"), {}, 1.0, [2.0], [2, 1]).ends(3, 9.0) == array("d", [2.0, 2.0, 9.0])
