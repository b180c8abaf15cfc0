"""Random graphs end as an interpreter of some sixty lines says, whatever the executor and the batches do."""

import operator
import os
import random
from concurrent.futures import Future
from pathlib import Path
from typing import Any
from unittest.mock import patch

import attrs
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from turgo.engine.batching.budget import Batching
from turgo.engine.loop import Loop
from turgo.engine.outcome.result import end_run
from turgo.engine.run import prepare_run
from turgo.engine.schedule import remote
from turgo.engine.schedule.ready import Queue
from turgo.engine.schedule.schedule import Schedule
from turgo.engine.site import Site, Sites
from turgo.executor import Executor
from turgo.flows.graph import Graph
from turgo.flows.policy.options import FlowOptions, Policy
from turgo.flows.task import Task
from turgo.hooks import hookimpl
from turgo.observers.dispatch import Observers
from turgo.records.flow_run import FlowRun
from turgo.records.ledger import Ledger
from turgo.records.states import RunState, TaskState
from turgo.records.task_runs import TaskRuns
from turgo.registry.source_files import load_source

drawing = load_source(Path(__file__).with_name("drawn_graphs.py"))
evaluation = load_source(Path(__file__).with_name("plain_evaluation.py"))
InlineExecutor = load_source(Path(__file__).parents[1] / "inline_executor.py").InlineExecutor
KeepingExecutor = load_source(Path(__file__).parents[1] / "keeping_executor.py").KeepingExecutor
ShufflingExecutor = load_source(Path(__file__).parents[1] / "shuffling_executor.py").ShufflingExecutor

bounded = settings(
    max_examples=drawing.GRAPHS,
    deadline=None,
    derandomize="TURGO_GRAPHS" not in os.environ,
    suppress_health_check=list(HealthCheck),
)


class _Cancelling(Executor):
    """Cancels the run, which it observes, when so many batches were submitted."""

    def __init__(self, after: int, **options: Any) -> None:
        super().__init__(**options)
        self.left = after

    @hookimpl
    def turgo_flow_started(self, run: FlowRun) -> None:
        """There is a run to be cancelled."""
        self.run = run

    def submit(self, fn: Any, /, *args: Any, extra_context: Any = None, **kwargs: Any) -> Future[Any]:
        """Cancel it if it is time, and submit all the same."""
        self.left -= 1
        if self.left < 0:
            self.run.cancel()
        return super().submit(fn, *args, extra_context=extra_context, **kwargs)


class CancellingExecutor(_Cancelling, ShufflingExecutor):  # type: ignore[valid-type,misc]
    """One whose values come home."""


class CancellingKeeper(_Cancelling, KeepingExecutor):  # type: ignore[valid-type,misc]
    """One whose large values stay on the workers."""


