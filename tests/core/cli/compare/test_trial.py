"""One run, and what is measured of it."""

from pathlib import Path
from typing import Any

import pytest

from turgo import flow, task
from turgo.cli.compare.trial import tried, with_empty_cache
from turgo.config.load import load_config
from turgo.registry.precedence import choose_executor
from turgo.runner import Launch

ran: list[int] = []


@task(cache_key="inputs")
def double(number: int) -> int:
    ran.append(number)
    return 2 * number


@task
def fail(number: int) -> int:
    raise KeyError(number)


@flow
def doubles(bad: bool = False) -> Any:
    return fail.map([1, 2]) if bad else double.map([1, 2, 3])


@pytest.fixture(autouse=True)
def _on_an_executor_of_the_tests(project: Path, inline_as_local: None) -> None:
    """`local` is the tests' own."""
    ran.clear()


def one(tmp_path: Path, **parameters: Any) -> Any:
    """A trial on `local`."""
    config = with_empty_cache(load_config(), str(tmp_path / "cache"))
    launch = Launch(doubles, choose_executor(option="local"), config)
    return tried(launch, launch.record((), parameters), warn=pytest.fail)


def test_a_run_is_measured(tmp_path: Path) -> None:
    """Its calls, times and result; in one process no bytes move."""
    found = one(tmp_path)
    assert (found.result, found.calls, found.slots, found.moved_bytes) == ([2, 4, 6], 3, 1, 0)
    assert 0 < found.work_seconds <= found.seconds
    assert found.overhead_seconds >= 0
    assert found.peak_bytes > 0


def test_no_run_is_spared_what_another_has_computed(tmp_path: Path) -> None:
    """The user's cache is not looked at."""
    doubles.run(executor="local")
    ran.clear()
    assert one(tmp_path).result == [2, 4, 6]
    assert ran == [1, 2, 3]


def test_a_run_that_fails_says_by_which_call(tmp_path: Path) -> None:
    """With its input."""
    assert one(tmp_path, bad=True).failure == "fail[0] (number=1): KeyError: 1"
