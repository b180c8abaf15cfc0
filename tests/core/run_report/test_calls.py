"""Calls: each attempt of each task run."""

from pathlib import Path

import pytest

from turgo import flow, task
from turgo.registry.source_files import load_source
from turgo.run_report.calls import Titles, calls_of, upstream_of

made = load_source(Path(__file__).with_name("made_runs.py"))

pytestmark = pytest.mark.usefixtures("inline_as_local")

TRIES = []


@task(retries=1)
def knock(door):
    TRIES.append(door)
    if door == "locked" or TRIES.count(door) == 1:
        raise ValueError("nobody")
    return door


def test_each_attempt_is_a_call() -> None:
    """Numbered; of those that are tried again only the last one is the last."""
    TRIES.clear()
    run = flow(name="visit")(lambda: knock.map(["open", "locked"])).run(executor="local")
    calls = calls_of(run.explainer.ledger)
    assert [(call.key[1], call.attempt, call.last, call.failed) for call in calls] == [
        (0, 1, False, True),
        (0, 2, True, False),
        (1, 1, False, True),
        (1, 2, True, True),
    ]
    assert all(call.seconds >= 0 and call.worker and call.end >= call.began for call in calls)


def test_what_never_ran_is_no_call() -> None:
    """Skipped, say."""
    ledger = made.ledger_of(("walk", 0, 1, "a"), ("rest", 0, 0, None))
    assert [call.task for call in calls_of(ledger)] == ["walk"]


def test_titles_have_the_inputs_that_are_known() -> None:
    """Those that were written down first."""
    ledger = made.ledger_of(("walk", 0, 1, "a"), ("rest", 0, 1, "a"))
    ledger.inputs[0, None] = "miles=3"
    assert Titles(ledger)((0, None)) == "walk (miles=3)" and Titles(ledger)((1, None)) == "rest"
    assert Titles(ledger, lambda key: "hours=1")((1, None)) == "rest (hours=1)"


def test_an_element_waits_for_the_element_that_it_follows() -> None:
    """And for what it needs as a whole."""
    run = flow(name="visit")(lambda: knock.map(knock.map(["a", "b"]))).run(executor="local")
    structure, ledger = run.explainer.structure, run.explainer.ledger
    assert list(upstream_of(ledger, structure, (1, 1))) == [(0, 1)]
