"""Results where recording cannot put a value in their place: each is refused with its reason; all else is constant."""

import collections
import copy
import dataclasses
import functools
import pickle
from pathlib import Path
from types import MappingProxyType, SimpleNamespace

import pytest

from turgo import flow, task
from turgo.errors import (
    GraphError,
)
from turgo.registry.source_files import load_source
from turgo.worker.arguments import CONSTANTS

pytestmark = pytest.mark.usefixtures("inline_as_local")

small = load_source(Path(__file__).with_name("small_flows.py"))
one, add, recorded = small.one, small.add, small.recorded


def run(body):
    return flow(body).run(executor="local").result


@dataclasses.dataclass
class Record:
    held: object


@pytest.mark.parametrize(
    ("hide", "told"),
    [
        (Record, "a Record that holds <result of one"),
        (lambda result: Record([1, (result,)]), "a Record that holds"),
        (lambda result: SimpleNamespace(held=result), "a SimpleNamespace that holds"),
        (lambda result: collections.deque([1, result]), "a deque that holds"),
        (lambda result: MappingProxyType({"held": result}), "a mappingproxy that holds"),
        (lambda result: functools.partial(max, result), "a partial that holds <result of one"),
        (lambda result: functools.partial(functools.partial(max, [result]), 1), "a partial that holds"),
        (lambda result: functools.partial(max, key=Record(result)), "a partial that holds"),
        (lambda result: Record(result).__eq__, "a method that holds <result of one"),
        (lambda result: lambda: result, "a function that holds <result of one"),
        (lambda result: {result: 1}, "has a key that is or holds"),
        (lambda result: {(1, result): 1}, "has a key that is or holds"),
    ],
)
def test_a_result_where_no_value_can_take_its_place_is_refused(hide, told):
    """The task would get the result itself; so it is for what the flow returns."""
    with pytest.raises(GraphError, match=told):
        recorded(lambda: add(hide(one())))
    with pytest.raises(GraphError, match=told):
        recorded(lambda: hide(one()))


@pytest.mark.parametrize(
    "use",
    [
        lambda held: held + 1,
        lambda held: list(held),
        lambda held: f"{held}",
        lambda held: held[0],
        lambda held: held.shape,
        lambda held: copy.copy(held) > 1,
        lambda held: pickle.dumps(held),
    ],
)
def test_a_result_that_recording_cannot_find_says_so_wherever_it_is_used(use):
    """It lies an object deeper than recording looks; the task is told how to take it instead."""
    done = flow(lambda: task(lambda record: use(record.held.held))(Record(Record(one())))).run()
    told = str(done.task_runs[1].error)
    assert done.task_runs[1].state == "Failed"
    assert "<result of one, known when the flow runs>" in told and "the flow that recorded it" in told
    assert "A task gets the value of a result that is an argument of its own" in told


def test_functions_among_the_arguments_are_constants():
    """Partials, methods, closures and builtins that hold no result."""
    number = 3
    made = [functools.partial(max, number), "text".upper, lambda: number, max, Record(2).__eq__]
    assert all(node.plan == CONSTANTS for node in recorded(lambda: [add(each) for each in made]).nodes)


class Held:
    """An instance that was given something, with a task among its methods."""

    def __init__(self, held):
        self.held = held

    @task
    def scaled(self, number):
        return number

    def plain(self, number):
        return number


@pytest.mark.parametrize(
    "make",
    [
        lambda result: task(functools.partial(add.fn, result)),
        lambda result: task(functools.partial(add.fn, second=[result])),
        lambda result: task(functools.partial(Record(result).__eq__)),
        lambda result: task(lambda: result),
        lambda result: task(Held(result).plain),
        lambda result: Held(result).scaled,
        lambda result: Held([result]).scaled,
    ],
)
def test_a_result_hidden_in_the_function_of_a_task_is_refused(make):
    """In a partial, a closure or the instance of a method; the worker would get the result itself."""
    with pytest.raises(GraphError, match=r"the function of the task .* holds <result of one"):
        recorded(lambda: make(one())(1))


def test_functions_that_hold_anything_else_are_tasks():
    """Also a closure over something that is not there yet, or that refers to itself."""

    def body():
        def later():
            return to_come

        def again():
            return again is not None

        made = [task(later), task(again), task(functools.partial(add.fn, 1)), Held(2).scaled]
        to_come = 5
        return made[0](), made[1](), made[2](2), made[3](3)

    assert run(body) == (5, True, 3, 3)


def test_a_task_among_methods_is_the_same_task_each_time():
    """To the engine, which learns of each task how long it takes; of another instance it is another one."""

    def body():
        held, other = Held(1), Held(2)
        for _ in range(3):
            held.scaled(1)
        other.scaled(1)

    nodes = recorded(body).nodes
    assert nodes[0].task is nodes[1].task is nodes[2].task
    assert nodes[3].task is not nodes[0].task and nodes[3].task.name == "scaled"
