"""The facts of a failure are texts and numbers, whatever the error is."""

import logging
import pickle

import pytest

from turgo import current, flow, task
from turgo.records.failure_facts import FailureFacts, facts_of


class MuteError(Exception):
    """Cannot say what it is."""

    def __str__(self) -> str:
        raise RuntimeError("no words")


@task(retries=1)
def fails(value: int) -> None:
    """Log, and fail without words."""
    current().logger.log(logging.WARNING, "value %d", value)
    raise MuteError


@pytest.mark.usefixtures("inline_as_local")
def test_all_that_is_told_of_a_failure() -> None:
    """Its title, its attempts, its error, its traceback and its log; and it can be written down."""
    run = flow(name="f")(lambda: fails.map([7])).run(executor="local")
    (failed,) = run.task_runs.failures()
    facts = facts_of(failed)
    assert facts[:5] == ("fails[0]", "fails", "fails[0] (value=7)", "Failed", 2)
    assert facts.error == "MuteError: <its message cannot be shown: RuntimeError('no words')>"
    assert "in fails" in facts.traceback and facts.log == "value 7\nvalue 7"
    assert facts.worker == failed.worker and facts.replayable is False
    assert pickle.loads(pickle.dumps(facts)) == facts and type(facts) is FailureFacts


@pytest.mark.usefixtures("inline_as_local")
def test_an_error_without_frames_is_its_own_traceback() -> None:
    """As that of a call that took too long."""

    @task(timeout=0.01)
    def slow() -> None:
        while True:
            pass

    (failed,) = flow(name="f")(lambda: slow()).run(executor="local").task_runs.failures()
    facts = facts_of(failed)
    assert facts.state == "TimedOut" and facts.traceback.rstrip().endswith("slow took longer than 0.01 s")
