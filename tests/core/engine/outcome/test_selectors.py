"""The selectors of task runs: a record, a task, a name, `name[index]`."""

import pytest

from turgo import task
from turgo.engine.outcome.selectors import meant
from turgo.errors import ParameterError


@task
def one(value=0):
    return value


@task
def two(*values):
    return values


def test_a_name_or_a_task_means_all_its_task_runs(driven):
    """The elements of a map as one piece; single calls each as one."""
    flow = driven(lambda: two(one(), one.map(range(3))))
    for what in (one, "one"):
        assert meant(flow.ledger, what) == [(0, -1, -1), (1, 0, 3)]


def test_an_index_means_one_element(driven):
    """So does the record of it."""
    flow = driven(lambda: one.map(range(3)))
    record = flow.ledger.task_run((0, 2))
    assert meant(flow.ledger, "one[2]") == meant(flow.ledger, record) == [(0, 2, 3)]


@pytest.mark.parametrize("what", ["onne", "one[3]", "two[0]"])
def test_what_means_no_task_run_is_an_error_that_lists_the_tasks(driven, what):
    """With the nearest name."""
    flow = driven(lambda: one.map(range(3)))
    with pytest.raises(ParameterError, match="Its tasks are one"):
        meant(flow.ledger, what)


def test_what_can_be_no_selector_is_an_error_that_says_what_can(driven):
    """A number names nothing."""
    with pytest.raises(ParameterError, match="give a TaskRun, a task"):
        meant(driven(lambda: one()).ledger, 5)
