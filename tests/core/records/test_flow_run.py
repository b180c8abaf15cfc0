"""Flow runs: state, result and error of a run."""

import gc
import weakref

import pytest

from turgo import flow, task
from turgo.errors import RunCancelledError, RunError
from turgo.records.flow_run import FlowRun
from turgo.records.ledger import Ledger
from turgo.records.states import RunState
from turgo.records.task_runs import TaskRuns

pytestmark = pytest.mark.usefixtures("inline_as_local")


@task
def same(value):
    return value


@task
def fails(value):
    if value == 2:
        raise ValueError("two")
    return value


def test_a_run_that_nobody_holds_is_gone_at_once():
    """With its values, which may be large: nothing that it holds leads back to it."""
    gc.disable()
    try:
        run = flow(name="alone")(lambda: same(1)).run(executor="local")
        held = weakref.ref(run)
        del run
        assert held() is None
    finally:
        gc.enable()


def test_the_result_of_a_run_that_is_not_over_cannot_be_had():
    """Nor of one that was cancelled."""
    run = FlowRun(id="x", flow="f", executor="e", task_runs=TaskRuns(Ledger([], [])))
    with pytest.raises(RunError, match="not over"):
        _ = run.result
    run.end(RunState.CANCELLED, error=RunCancelledError("interrupted"))
    with pytest.raises(RunCancelledError):
        _ = run.result
    assert not run.ok


def test_a_result_that_is_there_can_be_had_though_the_run_failed():
    """When the failure is of a task that was not returned."""

    @flow
    def partly():
        fails(2)
        return same(1)

    run = partly.run(executor="local")
    assert run.state is RunState.FAILED and run.result == 1
    assert str(run.error) == "fails (value=2) is Failed: ValueError: two"


def test_a_failure_that_was_dealt_with_does_not_fail_the_run():
    """Only what was returned and what nothing follows decides."""

    @task(trigger="any_failed")
    def handle(error):
        return f"handled {error}"

    run = flow(lambda: handle(fails(2))).run(executor="local")
    assert run.ok and run.result == "handled two"
