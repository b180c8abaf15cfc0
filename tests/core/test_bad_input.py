"""Bad input gives a clear error before anything runs: no executor is started, and no function called."""

import itertools

import pytest

from turgo import case, flatten, flow, merge, task, unmapped
from turgo.errors import (
    EmptyFlowError,
    ForeignResultError,
    GraphError,
    ParameterError,
    TaskPolicyError,
    UsageError,
)
from turgo.executor import Executor

called = []


class Untouched(Executor):
    """Starting it, or handing it anything, is a failure of the test."""

    def start(self):
        raise AssertionError("it was started")

    def submit(self, fn, /, *args, extra_context=None, **kwargs):
        raise AssertionError("something was submitted")


@task
def measure(path, *, unit="mm"):
    called.append(path)
    return path


def elsewhere():
    """A result that another call of a flow recorded."""
    kept = []
    flow(lambda: kept.append(measure("x")) or kept[0]).record()
    return kept[0]


def generate():
    yield 1


def made(**policy):
    """A flow whose task has this policy."""
    return lambda: task(**policy)(measure.fn)("a")


def loop():
    values = []
    values.append(values)
    return values


CASES = {
    # the flow's own parameters
    "a missing parameter": (
        lambda root: measure(root),
        ParameterError,
        r"\(root\) cannot be run so: missing.*'root'",
    ),
    # calls of tasks
    "too few arguments": (
        lambda: measure(),
        ParameterError,
        r"measure\(path, \*, unit='mm'\) cannot be called so",
    ),
    "too many arguments": (lambda: measure("a", "b"), ParameterError, "too many positional arguments"),
    "an unknown argument": (
        lambda: measure("a", units="m"),
        ParameterError,
        "unexpected keyword argument 'units'",
    ),
    "wrong arguments of a map": (lambda: measure.map(["a"], units=["m"]), ParameterError, "argument 'units'"),
    "wrong arguments of a builtin": (lambda: task(len)(), ParameterError, "cannot be called so"),
    # maps
    "a number is spread": (lambda: measure.map(3), ParameterError, "3 is not a collection.*unmapped"),
    "a text is spread": (lambda: measure.map("abc"), ParameterError, "'abc' is not a collection.*a list"),
    "nothing is spread": (
        lambda: measure.map(["a"], unit=None),
        ParameterError,
        "'unit': None is not a collection",
    ),
    "all is unmapped": (lambda: measure.map(unmapped("a")), ParameterError, "all of them are unmapped"),
    "an endless map": (lambda: measure.map(itertools.count()), ParameterError, "1,000 are the most"),
    "a map too wide": (lambda: measure.map(range(1001)), ParameterError, "1,001 elements or more"),
    "a number is flattened": (lambda: measure(flatten([1])), ParameterError, "element 0 .* no collection"),
    # policies
    "negative retries": (made(retries=-1), TaskPolicyError, "retries=-1: give a whole number, 0 or more"),
    "a negative delay": (made(retry_delay=-1), TaskPolicyError, "retry_delay=-1"),
    "a negative timeout": (made(timeout=-3), TaskPolicyError, "timeout=-3"),
    "a timeout of nothing": (
        made(timeout=0),
        TaskPolicyError,
        r"above 0 \(at most a year\), or None for no limit",
    ),
    "an unknown trigger": (made(trigger="any_succesful"), TaskPolicyError, "did you mean 'any_successful'"),
    "a tag that is no text": (made(tags=["gpu", 1]), TaskPolicyError, "give a list of strings"),
    "tags that are a text": (made(tags="gpu"), TaskPolicyError, "give a list of strings"),
    "an unknown option": (made(retrys=1), TaskPolicyError, "no option 'retrys'; did you mean 'retries'"),
    "no number of values": (made(nout=0), TaskPolicyError, "nout=0"),
    "neither yes nor no": (made(batch="no"), TaskPolicyError, "batch='no': give True or False"),
    "a name that is no text": (made(name=3), TaskPolicyError, "name=3"),
    "a generator as a task": (
        lambda: task(generate)(),
        TaskPolicyError,
        "generate is a generator.*Return a list",
    ),
    # results
    "a result of another call": (
        lambda: measure(elsewhere()),
        ForeignResultError,
        "only inside the call that",
    ),
    "such a one in a list": (
        lambda: measure([{"k": elsewhere()}]),
        ForeignResultError,
        "recorded by another call",
    ),
    "such a one mapped over": (
        lambda: measure.map(elsewhere()),
        ForeignResultError,
        "recorded by another call",
    ),
    "such a one returned": (
        lambda: [measure("a"), elsewhere()],
        ForeignResultError,
        "recorded by another call",
    ),
    "such a one merged": (
        lambda: merge(measure("a"), elsewhere()),
        ForeignResultError,
        "recorded by another",
    ),
    "a result as a condition": (
        lambda: measure("a") if measure("b") else 0,
        GraphError,
        "used as a condition",
    ),
    "a result unpacked": (lambda: [*measure("a")], GraphError, "nout"),
    "a result called": (lambda: measure("a").strip(), GraphError, "cannot be called"),
    "a container in itself": (lambda: measure([*loop(), measure("a")]), GraphError, "contains itself"),
    "a branch over a map": (lambda: case(measure.map(["a"]), 1).__enter__(), GraphError, "for each element"),
    "no branches": (lambda: (measure("a"), merge()), ParameterError, "needs the results of branches"),
    "no tasks": (lambda: 3, EmptyFlowError, "called no task"),
}


