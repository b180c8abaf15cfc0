"""Names of schedulers, and which keywords are dask configuration."""

from __future__ import annotations

from typing import Any

import pytest

from turgo.errors import OptionError
from turgo_local_dask import LocalDaskExecutor


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("threads", "threads"),
        ("Threading", "threads"),
        ("PROCESSES", "processes"),
        ("multiprocessing", "processes"),
        ("sync", "synchronous"),
        ("Synchronous", "synchronous"),
        ("single-threaded", "synchronous"),
        ("single_threaded", "synchronous"),
    ],
)
def test_schedulers_have_several_names_in_any_case(written: str, name: str) -> None:
    """Each name that dask knows leads to one of three."""
    assert LocalDaskExecutor(written).scheduler == name


def test_unknown_scheduler_lists_the_choices() -> None:
    """A typo says what there is and what may be meant."""
    with pytest.raises(OptionError, match=r"'threads'.*'processes'.*'synchronous'") as caught:
        LocalDaskExecutor("proceses")
    assert caught.value.nearest == "processes"


@pytest.mark.parametrize("scheduler", [None, 3, ["threads"]])
def test_a_scheduler_of_another_type_is_an_error(scheduler: Any) -> None:
    """What is neither a name nor callable is refused in the same words."""
    with pytest.raises(OptionError, match="there is no scheduler"):
        LocalDaskExecutor(scheduler)


def test_unknown_keyword_names_the_nearest() -> None:
    """`num_wokers=3` is an error, not a setting that nobody reads."""
    with pytest.raises(OptionError, match="Did you mean 'num_workers'") as caught:
        LocalDaskExecutor(num_wokers=3)
    assert (caught.value.option, caught.value.nearest) == ("num_wokers", "num_workers")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"num_workers": 0}, "at least 1"),
        ({"num_workers": "4"}, "at least 1"),
        ({"num_workers": True}, "at least 1"),
        ({"pool": 4}, "concurrent.futures.Executor"),
        ({"multiprocessing.context": "spoon"}, "spawn"),
    ],
)
def test_values_that_make_no_sense_are_refused(options: dict[str, Any], message: str) -> None:
    """A value that no pool could be made from is found when the executor is built."""
    with pytest.raises(OptionError, match=message):
        LocalDaskExecutor("threads", **options)
