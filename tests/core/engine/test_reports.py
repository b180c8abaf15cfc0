"""Reports: what came of a batch, as the records of the run have it."""

import logging

import pytest

from turgo import current, flow, task
from turgo.engine import log_book

pytestmark = pytest.mark.usefixtures("inline_as_local")


@task
def speaks(number):
    current().logger.warning("line %d", number)


@flow
def speaking(count):
    return speaks.map(range(count))


def test_the_lines_that_a_run_keeps_are_bounded(monkeypatch, caplog):
    """The last one that is kept is followed by one that says so; the handlers hear of all."""
    monkeypatch.setattr(log_book, "RUN_LOG_LINES", 5)
    with caplog.at_level(logging.WARNING):
        run = speaking.run(8, executor="local")
    kept = [line.message for each in run.task_runs for line in each.logs]
    assert kept[:5] == [f"line {number}" for number in range(5)]
    assert len(kept) == 6 and "this run has logged 5 lines" in kept[5]
    assert [each.getMessage() for each in caplog.records if hasattr(each, "task")] == [
        f"line {n}" for n in range(8)
    ]
