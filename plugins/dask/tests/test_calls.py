"""How calls run on a cluster: keys, futures among arguments, errors, cancelling, resources."""

from __future__ import annotations

import asyncio
import inspect
import os
import re
import threading
import time
from collections import OrderedDict, defaultdict
from concurrent.futures import CancelledError
from typing import Any

import pytest

from penstock.errors import ValueNotPortableError, WorkerLostError
from penstock.futures import Future
from penstock_dask import DaskExecutor


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


@pytest.mark.parametrize(
    "make",
    [
        lambda one: [one, (one, {"a": one})],
        lambda one: {one},
        lambda one: frozenset([one]),
        lambda one: {"a": [one]},
        lambda one: OrderedDict(a=one),
        lambda one: defaultdict(list, {"a": one}),
    ],
)
def test_futures_are_resolved_wherever_they_stand(cluster: DaskExecutor, make: Any) -> None:
    """In containers that dask resolves, and in those that it does not."""
    value = cluster.submit(lambda it: (type(it).__name__, it), make(cluster.submit(abs, -7))).result()
    assert value == (type(make(7)).__name__, make(7))


def test_futures_in_a_namedtuple_are_resolved(cluster: DaskExecutor) -> None:
    """Its fields are as good a place as any."""
    named: Any = inspect.Arguments(cluster.submit(abs, -7), [1], None)  # type: ignore[arg-type]
    assert cluster.submit(lambda it: (type(it).__name__, it.args), named).result() == ("Arguments", 7)


def test_keywords_are_the_calls_own(cluster: DaskExecutor) -> None:
    """A keyword that `Client.submit` knows too reaches the function, with futures in it resolved."""
    value = cluster.submit(
        lambda **words: words, key=1, workers=[cluster.submit(abs, -2)], pure=3, retries=4
    ).result()
    assert value == {"key": 1, "workers": [2], "pure": 3, "retries": 4}


def test_futures_keep_the_protocol(cluster: DaskExecutor) -> None:
    """They have what the contract asks of a future, and say True once they are done."""
    future = cluster.submit(abs, -1)
    assert isinstance(future, Future)
    assert future.result(timeout=30) == 1
    assert future.exception() is None
    assert future.done()
    assert not future.cancel()


def test_errors_carry_the_traceback_of_the_worker(cluster: DaskExecutor) -> None:
    """The frame of the function is in it."""

    def broken() -> None:
        raise LookupError("not there")

    future = cluster.submit(broken)
    with pytest.raises(LookupError, match="not there") as caught:
        future.result()
    assert "broken" in {entry.name for entry in caught.traceback}
    with pytest.raises(LookupError):
        cluster.wait({"nested": [cluster.submit(abs, -1), future]})


def test_callbacks_run_once_and_at_once_for_what_is_done(cluster: DaskExecutor) -> None:
    """A callback added late runs before `add_done_callback` returns; an early one when the call is done."""
    called: list[Any] = []
    happened = threading.Event()
    future = cluster.submit(time.sleep, 0.1)
    future.add_done_callback(lambda done: (called.append(done), happened.set()))
    assert happened.wait(30)
    future.add_done_callback(called.append)
    assert called == [future, future]


def test_an_argument_that_does_not_pickle_fails_its_call_alone(cluster: DaskExecutor) -> None:
    """The error is the future's; `submit` does not raise it."""
    future = cluster.submit(id, threading.Lock())
    with pytest.raises(ValueNotPortableError, match="lock"):
        future.result()
    assert cluster.submit(abs, -1).result() == 1


def test_calls_that_wait_are_taken_back_for_certain(cluster: DaskExecutor, tmp_path: Any) -> None:
    """When `cancel` returns, no worker has a cancelled call before it."""
    gate = tmp_path / "gate"

    def wait_for_gate() -> None:
        while not gate.exists():
            time.sleep(0.01)

    occupants = [cluster.submit(wait_for_gate) for _ in range(cluster.slots)]
    calls = [cluster.submit((tmp_path / str(number)).touch) for number in range(30)]
    assert cluster.cancel(calls) == 30
    gate.touch()
    cluster.wait(occupants)
    cluster.wait(cluster.map(abs, range(10)))
    assert [path.name for path in tmp_path.iterdir()] == ["gate"]
    with pytest.raises(CancelledError):
        calls[0].result()


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


def test_resources_choose_the_worker() -> None:
    """Calls run where the resource that their tag asks for is."""
    options = {"n_workers": 1, "threads_per_worker": 1, "resources": {"GPU": 1}}
    with DaskExecutor(cluster_kwargs=options, debug=False).start() as executor:
        context: Any = {"task_name": "train", "task_tags": ["dask-resource:GPU=1"]}
        assert executor.submit(abs, -1, extra_context=context).result(timeout=30) == 1
        context = {"task_name": "train", "task_tags": ["dask-resource:GPU=2"]}
        impossible = executor.submit(abs, -1, extra_context=context)
        with pytest.raises(TimeoutError):
            impossible.result(timeout=0.5)


def test_a_dead_worker_is_worker_lost_and_the_cluster_goes_on(small: DaskExecutor) -> None:
    """By `result`, `exception` and `wait` alike; nothing is tried again behind the engine's back."""
    with small.start() as executor:
        future = executor.submit(os._exit, 3)
        assert isinstance(future.exception(timeout=30), WorkerLostError)
        with pytest.raises(WorkerLostError):
            future.result()
        with pytest.raises(WorkerLostError):
            executor.wait([future])
        assert executor.submit(abs, -1).result(timeout=30) == 1


def test_asyncio_awaits_calls_through_the_pool_face(cluster: DaskExecutor) -> None:
    """`run_in_executor` insists on real futures, and gets them."""

    async def main(pool: Any) -> list[int]:
        loop = asyncio.get_running_loop()
        return await asyncio.gather(*(loop.run_in_executor(pool, abs, -number) for number in range(5)))

    with cluster.as_pool() as pool:
        assert asyncio.run(main(pool)) == [0, 1, 2, 3, 4]


def test_code_that_drives_executors_of_prefect_1_drives_this_one(cluster: DaskExecutor) -> None:
    """`start`, `submit` with its extra context, futures among arguments, and `wait`, as its flow runner uses them."""

    def increment(x: int, by: int = 1) -> int:
        return x + by

    context: Any = {"task_name": "increment", "task_index": None, "task_tags": set()}
    first = cluster.submit(increment, 1, extra_context=context)
    mapped = [
        cluster.submit(increment, first, by=index, extra_context={**context, "task_index": index})
        for index in range(3)
    ]
    assert cluster.wait({"first": first, "mapped": mapped}) == {"first": 2, "mapped": [2, 3, 4]}
    assert re.fullmatch(r"increment-[0-9a-f]{32}", first.key)  # type: ignore[attr-defined]
    assert re.fullmatch(r"increment-2-[0-9a-f]{32}", mapped[2].key)  # type: ignore[attr-defined]
