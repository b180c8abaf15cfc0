"""The prediction of sizes: a task is small once it was seen, and large for ever once it returned something large."""

from array import array

from turgo import task
from turgo.engine.remote_values.prediction import SizePrediction
from turgo.worker.outcomes import CallFailure, CallOutcome, MapOutcome

FINE = CallOutcome(1, None, 0.0, 1.0)
FAILED = CallOutcome(None, CallFailure("Failed", ValueError(), ""), 0.0, 1.0)
MAPPED = MapOutcome([1, 2], {}, 0.0, array("d", [1.0, 2.0]))


@task
def small():
    """Returns little."""


@task
def large():
    """Returns much."""


def test_nothing_is_known_at_first():
    """A task of which nothing is known may return anything."""
    prediction = SizePrediction()
    assert not prediction.all_small([small]) and not prediction.any_large([small])
    assert prediction.all_small([])


def test_a_task_that_returned_small_values_is_predicted_to_do_so_again():
    """Not one whose calls failed: nothing was seen of its values."""
    prediction = SizePrediction()
    prediction.learn([small, large], [FINE, FAILED], set())
    assert prediction.all_small([small]) and not prediction.all_small([small, large])
    prediction.learn([large], [MAPPED], set())
    assert prediction.all_small([small, large])


def test_a_large_value_is_never_forgotten():
    """Whatever the task returns later."""
    prediction = SizePrediction()
    prediction.learn([large], [FINE], {large})
    prediction.learn([large], [FINE], set())
    assert prediction.any_large([small, large]) and not prediction.all_small([large])


def test_tasks_whose_values_were_large_together_are_measured_again():
    """One by one, as nobody knows which of them it was."""
    prediction = SizePrediction()
    prediction.learn([small], [FINE], set())
    prediction.forget([small])
    assert not prediction.all_small([small])


def test_pieces_of_large_and_small_values_are_submitted_apart(driven):
    """The first of a kind, up to the first of the other; alike ones stay together."""
    progress = driven(lambda: [small(), small(), large(), small()]).progress
    pieces = [(number, -1, -1) for number in range(4)]
    prediction = SizePrediction()
    assert prediction.alike_count(pieces, progress) == 4
    prediction.learn([large], [FINE], {large})
    assert prediction.alike_count(pieces, progress) == 2
    assert prediction.alike_count(pieces[2:], progress) == 1
    assert prediction.alike_count(pieces[:2], progress) == 2
