"""Random graphs, some of whose tasks are cached, end as without a cache, and what succeeded is not computed again.

What is drawn, the interpreter and the comparison are those that `test_random_graphs` uses.
"""

import os
import random
import tempfile
from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from turgo.engine.run import prepare_run
from turgo.executor import Executor
from turgo.flows.graph import Graph
from turgo.records.flow_run import FlowRun
from turgo.records.states import CODE, TaskState
from turgo.registry.source_files import load_source

drawing = load_source(Path(__file__).with_name("drawn_graphs.py"))
evaluation = load_source(Path(__file__).with_name("plain_evaluation.py"))
InlineExecutor = load_source(Path(__file__).parents[1] / "inline_executor.py").InlineExecutor
ShufflingExecutor = load_source(Path(__file__).parents[1] / "shuffling_executor.py").ShufflingExecutor

CACHED, SUCCESS = bytes((CODE[TaskState.CACHED],)), bytes((CODE[TaskState.SUCCESS],))


def cache_some(graph: Graph, seed: int) -> set[str]:
    """Give about two thirds of the drawn tasks a key; their names."""
    chosen = random.Random(seed)
    tasks = {node.task.name: node.task for node in graph.nodes if node.task.name != "item"}
    names = {name for name in sorted(tasks) if chosen.random() < 0.67}
    for name in names:
        key = lambda arguments: repr(drawing.known(arguments["args"]))  # noqa: E731
        tasks[name].policy = attrs.evolve(tasks[name].policy, cache_key=key)
    return names


def cached_as_success(run: FlowRun) -> FlowRun:
    """The run as the interpreter knows it, which has no cache."""
    ledger = run.task_runs._ledger
    for column in (ledger.states, *(mapped.states for mapped in ledger.mapped.values())):
        column[:] = column.replace(CACHED, SUCCESS)
    return run


def run_twice(drawn: Any, executor: Executor, seed: int) -> None:
    """The second run computes nothing of a cached task whose calls all succeeded in the first."""
    good: set[str] = set()
    for turn in range(2):
        graph, functions = drawing.record(*drawn)
        cached = cache_some(graph, seed)
        run = cached_as_success(prepare_run(graph, executor).go())
        evaluation.compare(drawn, run, functions, once=False)
        if turn == 0:
            bad = {each.name for each in run.task_runs if each.state is not TaskState.SUCCESS}
            good = cached - bad
        else:
            called = {f"task{number}" for number, function in functions.items() if function.calls}
            assert not called & good


@settings(
    max_examples=drawing.GRAPHS // 2, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
)
@given(drawing.graphs(), st.integers(0, 10_000))
def draw(drawn: Any, seed: int) -> None:
    """One graph, in a cache of its own, on an executor of one kind or the other."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["TURGO_CACHE__URL"] = str(Path(folder, "cache"))
        if seed % 2:
            executor = InlineExecutor()
        else:
            flaky = any({"flaky", "absent"}.intersection(spec.behave) for spec in drawn[0])
            losses = 0.0 if flaky or seed % 3 else 0.1  # what was lost was tried, and nobody saw it
            executor = ShufflingExecutor(seed=seed, width=1 + seed % 4, crossing=seed % 4 == 0, losses=losses)
        run_twice(drawn, executor, seed)


@pytest.mark.slow
def test_random_graphs_with_cached_tasks_end_as_plain_evaluation_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """States and values are the same in both runs, whatever the executor, the batches and lost workers do."""
    monkeypatch.setenv("TURGO_CACHE__URL", "")  # so that it is as before when the test is over
    draw()
