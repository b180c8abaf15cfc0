"""Placing: which executor makes the calls of a task."""

from pathlib import Path

import pytest

from penstock import flow, task
from penstock.engine.placing import place_tasks
from penstock.engine.site import Site
from penstock.errors import TaskPolicyError, UnknownExecutorError
from penstock.sources import load_source

FILE = Path(__file__).parents[1] / "inline_executor.py"
InlineExecutor = load_source(FILE).InlineExecutor


@task
def one():
    return 1


def placed(*executors, own="mine"):
    """The sites of a run whose tasks name these executors, and the number of each task's site."""
    here = Site(InlineExecutor(), own)

    @flow
    def several():
        return [one.with_options(executor=each)() for each in executors]

    graph = several.record()
    sites, places, runs_here = place_tasks(graph, here, None)
    assert sites[0] is here
    return sites, [places[node.task].site if node.task in places else 0 for node in graph.nodes], runs_here


def test_tasks_that_name_none_run_on_the_own_one():
    """There is one site then."""
    sites, numbers, here = placed(None, None)
    assert (len(sites), numbers, here) == (1, [0, 0], True)


def test_the_same_executor_is_made_once():
    """By name, class path, class, mapping or object; each under the name by which it was asked for."""
    path, mine = f"{FILE}:InlineExecutor", InlineExecutor()
    mapping = {"use": path}
    sites, numbers, here = placed(path, mine, path, mapping, mine, dict(mapping))
    assert numbers == [1, 2, 1, 3, 2, 3] and not here
    assert [site.name for site in sites] == ["mine", path, "InlineExecutor", path]
    assert sites[2].executor is mine


def test_a_task_that_names_the_executor_of_the_run_runs_there():
    """By its name in any form, by its class, or as the object itself."""
    own = InlineExecutor()
    body = flow(lambda: [one.with_options(executor=each)() for each in ("Local-Mine", type(own), own)])
    sites, places, here = place_tasks(body.record(), Site(own, "local_mine"), None)
    assert len(sites) == 1 and here and {place.site for place in places.values()} == {0}


def test_an_executor_that_is_not_there_is_an_error_that_names_the_task():
    """Nothing has been started then."""
    with pytest.raises(UnknownExecutorError, match=r"'nowhere'.*executor of the task one"):
        placed("nowhere")


@pytest.mark.parametrize("executor", [3, "", ["local"], int])
def test_what_can_be_no_executor_is_refused_at_the_task(executor):
    """Where it is written, not when it runs."""
    with pytest.raises(TaskPolicyError, match=r"executor="):
        task(executor=executor)


def test_tasks_of_different_executors_share_no_batch():
    """A chain that changes executors is cut where it does."""

    class Counts(InlineExecutor):
        def __init__(self):
            self.submitted = 0

        def submit(self, fn, /, *args, extra_context=None, **kwargs):
            self.submitted += 1
            return super().submit(fn, *args, extra_context=extra_context, **kwargs)

    first, second = Counts(), Counts()
    add = task(lambda value: value + 1, name="add")
    there = add.with_options(executor=second)

    @flow
    def chain():
        value = add(0)
        for _ in range(20):
            value = there(add(value))
        return value

    run = chain.run(executor=first)
    assert run.result == 41
    assert (first.submitted, second.submitted) == (21, 20)
