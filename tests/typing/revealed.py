"""What a type checker sees of each expression that users write: `make lint` has mypy --strict and pyright agree on it.

A comment that lets an error pass stands where there has to be one: without the error it is one itself, to both.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Coroutine, Iterator
from typing import Any, NoReturn, assert_type

from turgo import (
    Executor,
    FlowRun,
    RunningFlow,
    TaskRun,
    TaskState,
    flatten,
    flow,
    get_executor,
    merge,
    some_successful,
    task,
    unmapped,
)
from turgo_local import LocalExecutor
from turgo_local_dask import LocalDaskExecutor


@task
def find(root: str, limit: int | None = None) -> list[str]:
    """A task without options."""
    return [root] * (limit or 3)


@task(retries=2, retry_delay=1.0, timeout=30.0, trigger="all_finished")
def measure(path: str, factor: float = 1.0) -> int:
    """A task with options."""
    return len(path) * round(factor)


@task
async def fetch(path: str) -> bytes:
    """A coroutine function."""
    return path.encode()


@task(log_prints=True)
async def fetch_again(path: str) -> bytes:
    """A coroutine function, with options."""
    return path.encode()


@task
def lines(page: bytes) -> list[str]:
    """A list for each call."""
    return page.decode().splitlines()


@task
def keyed(path: str, *, key: int) -> float:
    """A parameter that has to be named."""
    return key / len(path)


@task
def joined(first: str, second: int, third: float, fourth: bytes) -> tuple[str, int]:
    """More parameters than are told one by one."""
    return f"{first}{third}{fourth!r}", second


@task
def fails() -> NoReturn:
    """What never returns does not end the flow that calls it."""
    raise ValueError


@task
def anything(value: Any) -> Any:
    """Of what has no types nothing is known."""
    return value


class Station:
    """A method may be a task or a flow, too."""

    @task
    def height(self, place: str) -> float:
        """One of an instance."""
        return float(len(place))

    @flow
    def highest(self, places: list[str]) -> list[float]:
        """One that calls tasks of the instance."""
        return [self.height(place) for place in places]


def called_in_a_flow() -> None:
    """A result is, to a type checker, the value that it stands for; that of a coroutine function what it brings."""
    paths = assert_type(find("root"), list[str])
    assert_type(find(root="root", limit=3), list[str])
    assert_type(paths[0], str)
    assert_type(measure(paths[0]), int)
    assert_type(measure.after(paths)("x"), int)
    assert_type(measure.with_options(retries=5)("x", factor=2.0), int)
    assert_type(measure.with_options(name="again", trigger="any_failed", executor=LocalExecutor)("x"), int)
    assert_type(measure.with_options(tags=["db"], retry_on=OSError).map(paths), list[int])
    assert_type(fetch.with_options(timeout=3.0)("x"), bytes)
    assert_type(fetch_again.with_options(label="{path}").map(paths), list[bytes])
    assert_type(Station().height.with_options(retries=1)("Leith"), float)
    assert_type(fetch("x"), bytes)
    assert_type(fetch_again("x"), bytes)
    assert_type(fetch.fn("x"), Any)
    assert_type(Station().height("Leith"), float)
    assert_type(anything(3), Any)
    assert_type(fails(), Any)
    measure(3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    measure.with_options(retries=5)(3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    measure.with_options(retrys=5)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    measure.with_options(retries="5")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    measure.with_options(trigger="any_fail")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    measure("x", factors=2.0)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


def mapped() -> None:
    """A map is a list; its arguments are elements of the parameter's type, or one value that is the same for all."""
    paths = find("root")
    sizes = assert_type(measure.map(paths), list[int])
    assert_type(sizes[0], int)
    assert_type(measure.map(paths, [1.0, 2]), list[int])
    assert_type(measure.map(paths, unmapped(2)), list[int])
    assert_type(measure.map(unmapped("x"), range(3)), list[int])
    assert_type(measure.map(paths, factor=unmapped(2.0)), list[int])
    assert_type(measure.map(path=paths, factor=unmapped(2.0)), list[int])
    assert_type(measure.map(path for path in paths), list[int])
    assert_type(fetch.map(paths), list[bytes])
    assert_type(fetch_again.map(paths), list[bytes])
    assert_type(lines.map(fetch.map(paths)), list[list[str]])
    assert_type(keyed.map(paths, key=[1]), list[float])
    assert_type(joined.map(paths, sizes, unmapped(1.0), [b""]), list[tuple[str, int]])
    assert_type(anything.map([1]), list[Any])
    assert_type(Station().height.map(paths), list[float])
    measure.map(3)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
    measure.map(sizes)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    measure.map(paths, 2.0)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
    measure.map(paths, paths)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    measure.map(paths, unmapped("x"))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    measure.map(paths, factor=2.0)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
    fetch.map(paths, paths)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]