@pytest.mark.parametrize("case_name", CASES)
def test_bad_input_is_refused_before_anything_runs(case_name):
    """With an error that is a UsageError, so that the command line ends with 2, and a message that says what it is."""
    body, error, told = CASES[case_name]
    called.clear()
    assert issubclass(error, UsageError)
    with pytest.raises(error, match=told):
        flow(max_map_width=1000)(body).run(executor=Untouched())
    assert not called


@pytest.mark.parametrize(
    ("args", "parameters", "told"),
    [
        ((), {}, "missing a required argument: 'root'"),
        (("a", 3, "c"), {}, "too many positional arguments"),
        (("a",), {"depth": 3}, "unexpected keyword argument 'depth'"),
        (("a",), {"root": "b"}, "multiple values for argument 'root'"),
    ],
)
def test_parameters_that_do_not_fit_the_flow(args, parameters, told):
    """The message shows the flow's signature; a flow within a flow is checked as well."""

    @flow
    def census(root, limit=None):
        return measure(root)

    with pytest.raises(ParameterError, match=rf"census\(root, limit=None\) cannot be run so: .*{told}"):
        census.run(*args, executor=Untouched(), **parameters)
    with pytest.raises(ParameterError, match=told):
        flow(lambda: census(*args, **parameters)).run(executor=Untouched())


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"max_map_width": 0}, "max_map_width=0"),
        ({"timeout": -1}, "timeout=-1"),
        ({"retries": 3}, "no option 'retries'"),
        ({"max_map_with": 3}, "did you mean 'max_map_width'"),
        ({"requires": ["paralel"]}, "did you mean 'parallel'"),
        ({"name": 3}, "name=3: give a text"),
    ],
)
def test_options_of_a_flow_that_make_no_sense(options, told):
    """Where the flow is made."""
    with pytest.raises(TaskPolicyError, match=told):
        flow(**options)(lambda: measure("a"))


def test_what_cannot_be_a_task():
    """Each with a reason and a way out."""

    class Generates:
        def __call__(self):
            yield 1

    for fn, told in (
        (3, "needs a function, not 3"),
        (generate, "generator"),
        (Generates(), "Generates is a generator"),
        (classmethod(generate), "put @classmethod above @task"),
    ):
        with pytest.raises(TaskPolicyError, match=told):
            task(fn)
