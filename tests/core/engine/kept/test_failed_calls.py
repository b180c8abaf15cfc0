"""What calls that failed were made of is kept of the first few, unless their task has opted out."""

from pathlib import Path

import pytest

from turgo import flow, task
from turgo.config.load import load_config
from turgo.engine.kept.failed_calls import REPLAYABLE_CALLS
from turgo.errors import JournalError
from turgo.journal.runs import inputs_of, run_named

pytestmark = pytest.mark.usefixtures("inline_as_local")


@task
def less(number):
    return number - 1


@task
def invert(number):
    return 1 / number


@task(journal=False)
def hush(number):
    return 1 / number


def folder_of(run):
    """Where the journal of a run lies."""
    return run_named(Path(load_config().journal["folder"].value), run.id).folder


def replayable(run):
    """The task runs whose failures say that they can be replayed."""
    folder = folder_of(run)
    found = []
    for each in run.task_runs.failures():
        try:
            inputs_of(folder, each.label)
        except JournalError:
            continue
        found.append(each.label)
    return found


def test_the_first_hundred_are_kept():
    """In the order of the batch, and not one more."""
    run = flow(name="many")(lambda: invert.map([0] * (REPLAYABLE_CALLS + 20))).run(journal=True)
    assert replayable(run) == [f"invert[{at}]" for at in range(REPLAYABLE_CALLS)]


def test_a_task_that_has_opted_out_is_not_kept():
    """Those beside it are."""
    run = flow(name="quiet")(lambda: [hush.map(less.map([1])), invert.map(less.map([2, 1]))]).run(
        journal=True
    )
    assert replayable(run) == ["invert[1]"]