class RandomBatching(Batching):
    """Makes up what calls cost and what a batch may hold."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.random = random.Random(seed)

    def learn(self, task: Any, calls: int, seconds: float) -> None:
        """Forget the clock."""
        self.costs[task] = self.random.choice([0.001, 0.01, 0.1, 1.0])
        self.most[task] = self.random.choice([1, 2, 5, 1000])

    def budget(self, queue: Queue, slots: int, now: float, presses: bool = False) -> float:
        """Anything."""
        return self.random.choice([0.0, 0.01, 0.1, 1.0, 100.0])

    def chain(self, slots: int) -> float:
        """Anything."""
        return self.random.choice([0.01, 1.0, 100.0])


def run_batched_at_random(graph: Graph, executor: Executor, seed: int, least: int | None = None) -> FlowRun:
    """As `GraphRun.go` does it, with tasks whose costs are made up, and known from the start for some.

    least: bytes of a value that stays on an executor that keeps results remote; as ever if not given.
    """
    ledger = Ledger([node.task.name for node in graph.nodes], [node.index for node in graph.nodes])
    run = FlowRun(id="drawn", flow="drawn", executor="", task_runs=TaskRuns(ledger))
    schedule = Schedule(graph, ledger)
    batching = RandomBatching(seed)
    for node in graph.nodes:
        if batching.random.random() < 0.8:
            batching.learn(node.task, 1, 0.0)
    site = Site(executor, "drawn")
    site.batching = batching
    if least is not None and site.values is not None:
        site.values.least = least
    with Sites([site]) as sites:
        sites.open(site)
        Loop(schedule, sites, run, Observers(())).go()
        end_run(run, graph, schedule.progress)
    return run


Drawn = tuple[list[Any], list[int]]


def steadily(drawn: Drawn) -> tuple[Drawn, Graph, dict[int, Any]]:
    """What is drawn, for workers that are lost: nothing fails at first only, since nobody may have seen the first."""
    specs = [
        each._replace(behave=tuple(m for m in each.behave if m not in drawing.AT_FIRST) or ("value",))
        for each in drawn[0]
    ]
    retried = Task(operator.getitem, Policy(crash_retries=1000), "item")

    def item(result: Any, key: Any) -> Any:
        return (
            result[key] if result._mapped else retried(result, key)
        )  # no call is made for an element of a map

    return (specs, drawn[1]), *drawing.record(specs, drawn[1], item)


@bounded
@given(drawing.graphs())
def test_on_one_call_at_a_time(drawn: Drawn) -> None:
    """States, values and executions are those of the reference on the local executor."""
    graph, functions = drawing.record(*drawn)
    evaluation.compare(drawn, prepare_run(graph, InlineExecutor()).go(), functions, once=True)


@bounded
@given(drawing.graphs(), st.integers(0, 2**32), st.integers(1, 4), st.booleans())
def test_in_any_order_and_any_batches(drawn: Drawn, seed: int, width: int, crossing: bool) -> None:
    """Nothing depends on the order in which batches end, nor on what is put into them."""
    graph, functions = drawing.record(*drawn)
    executor = ShufflingExecutor(seed=seed, width=width, crossing=crossing)
    evaluation.compare(drawn, run_batched_at_random(graph, executor, seed), functions, once=True)


@bounded
@given(drawing.graphs(), st.integers(0, 2**32), st.booleans())
def test_on_several_executors_with_limits(drawn: Drawn, seed: int, crossing: bool) -> None:
    """Nothing depends on where the calls of a task are made, nor on how many may be made at once."""
    graph, functions = drawing.record(*drawn)
    chance = random.Random(seed)
    shuffling, keeping = (
        made(seed=seed, width=2, crossing=crossing) for made in (ShufflingExecutor, KeepingExecutor)
    )
    for task in dict.fromkeys(node.task for node in graph.nodes if node.task.name.startswith("task")):
        executor = chance.choice([None, shuffling, keeping])
        tags = chance.choice([(), ("one",), ("two", "one"), ("two",)])
        task.policy = attrs.evolve(task.policy, executor=executor, tags=tags)
    graph.options = FlowOptions(limits={"one": 1, "two": 2})
    evaluation.compare(drawn, prepare_run(graph, InlineExecutor()).go(), functions, once=True)


@bounded
@given(
    drawing.graphs(),
    st.integers(0, 2**32),
    st.integers(1, 4),
    st.booleans(),
    st.integers(0, 12),
    st.booleans(),
)
def test_a_run_that_is_cancelled_anywhere_leaves_no_task_run_open(
    drawn: Drawn, seed: int, width: int, crossing: bool, after: int, stay: bool
) -> None:
    """Whichever submission it is that the run is cancelled at; what was over keeps the state that it has anyway."""
    first, kept = drawing.record(*drawn)
    whole = prepare_run(first, InlineExecutor()).go()
    graph, also_kept = drawing.record(*drawn)
    executor: Any = CancellingExecutor(after, seed=seed, width=width, crossing=crossing)
    if stay:
        executor = CancellingKeeper(after, seed=seed, width=width, crossing=crossing, typed=seed % 2 == 0)
    run = prepare_run(graph, executor, observers=[executor]).go()
    states = [each.state for each in run.task_runs]
    assert all(state.finished for state in states)
    if run.state is not RunState.CANCELLED:
        assert states == [each.state for each in whole.task_runs]
    expected = {each.key: each.state for each in whole.task_runs}
    for each in run.task_runs:
        assert each.state in (expected.get(each.key, TaskState.CANCELLED), TaskState.CANCELLED)
    assert kept.keys() == also_kept.keys(), "functions live for as long as they are held"


@bounded
@given(drawing.graphs(), st.integers(0, 2**32), st.integers(1, 4), st.booleans())
def test_with_workers_lost(drawn: Drawn, seed: int, width: int, crossing: bool) -> None:
    """Lost batches change nothing but how often calls run."""
    drawn, graph, functions = steadily(drawn)
    executor = ShufflingExecutor(seed=seed, width=width, crossing=crossing, losses=0.3)
    evaluation.compare(drawn, run_batched_at_random(graph, executor, seed), functions, once=False)


@bounded
@given(drawing.graphs(), st.integers(0, 2**32), st.integers(1, 4), st.booleans(), st.sampled_from([0, 60]))
def test_with_values_that_stay_on_workers(
    drawn: Drawn, seed: int, width: int, crossing: bool, least: int
) -> None:
    """Nothing is otherwise where all values stay on the workers, or those that are large."""
    graph, functions = drawing.record(*drawn)
    executor = KeepingExecutor(seed=seed, width=width, crossing=crossing, typed=seed % 2 == 0)
    evaluation.compare(drawn, run_batched_at_random(graph, executor, seed, least), functions, once=True)


@bounded
@given(drawing.graphs(), st.integers(0, 2**32), st.integers(1, 4), st.sampled_from([0, 60]))
def test_with_values_that_stay_and_workers_lost(drawn: Drawn, seed: int, width: int, least: int) -> None:
    """Calls that are lost with their workers are made again where values stay, too."""
    drawn, graph, functions = steadily(drawn)
    executor = KeepingExecutor(seed=seed, width=width, losses=0.3, typed=seed % 2 == 0)
    with patch.object(remote, "LEAST_DEATHS", 1000):  # no value is blamed here for the third worker in a row
        evaluation.compare(drawn, run_batched_at_random(graph, executor, seed, least), functions, once=False)
