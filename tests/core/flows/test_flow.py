"""Flow definitions: functions that record."""

import pytest

from turgo import flow, task
from turgo.errors import ParameterError, TaskPolicyError

pytestmark = pytest.mark.usefixtures("inline_as_local")


@task
def one():
    return 1


def test_parameters_that_do_not_fit_are_refused_before_anything_runs():
    """The message shows the signature and what is wrong."""

    @flow
    def paths(root, limit=3):
        raise AssertionError("the body must not run")

    with pytest.raises(
        ParameterError, match=r"paths\(root, limit=3\) .* missing a required argument: 'root'"
    ):
        paths.run(executor="local")
    with pytest.raises(ParameterError, match="unexpected keyword argument 'lim'"):
        paths.run(root="x", lim=2, executor="local")
    with pytest.raises(ParameterError, match="too many positional"):
        paths.record(1, 2, 3)


def test_a_flow_in_a_flow_checks_its_parameters_too():
    """The inner flow's name is in the message."""

    @flow
    def inner(number):
        return one()

    @flow
    def outer():
        return inner()

    with pytest.raises(ParameterError, match="inner"):
        outer.record()


def test_one_flow_can_be_recorded_many_times():
    """Each time makes a graph of its own."""

    @flow(name="renamed")
    def body(count):
        return [one() for _ in range(count)]

    assert [len(body.record(n).nodes) for n in (1, 2, 3)] == [1, 2, 3]
    assert body.name == body.record(1).flow == "renamed"
    assert repr(body) == "<flow renamed>"


def test_any_name_will_do_for_a_parameter():
    """Save the three that `run` takes for itself: `self` as well, of a flow and of its tasks."""

    @task
    def told(self, args=0, kwargs=0, fn=0):
        return (self, args, kwargs, fn)

    @flow
    def asked(self, name=0):
        return told(self=self, kwargs=name), told.map(self=[1], fn=[2])

    run = asked.run(self=7, name=8, executor="local")
    assert run.result == ((7, 0, 8, 0), [(1, 0, 0, 2)])
    assert asked(self=7)[0][0] == 7


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"timeout": 0}, "flow(timeout=0): give a number of seconds above 0"),
        ({"timeout": -1.5}, "flow(timeout=-1.5): give a number of seconds above 0"),
        ({"timeout": "3"}, "flow(timeout='3'): give a number of seconds"),
        ({"limits": {"db": 0}}, "flow(limits=…) of 'db' is 0: give a whole number, 1 or more"),
        ({"limits": {"db": True}}, "of 'db' is True"),
        ({"limits": {3: 1}}, "give a mapping of tags to numbers"),
        ({"limits": ["db"]}, "give a mapping of tags to numbers"),
        ({"fail_fast": 1}, "flow(fail_fast=1): give True or False"),
        ({"timout": 3}, "a flow has no option 'timout'; did you mean 'timeout'?"),
    ],
)
def test_options_without_sense_are_refused_where_they_are_written(options, words):
    """With what would make sense there."""
    with pytest.raises(TaskPolicyError) as caught:
        flow(**options)
    assert words in str(caught.value)


def test_a_flow_in_a_flow_brings_its_limits():
    """They protect what its tasks use; where the outer one says otherwise, that counts. No other option comes along."""

    @flow(limits={"db": 1, "net": 2}, timeout=5, fail_fast=True)
    def inner():
        return one()

    @flow(limits={"net": 3}, timeout=50)
    def outer():
        return inner()

    options = outer.record().options
    assert (options.limits, options.timeout, options.fail_fast) == ({"db": 1, "net": 3}, 50, False)


def test_with_options_makes_another_flow():
    """The other options stay as they were, and so does the flow that it was made of."""

    @flow(timeout=60.0, limits={"db": 4}, requires={"parallel"})
    def ones():
        return one()

    other = ones.with_options(name="quick", executor="local", timeout=None, requires=())
    assert (other.name, other.executor, other.requires) == ("quick", "local", frozenset())
    assert (other.options.timeout, other.options.limits) == (None, {"db": 4})
    assert (ones.name, ones.executor, ones.options.timeout) == ("ones", None, 60.0)
    assert type(other) is type(ones) and other.run().result == 1
    assert ones.with_options(fail_fast=True).requires == {"parallel"}
    for options in ({"time": 3}, {"timeout": -1}, {"requires": ["wings"]}, {"name": 3}):
        with pytest.raises(TaskPolicyError):
            ones.with_options(**options)
