"""Explaining a run of an earlier process, by what its journal has."""

import json
import zlib

import pytest

from turgo import Skip, flow, task
from turgo.engine.outcome.columns import Columns
from turgo.engine.outcome.recorded import recorded_explanation
from turgo.errors import JournalError, ParameterError
from turgo.hooks import hookimpl

pytestmark = pytest.mark.usefixtures("inline_as_local")


@task
def load(number):
    if number == 3:
        raise ValueError("no such file")
    if number == 4:
        raise Skip("it is empty")
    return number


@task
def clean(value):
    return value


@task
def report(values):
    return values


class Watch:
    """Packs the columns of a run when it begins, and when it is over."""

    def __init__(self, unkept=()):
        self.unkept = list(unkept)

    @hookimpl
    def turgo_flow_started(self, run):
        self.pack = Columns(run.explainer.progress, self.unkept)
        self.began = self.pack(over=False)


def ran(unkept=()):
    watch = Watch(unkept)
    run = flow(name="recorded")(lambda: report(clean.map(load.map(range(5))))).run(
        executor="local", observers=[watch]
    )
    return run, watch, watch.pack(over=True)


def test_it_says_what_the_run_itself_says():
    """Of what failed, was skipped or did not run for that; of a value also when it was made, and that it is kept."""
    run, _, columns = ran()
    explain = recorded_explanation(columns, "recorded-1", ended_by="", killed=False)
    for what in ("report", "clean[3]", "clean[4]", "load[3]"):
        assert explain(what).split(", after")[0] == run.explain(what).split(", after")[0]
    said = explain("load[1]")
    assert said.startswith("load[1] is Success, after ") and ", begun at 20" in said
    assert said.endswith("; its value is kept.")
    with pytest.raises(ParameterError, match="no task run 'loads'; did you mean 'load'"):
        explain("loads")


def test_why_a_value_is_not_kept():
    """With the reason."""
    _, _, columns = ran(unkept=[(0, 0, 1, "it is larger than 3 bytes")])
    explain = recorded_explanation(columns, "recorded-1", ended_by="", killed=False)
    assert explain("load[0]").endswith("its value is not kept: it is larger than 3 bytes.")
    assert explain("load[1]").endswith("its value is kept.")


def test_what_a_killed_driver_did_not_reach():
    """As far as it was written; of a driver that is at work the same without its end."""
    _, watch, _ = ran()
    explain = recorded_explanation(watch.began, "recorded-1", ended_by="", killed=True)
    assert explain("report") == (
        "report is Pending: it waits for clean (5 of 5 not over); the driver was killed before it was over."
    )
    assert "killed" not in recorded_explanation(watch.began, "recorded-1", ended_by="", killed=False)(
        "report"
    )


def test_what_is_not_there_or_damaged_is_said():
    """In one sentence."""
    with pytest.raises(JournalError, match="nothing is known of the task runs of recorded-1"):
        recorded_explanation({}, "recorded-1", ended_by="", killed=True)
    with pytest.raises(JournalError, match="was damaged"):
        recorded_explanation({"structure": b"x"}, "recorded-1", ended_by="", killed=True)


@pytest.mark.parametrize("changes", [{"depends": [["x"]] * 3}, {"names": [None] * 3}, {"guards": 5}])
def test_columns_that_say_something_else_are_damage(changes):
    """What was written is whole, and somebody has changed it; it may show only as it is put into words."""
    _, _, columns = ran()
    made = {**json.loads(zlib.decompress(columns["structure"])), **changes}
    changed = {**columns, "structure": zlib.compress(json.dumps(made).encode())}
    with pytest.raises((JournalError, ParameterError)):
        recorded_explanation(changed, "recorded-1", ended_by="", killed=True)("report")
