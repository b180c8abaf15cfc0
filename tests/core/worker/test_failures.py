"""Failures: which state an error is, whose frames its traceback shows, and what is no failure but the end of a run."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from turgo import Skip
from turgo.worker.batch import Batch
from turgo.worker.failures import PASSING, failure, not_a_value
from turgo.worker.limits.interrupt import Expired


def raised(fn: Callable[[], Any]) -> BaseException:
    """What a function raises, with its frames."""
    try:
        fn()
    except (Exception, SystemExit, KeyboardInterrupt) as error:  # noqa: BLE001  (whatever the function raises)
        return error
    raise AssertionError("nothing was raised")


def batch(**facts: Any) -> Batch:
    """One of no calls, of which something is known."""
    made = Batch([], {})
    for name, value in facts.items():
        setattr(made, name, value)
    return made


def breaks() -> None:
    """A call that fails."""
    raise ValueError("broken")


def leaves() -> None:
    """A call that wants to end the process."""
    raise SystemExit(3)


def interrupts() -> None:
    """A call that raises what Ctrl-C raises."""
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (ValueError(), "Failed"),
        (SystemExit(1), "Failed"),
        (Skip("why"), "Skipped"),
        (Expired(1.0, propagates=False), "TimedOut"),
    ],
)
def test_an_error_says_how_its_call_ended(error: BaseException, state: str) -> None:
    """One that ends the process is the call's own as well."""
    assert failure(batch(), error).state == state


def test_the_frames_are_those_of_the_user() -> None:
    """Within the process the error has them; from another one they are told as text."""
    here = failure(batch(), raised(breaks))
    assert here.traceback == "" and here.error.__traceback__ is not None
    there = failure(batch(crossed=True), raised(breaks))
    assert 'raise ValueError("broken")' in there.traceback and "turgo/worker" not in there.traceback


@pytest.mark.parametrize("call", [leaves, interrupts])
def test_what_a_call_raises_itself_is_its_failure(call: Callable[[], None]) -> None:
    """Also what would end a program, and what Ctrl-C would raise."""
    assert failure(batch(), raised(call)).state == "Failed"


def test_the_end_of_a_run_is_no_failure() -> None:
    """It is raised again: the run is abandoned, or the error says that it goes on."""

    class CancelledError(Exception):
        propagates = True

    for made, error in ((batch(abandoned=True), ValueError("late")), (batch(), CancelledError())):
        with pytest.raises(type(error)):
            failure(made, error)


def test_the_first_failure_ends_a_batch_that_is_to_fail_fast() -> None:
    """A skip does not."""
    made = batch(fail_fast=True)
    failure(made, Skip("why"))
    assert made.limit > 0
    failure(made, ValueError())
    assert made.limit < 0


async def coroutine() -> int:
    """Nobody awaits it."""
    return 1


def generator() -> Iterator[int]:
    """Its values can be taken once."""
    yield 1


async def asynchronous_generator() -> AsyncIterator[int]:
    """Its values need an event loop."""
    yield 1


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (coroutine, "measure returned a coroutine; await it"),
        (generator, "measure returned a generator; .* return a list"),
        (asynchronous_generator, "measure returned an async generator; .* return a list"),
    ],
)
def test_a_computation_is_no_value(made: Callable[[], Any], said: str) -> None:
    """The failure says what to return instead."""
    value = made()
    assert type(value) in PASSING
    found = not_a_value("measure", value)
    assert found.state == "Failed"
    with pytest.raises(TypeError, match=said):
        raise found.error


def test_a_coroutine_is_closed() -> None:
    """Nobody is warned that it was never awaited."""
    value = coroutine()
    not_a_value("measure", value)
    with pytest.raises(RuntimeError, match="cannot reuse"):
        asyncio.run(value)
