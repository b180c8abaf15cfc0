"""Calls on a cluster: their keys, arguments and keywords."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import distributed
import pytest

from turgo import flow, task
from turgo.errors import ValueNotPortableError
from turgo_dask import DaskExecutor


def test_keys_show_the_name_and_the_index(cluster: DaskExecutor) -> None:
    """So that the dashboard groups them, and no two calls share one."""
    context: Any = {"task_name": "measure", "task_index": 3, "task_tags": ()}
    keys = [cluster.submit(abs, -1, extra_context=context).key for _ in range(2)]  # type: ignore[attr-defined]
    assert all(re.fullmatch(r"measure-3-[0-9a-f]{32}", key) for key in keys)
    assert keys[0] != keys[1]
    assert re.fullmatch(r"abs-[0-9a-f]{32}", cluster.submit(abs, -1).key)  # type: ignore[attr-defined]


def test_calls_with_equal_arguments_are_different_calls(cluster: DaskExecutor) -> None:
    """Nothing is taken from an earlier call, as dask does for what it takes to be pure."""
    first, second = (cluster.submit(os.urandom, 8).result() for _ in range(2))
    assert first != second


def test_keywords_are_the_calls_own(cluster: DaskExecutor) -> None:
    """A keyword that `Client.submit` knows too reaches the function, with futures in it resolved."""
    value = cluster.submit(
        lambda **words: words, key=1, workers=[cluster.submit(abs, -2)], pure=3, retries=4
    ).result()
    assert value == {"key": 1, "workers": [2], "pure": 3, "retries": 4}


def test_an_argument_that_does_not_pickle_fails_its_call_alone(cluster: DaskExecutor) -> None:
    """The error is the future's; `submit` does not raise it."""
    future = cluster.submit(id, threading.Lock())
    with pytest.raises(ValueNotPortableError, match="lock"):
        future.result()
    assert cluster.submit(abs, -1).result() == 1


def test_a_run_says_which_argument_does_not_pickle(cluster: DaskExecutor) -> None:
    """Where a batch pickles itself, its own words are the error."""

    @task
    def use(guard: Any) -> int:
        return 1

    @flow
    def guarded() -> Any:
        return use(threading.Lock())

    run = guarded.run(executor=cluster)
    assert "argument guard (a lock) of use cannot be pickled" in str(run.error)


def test_results_stay_on_the_workers(cluster: DaskExecutor) -> None:
    """A call whose argument is a future gets the value from a worker: here one that the driver could not unpickle."""
    driver = os.getpid()

    def unpickled() -> Any:
        assert os.getpid() != driver, "it came to the driver"
        return Homeless()

    class Homeless:
        def __reduce__(self) -> Any:
            return unpickled, ()

    made = cluster.submit(lambda: Homeless())
    assert cluster.submit(lambda value: type(value).__name__, made).result() == "Homeless"
    with pytest.raises(Exception, match="it came to the driver"):
        made.result()


def test_a_run_groups_its_keys_by_task(cluster: DaskExecutor) -> None:
    """The dashboard groups by the name before the first unique part: one group for each task."""
    keys = [
        cluster.submit(abs, -1, extra_context={"task_name": "my task", "task_index": index}).key  # type: ignore[attr-defined]
        for index in range(2)
    ]
    assert {distributed.utils.key_split(key) for key in keys} == {"my task"}


FORKS = """
import os, sys
from turgo import flow, task
from turgo.errors import ExecutorNotStartedError
from turgo_dask import DaskExecutor

@task
def double(x): return 2 * x

@flow
def doubled(): return double.map([1, 2, 3])

if __name__ == "__main__":
    with DaskExecutor(cluster_kwargs={"n_workers": 1, "threads_per_worker": 1}).start() as executor:
        print(doubled.run(executor=executor).result, flush=True)
        if not os.fork():
            for use in (lambda: executor.submit(abs, -1), lambda: doubled.run(executor=executor)):
                try:
                    use()
                except ExecutorNotStartedError as error:
                    print(error, flush=True)
            os._exit(0)
        os.wait()
        print(doubled.run(executor=executor).result, flush=True)
"""


def test_a_forked_process_is_told_that_it_needs_an_executor_of_its_own(tmp_path: Path) -> None:
    """It has none of the threads that would hear of a result, and would wait for ever; its parent goes on."""
    script = tmp_path / "forks.py"
    script.write_text(FORKS)
    ran = subprocess.run(
        [sys.executable, "-W", "ignore", str(script)], capture_output=True, text=True, timeout=60, check=False
    )
    first, *refused, last = ran.stdout.splitlines()
    assert first == last == "[2, 4, 6]", ran.stderr
    assert len(refused) == 2 and all("from which this one was forked" in line for line in refused)
