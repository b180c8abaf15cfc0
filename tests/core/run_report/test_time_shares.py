"""The shares of time: calls, overhead, idle."""

from pathlib import Path

import pytest

from turgo.registry.source_files import load_source
from turgo.run_report.calls import calls_of
from turgo.run_report.time_shares import TimeShares, time_shares

made = load_source(Path(__file__).with_name("made_runs.py"))


def shares(ledger, *depends, slots, ended) -> TimeShares:
    """From the beginning to `ended`."""
    structure = made.structure_of(*depends)
    return time_shares(ledger, structure, calls_of(ledger), slots, made.BEGAN, made.BEGAN + ended)


def test_a_slot_without_a_call_is_overhead_only_if_one_was_ready() -> None:
    """Two slots for ten seconds: `a` begins a second late, and `b` has to wait for it; so the other slot is idle."""
    ledger = made.ledger_of(("a", 1, 5, "x"), ("b", 7, 10, "x"))
    found = shares(ledger, (), (0,), slots=2, ended=10)
    assert found.calls == pytest.approx(7)
    assert found.overhead == pytest.approx(1 + 2)  # one call was ready: one slot of the two was at fault
    assert found.idle == pytest.approx(10)
    assert found.whole == pytest.approx(20)


def test_more_slots_than_calls_are_idle() -> None:
    """A run that is all work on one of four slots."""
    found = shares(made.ledger_of(("a", 0, 4, "x")), (), slots=4, ended=4)
    assert (found.calls, found.overhead, found.idle) == pytest.approx((4, 0, 12))


def test_there_are_as_many_slots_as_calls_ran_at_once() -> None:
    """A cluster may have been larger before; readings of a clock that overlap are no slot."""
    two = made.ledger_of(("a", 0, 4, "x"), ("b", 1, 4, "y"))
    assert shares(two, (), (), slots=1, ended=4).slots == 2
    after = made.ledger_of(("a", 0, 4, "x"), ("b", 3.99999, 5, "x"))
    assert shares(after, (), (), slots=1, ended=5).slots == 1


def test_a_run_without_calls_is_idle() -> None:
    """It divides by nothing."""
    found = shares(made.ledger_of(("a", 0, 0, None)), (), slots=1, ended=2)
    assert (found.calls, found.overhead, found.idle) == (0, 0, 2)