def operators() -> None:
    """They are generic."""
    pages = fetch.map(find("root"))
    assert_type(flatten(lines.map(pages)), list[str])
    assert_type(flatten([[1], [2, 3]]), list[int])
    assert_type(measure.map(flatten(lines.map(pages))), list[int])
    assert_type(merge(measure("x"), measure("y")), int)
    assert_type(unmapped(3).value, int)
    flatten([1, 2])  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def triggers() -> None:
    """By a name that there is, an object, or a callable over the states."""

    def rule(states: Any) -> bool:
        return TaskState.FAILED not in states

    task(trigger=some_successful(at_least=3))
    task(trigger=rule)
    task(trigger="any_fail")  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]


@flow
def census(root: str, limit: int | None = None) -> dict[str, list[int]]:
    """A flow without options."""
    return {root: measure.map(find(root, limit))}


@flow(executor="local", timeout=60.0)
def timed(root: str) -> int:
    """A flow with options."""
    return measure(root)


@flow
def whole(root: str) -> list[int]:
    """A flow that calls another one."""
    return assert_type(census(root), dict[str, list[int]])[root]


def run() -> None:
    """`run` knows the flow's parameters, and its result; where options are given, the options."""
    done = assert_type(census.run("root", limit=3), FlowRun[dict[str, list[int]]])
    assert_type(done.result, dict[str, list[int]])
    assert_type(done.task_runs[0], TaskRun)
    assert_type(timed("root"), int)
    assert_type(timed.run("root").result, int)
    assert_type(whole.run("root", executor="local").result, list[int])
    assert_type(whole.run(root="root", executor=LocalExecutor(), keep_values=False).result, list[int])
    assert_type(Station().highest.run(["Leith"]).result, list[float])
    assert_type(Station().highest.with_options(timeout=None)(["Leith"]), list[float])
    Station().highest(3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    assert_type(whole.run("root", observers=[done]).result, list[int])
    assert_type(
        whole.run("root", executor_options={"num_workers": 2}, executor="local_dask").result, list[int]
    )
    assert_type(whole.run("root", journal=True).result, list[int])
    assert_type(whole.run("root", progress=True, executor="local").result, list[int])
    assert_type(whole.start("root", progress=None).wait().result, list[int])
    elsewhere = census.with_options(executor="dask", limits={"db": 4}, reference=[measure, "find"])
    assert_type(elsewhere.run("root", limit=3), FlowRun[dict[str, list[int]]])
    assert_type(elsewhere("root"), dict[str, list[int]])
    assert_type(timed.with_options(name="quick", timeout=None).start("root"), RunningFlow[int])
    elsewhere.run(3)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
    census.with_options(time=3)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    census.with_options(timeout="3")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    census.run(3)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
    census.run("root", limits=3)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
    census.run("root", executor=3)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]


async def started() -> None:
    """`start` takes the same, and what it gives knows the result."""
    running = assert_type(census.start("root"), RunningFlow[dict[str, list[int]]])
    assert_type(running.wait(), FlowRun[dict[str, list[int]]])
    assert_type(running.run, FlowRun[dict[str, list[int]]])
    assert_type(iter(running), Iterator[TaskRun])
    assert_type(aiter(running), AsyncIterator[TaskRun])
    assert_type(running.counts(), dict[TaskState, int])
    assert_type((await running).result, dict[str, list[int]])
    with timed.start("root", executor="local_dask") as inside:
        assert_type(inside, RunningFlow[int])
    async with timed.start("root") as beside:
        assert_type(beside, RunningFlow[int])
    timed.start()  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]


def executors() -> None:
    """`start` gives the executor itself."""
    with get_executor("dask").start() as executor:
        assert_type(executor, Executor)
    with LocalExecutor().start() as local, LocalDaskExecutor("processes").start() as processes:
        assert_type(local, LocalExecutor)
        assert_type(processes, LocalDaskExecutor)


def unannotated(done: FlowRun) -> None:
    """The result of a run of which nothing is said may be anything."""
    assert_type(done.result, Any)


def coroutine(path: str) -> Coroutine[Any, Any, bytes]:
    """The function of a task, called outside of a flow."""
    return fetch.fn(path)  # type: ignore[no-any-return]
