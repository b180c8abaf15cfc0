"""What a call finds around it: random numbers that can be had again, the rows of the table in docs/flows/tasks.md."""

import contextvars
import decimal
import os
import random
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cloudpickle
import pytest

from turgo import Executor, current, flow, get_executor, task

cloudpickle.register_pickle_by_value(sys.modules[__name__])  # the workers do not have this file

ENGINES = ("local", "threads", "processes", "synchronous", "dask", "dask in threads", "file")

IN_THE_DRIVERS_CONTEXT = ("local", "synchronous", "dask in threads")
IN_THE_DRIVER = (*IN_THE_DRIVERS_CONTEXT, "threads", "file")

REQUEST: contextvars.ContextVar[str] = contextvars.ContextVar("REQUEST", default="none")


@task(retries=1)
def draws(number: int) -> tuple[int, float]:
    """Fails at first, so that the seed of a second attempt is seen."""
    seed = current().seed
    if current().attempt == 1 and number % 2:
        raise ValueError("try again")
    return seed, random.Random(seed).random()


@flow
def drawing() -> Any:
    return draws.map(range(6)), draws(0), draws(0)


def test_each_call_has_a_seed_of_its_own_and_the_same_in_each_run_and_attempt(executor: Executor) -> None:
    """And on each executor, as on the one that runs in this thread."""
    mapped, one, other = drawing.run(executor=executor).result
    drawn = [*mapped, one, other]
    assert len({seed for seed, _ in drawn}) == 8
    assert all(0 <= seed < 1 << 64 for seed, _ in drawn)
    assert drawing.run(executor="local").result == (mapped, one, other)


@task
def looks() -> dict[str, Any]:
    """What is around this call."""
    numpy = sys.modules.get("numpy")
    return {
        "decimal": decimal.getcontext().prec,
        "context variable": REQUEST.get(),
        "numpy": numpy.geterr()["divide"] if numpy else None,
        "warnings": any(
            kind == "error" and about is FutureWarning for kind, _, about, *_ in warnings.filters
        ),
        "environment": os.environ.get("SURROUNDINGS_OF_A_TEST"),
        "folder": os.getcwd(),
    }


@pytest.fixture
def surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Those of this thread and process, other than the defaults."""
    numpy = pytest.importorskip("numpy")
    monkeypatch.setenv("SURROUNDINGS_OF_A_TEST", "set")
    monkeypatch.chdir(tmp_path)
    token = REQUEST.set("mine")
    with decimal.localcontext(prec=5), numpy.errstate(divide="raise"), warnings.catch_warnings():
        warnings.filterwarnings("error", category=FutureWarning)
        yield
    REQUEST.reset(token)


@pytest.mark.usefixtures("surroundings")
def test_what_a_call_finds_is_what_the_table_says(
    engine_name: str, engine_settings: tuple[str, dict[str, Any]], threads_file: Path, tmp_path: Path
) -> None:
    """Row by row, for an executor that is started here and now."""
    name, options = engine_settings
    with get_executor(name.format(threads_file=threads_file), **options).start() as executor:
        run = flow(lambda: looks()).run(executor=executor)
        found = run.result
    assert (found["decimal"] == 5) == (engine_name in IN_THE_DRIVERS_CONTEXT)
    assert (found["numpy"] == "raise") == (engine_name in IN_THE_DRIVERS_CONTEXT)
    assert (found["context variable"] == "mine") == (engine_name in IN_THE_DRIVERS_CONTEXT)
    assert found["warnings"] == (engine_name in IN_THE_DRIVER)
    assert (found["environment"], found["folder"]) == ("set", str(tmp_path))
