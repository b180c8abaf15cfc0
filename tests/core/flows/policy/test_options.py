"""Options of tasks and flows: what is refused, and how the options of nested flows join."""

from typing import Any

import pytest

from turgo import Executor, flow, task
from turgo.errors import TaskPolicyError
from turgo.flows.policy.options import FlowOptions, Policy, flow_options, known_options


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"tags": "gpu"}, "give a list of strings"),
        ({"tags": [1]}, "give a list of strings"),
        ({"cache_key": "input"}, 'give "inputs"'),
        ({"cache_expires": 5.0}, "says nothing without a cache_key"),
        ({"cache_expires": -1, "cache_key": "inputs"}, "give a number of seconds"),
        ({"executor": ""}, "give a name, a class path"),
        ({"executor": 3}, "give a name, a class path"),
        ({"executor": dict}, "give a name, a class path"),
        ({"nout": 0}, "the number of values that the task returns"),
        ({"log_prints": 1}, "True or False"),
        ({"trigger": "any"}, "there is no trigger 'any'"),
    ],
)
def test_an_option_of_a_task_without_sense_is_refused(options: dict[str, Any], words: str) -> None:
    """With what may be given instead."""
    with pytest.raises(TaskPolicyError) as refused:
        Policy(**options)
    assert words in str(refused.value)


def test_an_executor_may_be_named_in_each_form() -> None:
    """A name, a class path, a mapping, a class; none is looked up yet."""
    for asked in ("dask", "pkg.mod:Class", {"use": "dask"}, Executor):
        assert Policy(executor=asked).executor is asked


def test_an_unknown_option_is_an_error_that_names_the_nearest() -> None:
    """Of tasks as of flows."""
    with pytest.raises(TaskPolicyError, match=r"no option 'retry'.*retries"):
        known_options({"retry": 3})
    with pytest.raises(TaskPolicyError, match=r"no option 'time_out'.*timeout"):
        flow_options({"time_out": 3})


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"limits": ["db"]}, "give a mapping of tags to numbers"),
        ({"limits": {"db": 0}}, "give a whole number, 1 or more"),
        ({"reference": 3}, "give a list of tasks or of names of tasks"),
        ({"reference": [3]}, "give a list of tasks or of names of tasks"),
        ({"fail_fast": "yes"}, "True or False"),
        ({"max_map_width": 0}, "1 or more"),
    ],
)
def test_an_option_of_a_flow_without_sense_is_refused(options: dict[str, Any], words: str) -> None:
    """With what may be given instead."""
    with pytest.raises(TaskPolicyError) as refused:
        flow_options(options)
    assert words in str(refused.value)


def test_reference_takes_tasks_and_names() -> None:
    """One alone, or several, and keeps their names."""
    measure = task(name="measure")(lambda: 1)
    assert flow_options({"reference": measure}).reference == ("measure",)
    assert flow_options({"reference": [measure, "total"]}).reference == ("measure", "total")


def test_limits_of_an_inner_flow_hold_where_the_outer_one_sets_none() -> None:
    """For the same tag, the outer flow's limit counts."""
    outer = FlowOptions(limits={"db": 4})
    joined = outer.with_limits_of(FlowOptions(limits={"db": 1, "disk": 2}, timeout=5.0))
    assert joined.limits == {"db": 4, "disk": 2} and joined.timeout is None
    assert outer.with_limits_of(FlowOptions()) is outer


def test_options_of_a_nested_flow_reach_the_graph() -> None:
    """The graph of the outer flow has the limits of what it calls."""
    step = task(lambda: 1)
    inner = flow(limits={"disk": 2}, requires={"parallel"})(lambda: step())
    graph = flow(limits={"db": 4})(lambda: inner()).record()
    assert graph.options.limits == {"db": 4, "disk": 2}
    assert graph.requires == {"parallel"}
