"""Tasks: functions with a policy, checked when they are made."""

import sys

import cloudpickle
import pytest

from turgo import flow, task
from turgo.errors import GraphError, TaskPolicyError
from turgo.flows.policy.triggers import all_successful
from turgo.flows.task import Task

pytestmark = pytest.mark.usefixtures("inline_as_local")


@task(retries=2, tags=["a", "b"])
def double(number: int) -> int:
    """Twice the number."""
    return 2 * number


def test_a_task_is_called_like_its_function_outside_a_flow():
    """It has its name, docstring and signature too."""
    assert double(4) == 8
    assert double.name == "double" and double.__doc__ == "Twice the number."
    assert (
        str(double.signature) == "(number: 'int') -> 'int'" or str(double.signature) == "(number: int) -> int"
    )
    assert repr(double) == "<task double>"


def test_the_defaults_of_a_policy():
    """No retries, no limit, all upstreams must have succeeded."""
    policy = task(lambda: 0).policy
    assert (policy.retries, policy.retry_delay, policy.timeout, policy.tags) == (0, 0.0, None, ())
    assert policy.trigger is all_successful and policy.batch and policy.skip_on_upstream_skip


@pytest.mark.parametrize(
    ("policy", "told"),
    [
        ({"retries": -1}, "retries=-1"),
        ({"retries": 1.5}, "retries=1.5"),
        ({"retries": True}, "retries=True"),
        ({"crash_retries": -1}, "crash_retries=-1"),
        ({"retry_delay": -0.1}, "retry_delay=-0.1"),
        ({"retry_delay": float("inf")}, "retry_delay=inf"),
        ({"retry_delay": "1"}, "retry_delay='1'"),
        ({"timeout": -1}, "timeout=-1"),
        ({"timeout": 0}, "timeout=0"),
        ({"timeout": float("nan")}, "timeout=nan"),
        ({"tags": "gpu"}, "tags='gpu': give a list of strings"),
        ({"tags": [1]}, r"tags=\[1\]"),
        ({"tags": None}, "tags=None"),
        ({"tags": 3}, "tags=3"),
        ({"trigger": "any_faild"}, "no trigger 'any_faild'; did you mean 'any_failed'"),
        ({"trigger": "zzz"}, "no trigger 'zzz'"),
        ({"trigger": 3}, "neither a name"),
        ({"retrys": 1}, "no option 'retrys'"),
    ],
)
def test_a_policy_that_makes_no_sense_is_refused(policy, told):
    """When the task is made, and when it is made anew with other options."""
    with pytest.raises(TaskPolicyError, match=told):
        task(**policy)
    with pytest.raises(TaskPolicyError, match=told):
        double.with_options(**policy)


def test_with_options_makes_another_task():
    """The old one stays as it is; what is not said stays as it was."""
    other = double.with_options(name="twice", timeout=3.0)
    assert (other.name, other.policy.timeout, other.policy.retries, other.policy.tags) == (
        "twice",
        3.0,
        2,
        ("a", "b"),
    )
    assert double.policy.timeout is None


def test_map_outside_a_flow_is_refused():
    """There is nothing to record it in."""
    with pytest.raises(GraphError, match="outside a flow"):
        double.map([1])


def test_a_task_in_a_class_is_bound_like_a_method():
    """On the instance; on the class it is the task itself."""

    class Pump:
        power = 3

        @task
        def lift(self, weight):
            return self.power * weight

    assert Pump().lift(2) == 6
    assert isinstance(Pump.lift, Task)


def test_static_and_class_methods():
    """In whichever order, save that a classmethod is made of a task and not the other way round."""

    class Pump:
        @staticmethod
        @task
        def lift(weight):
            return weight

        @task
        @staticmethod
        def drop(weight):
            return -weight

        @classmethod
        @task
        def named(cls, weight):
            return cls.__name__, weight

    @flow
    def pumped():
        pump = Pump()
        return pump.lift(1), Pump.lift(2), pump.drop(3), Pump.drop.map([4]), pump.named(5), Pump.named(6)

    assert pumped.run(executor="local").result == (1, 2, -3, [-4], ("Pump", 5), ("Pump", 6))
    assert (Pump().lift(1), Pump().drop(1), Pump.named(1)) == (1, -1, ("Pump", 1))


def test_tasks_can_be_pickled():
    """Also those with a trigger of their own and those made of a lambda, as they are referred to by functions."""
    made = task(trigger=lambda states: True, retries=3)(lambda number: number + 1)
    again = cloudpickle.loads(cloudpickle.dumps(made))
    assert again(1) == 2 and again.policy.retries == 3


def test_after_is_the_same_task_to_the_engine():
    """What is learned of a task holds for its calls that come after others as well."""

    @flow
    def ordered():
        first = double(1)
        return double.after(first)(2)

    nodes = ordered.record().nodes
    assert nodes[0].task is nodes[1].task
    assert nodes[1].depends == (0,)


@pytest.mark.parametrize("policy", [{"timeout": sys.maxsize}, {"retry_delay": 1e12}])
def test_seconds_beyond_what_clocks_can_wait_are_refused(policy):
    """Where the task is made, and not in the middle of a run."""
    with pytest.raises(TaskPolicyError, match="a year"):
        task(**policy)


def test_options_of_a_task_that_comes_after_others_leave_it_after_them():
    @task
    def one():
        return 1

    @flow
    def ordered():
        before = one()
        return one.after(before).with_options(retries=1)()

    graph = ordered.record()
    assert graph.nodes[1].depends == (0,)
