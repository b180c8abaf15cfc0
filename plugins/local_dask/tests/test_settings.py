"""Settings of the process, for several executors that are open at once."""

import os
import threading
from contextlib import ExitStack

import dask
import pytest

from turgo import flow, task
from turgo_local_dask import LocalDaskExecutor
from turgo_local_dask.settings import HASH_SEED, SHARED_HASH_SEED, ProcessSettings

LONG = 60.0  # seconds; what should take none


def workers():
    """What dask's configuration says now."""
    return dask.config.get("num_workers", None)


@pytest.mark.parametrize("first", [0, 1, 2])
@pytest.mark.parametrize("seed", [None, "0", "7"])
def test_executors_that_close_in_any_order_leave_what_was_there(first, seed, monkeypatch):
    """What the others have applied stays in force as long as they are open."""
    monkeypatch.delenv(HASH_SEED, raising=False)
    if seed is not None:
        monkeypatch.setenv(HASH_SEED, seed)
    shared = "7" if seed == "7" else SHARED_HASH_SEED
    settings, before = ProcessSettings(), dask.config.config.copy()
    opened = [ExitStack() for _ in range(3)]
    for stack, config in zip(opened, ({"num_workers": 2}, {}, {"num_workers": 3}), strict=True):
        stack.enter_context(settings.applied(config))
    assert (workers(), os.environ[HASH_SEED]) == (3, shared)
    opened.pop(first).close()
    assert (workers(), os.environ[HASH_SEED]) == (2 if first == 2 else 3, shared)
    opened.pop(0).close()
    assert os.environ[HASH_SEED] == shared
    opened.pop().close()
    assert dask.config.config == before and os.environ.get(HASH_SEED) == seed


def test_two_runs_at_once_leave_the_process_as_it_was():
    """The one that began first ends first."""
    gates = {name: threading.Event() for name in "ab"}
    opened = {name: threading.Event() for name in "ab"}

    @task
    def wait(name):
        opened[name].set()
        return gates[name].wait(LONG)

    one_wait = flow(lambda name: wait(name))
    before = dask.config.config.copy(), os.environ.get(HASH_SEED)
    with (
        one_wait.start("a", executor=LocalDaskExecutor("threads", num_workers=2)) as first,
        one_wait.start("b", executor=LocalDaskExecutor("threads", num_workers=3)) as second,
    ):
        assert opened["a"].wait(LONG) and opened["b"].wait(LONG)
        gates["a"].set()
        assert first.wait(LONG).result is True
        gates["b"].set()
        assert second.wait(LONG).result is True
    assert (dask.config.config, os.environ.get(HASH_SEED)) == before
