"""Records of task runs: what is read from their attempts, and their labels."""

import pytest

from turgo.records.states import TaskState
from turgo.records.task_run import Attempt, TaskRun, TaskTotals

FIRST = Attempt(started=1000.0, duration=2.0, worker="a", error=ValueError("no"))
LAST = Attempt(started=1010.0, duration=0.5, worker="b")


def test_times_and_worker_are_those_of_the_last_attempt() -> None:
    """Earlier attempts are looked up in `attempts`."""
    run = TaskRun("measure", 3, TaskState.SUCCESS, attempts=(FIRST, LAST))
    assert (run.started, run.duration, run.worker) == (1010.0, 0.5, "b")
    assert run.attempts[0].error is FIRST.error


def test_what_never_ran_has_neither_times_nor_worker() -> None:
    """As one that was skipped."""
    run = TaskRun("measure", None, TaskState.SKIPPED)
    assert (run.started, run.duration, run.worker) == (None, None, None)


@pytest.mark.parametrize(("index", "label"), [(None, "measure"), (0, "measure[0]"), (17, "measure[17]")])
def test_the_label_names_the_element(index: int | None, label: str) -> None:
    """A single call has its name alone."""
    assert TaskRun("measure", index, TaskState.PENDING).label == label


def test_a_records_place_in_the_run_is_not_part_of_what_it_says() -> None:
    """Two records that say the same are equal, wherever they stand."""
    assert TaskRun("t", None, TaskState.SUCCESS, key=(0, None)) == TaskRun(
        "t", None, TaskState.SUCCESS, key=(7, None)
    )


def test_totals_count_all_states() -> None:
    """As many runs as there are in each state together."""
    totals = TaskTotals({TaskState.SUCCESS: 3, TaskState.FAILED: 2}, seconds=1.5)
    assert totals.runs == 5
