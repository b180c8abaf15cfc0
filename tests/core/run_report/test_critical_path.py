"""The critical path: the chain that takes longest."""

import time
from pathlib import Path

import pytest

from turgo import flow, task
from turgo.registry.source_files import load_source
from turgo.run_report.calls import calls_of
from turgo.run_report.critical_path import critical_path, least_seconds, total
from turgo.run_report.time_shares import time_shares

made = load_source(Path(__file__).with_name("made_runs.py"))

pytestmark = pytest.mark.usefixtures("inline_as_local")


def test_the_longest_chain_is_found() -> None:
    """Whatever ran beside it, and however long calls waited."""
    ledger = made.ledger_of(
        ("a", 0, 2, "x"), ("b", 0, 5, "y"), ("c", 9, 10, "x"), ("d", 10, 11, "x"), ("e", 0, 4, "z")
    )
    structure = made.structure_of((), (), (0,), (1, 2), ())
    path = critical_path(ledger, structure, calls_of(ledger))
    assert [ledger.names[step.key[0]] for step in path] == ["b", "d"] and total(path) == pytest.approx(6)


@pytest.mark.parametrize(("slots", "seconds"), [(0, 14), (1, 14), (2, 7), (3, 6), (100, 6)])
def test_work_is_shared_out_and_chains_are_not(slots: int, seconds: float) -> None:
    """The longer of both is the least time on so many slots."""
    ledger = made.ledger_of(
        ("a", 0, 2, "x"), ("b", 0, 5, "y"), ("c", 9, 10, "x"), ("d", 10, 11, "x"), ("e", 0, 5, "z")
    )
    structure = made.structure_of((), (), (0,), (1, 2), ())
    assert least_seconds(ledger, structure, slots) == pytest.approx(seconds)


def test_what_took_no_time_is_passed_through() -> None:
    """As a merge, which is no call."""
    ledger = made.ledger_of(("a", 0, 2, "x"), ("merge", 0, 0, None), ("c", 2, 3, "x"))
    path = critical_path(ledger, made.structure_of((), (0,), (1,)), calls_of(ledger))
    assert [step.key[0] for step in path] == [0, 2]


def test_a_run_without_calls_has_none() -> None:
    """All were skipped."""
    ledger = made.ledger_of(("a", 0, 0, None))
    assert critical_path(ledger, made.structure_of(()), []) == []


def test_a_map_without_elements_is_passed_through() -> None:
    """What comes after it waited for what came before it."""
    find = task(name="find")(lambda: [] if sum(range(200_000)) else None)
    last = task(name="last")(lambda values: sum(range(10_000)))
    run = flow(name="empty")(lambda: last(task(name="each")(abs).map(find()))).run(executor="local")
    ledger = run.explainer.ledger
    calls = calls_of(ledger)
    path = critical_path(ledger, run.explainer.structure, calls)
    assert [ledger.names[step.key[0]] for step in path] == ["find", "last"]
    shares = time_shares(ledger, run.explainer.structure, calls, 1, calls[0].began, calls[-1].end)
    assert shares.overhead == pytest.approx(calls[-1].began - calls[0].end, abs=1e-4)


def test_the_elements_of_maps_are_followed() -> None:
    """Element by element, and from a whole map to its longest element."""
    slow = task(name="slow")(lambda number: time.sleep(0.5 if number == 3 else 0))
    then = task(name="then")(lambda number: sum(range(1000)))
    last = task(name="last")(lambda values: len(values))
    run = flow(name="deep")(lambda: last(then.map(slow.map(range(5))))).run(executor="local")
    ledger = run.explainer.ledger
    path = critical_path(ledger, run.explainer.structure, calls_of(ledger))
    assert [(ledger.names[step.key[0]], step.key[1]) for step in path][:2] == [("slow", 3), ("then", 3)]
