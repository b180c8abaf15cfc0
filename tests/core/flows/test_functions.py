"""Functions that become tasks and flows, or that cannot."""

import functools
import inspect
import sys

import pytest

from turgo import flow, task
from turgo.errors import TaskPolicyError
from turgo.flows.functions import positional_bounds

pytestmark = pytest.mark.usefixtures("inline_as_local")


@task
def one():
    return 1


def test_generators_and_things_that_cannot_be_called_are_no_tasks():
    """The message says why."""

    def generate():
        yield 1

    async def generate_later():
        yield 1

    for fn in (generate, generate_later):
        with pytest.raises(TaskPolicyError, match="generator"):
            task(fn)
    with pytest.raises(TaskPolicyError, match="needs a function"):
        task(3)


def test_partials_builtins_and_callable_objects_have_names():
    """A partial and an object without a name are called after their class; a name can be given."""

    class Scale:
        def __call__(self, number):
            return number

    assert task(functools.partial(pow, 2)).name == "partial"
    assert task(max).name == "max"
    assert task(Scale()).name == "Scale"
    assert task(name="scale")(Scale()).name == "scale"


def test_builtins_without_a_signature_take_anything():
    """`max` does not tell its arguments, so they are not checked."""

    @flow
    def largest():
        return task(max)(1, 2, 3), task(dict)(a=1), task(print)("", end="")

    assert largest.run(executor="local").result == (3, {"a": 1}, None)


def test_a_task_is_called_what_it_was_named():
    """Whether it is decorated or made by a call with its options beside it."""
    assert task(name="short")(len).name == task(len, name="short", retries=1).name == "short"


@pytest.mark.parametrize("name", ["executor", "executor_options", "observers", "keep_values"])
def test_names_that_run_takes_for_itself_are_reserved(name):
    """A flow with such a parameter could never be given it."""
    namespace = {}
    exec(f"def body({name}=None): pass", namespace)
    with pytest.raises(TaskPolicyError, match=f"parameter '{name}'"):
        flow(namespace["body"])


def test_generators_and_coroutines_are_no_flows():
    """A flow is a plain function."""

    def generate():
        yield one()

    async def later():
        return one()

    for fn in (generate, later):
        with pytest.raises(TaskPolicyError, match="generator or async"):
            flow(fn)
    with pytest.raises(TaskPolicyError, match="needs a function"):
        flow(3)


@pytest.mark.parametrize(
    ("function", "bounds"),
    [
        (lambda: None, (0, 0)),
        (lambda first, second=1, /, third=2: None, (1, 3)),
        (lambda first, *rest: None, (1, sys.maxsize)),
        (lambda first, *, named=None, **others: None, (1, 1)),
        (lambda first, *, named: None, (sys.maxsize, 1)),
    ],
)
def test_arguments_without_names_have_bounds(function, bounds):
    """A function that needs a named one takes no number of others alone."""
    assert positional_bounds(inspect.signature(function)) == bounds


def test_a_parameter_that_is_to_hold_a_path_is_there():
    """The nearest name is in the message."""
    with pytest.raises(TaskPolicyError, match=r"has no parameter 'pth'; did you mean 'path'"):
        task(files=["pth"])(lambda path: path)


@pytest.mark.parametrize("name", ["", 3])
def test_a_name_is_a_text_that_says_something(name):
    """Of a task and of a flow."""
    for kind in (task, flow):
        with pytest.raises(TaskPolicyError, match="give a text"):
            kind(name=name)(lambda: None)
