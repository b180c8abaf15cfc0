"""What is told of an argument that cannot be pickled: whose it is, and which part of it."""

import pickle
import threading

import pytest

from turgo import flow, task, unmapped
from turgo.engine.transport.unpicklable import unportable
from turgo.errors import ValueNotPortableError
from turgo.worker.batch import BatchPiece


class Locked:
    def __init__(self):
        self.lock = threading.Lock()


@task
def one():
    return 1


@task
def measure(first, *rows, scale=1, **more):
    return 1


def told_of(body, columns=None, low=-1, values=None):
    """What is told of the last node that a flow with this body records."""
    node = flow(body).record().nodes[-1]
    error = unportable([BatchPiece(node, None, low, -1, columns)], (values or {}).get, TypeError("odd"))
    assert type(error) is ValueNotPortableError
    return str(error)


@pytest.mark.parametrize(
    ("body", "part"),
    [
        (lambda: measure(Locked()), "first.lock (a lock) of measure"),
        (lambda: measure(threading.Lock()), "first (a lock) of measure"),
        (lambda: measure(1, 2, [0, Locked()]), "rows[1][1].lock (a lock) of measure"),
        (lambda: measure(1, scale={"a": Locked()}), "scale['a'].lock (a lock) of measure"),
        (lambda: measure(1, extra=Locked()), "extra.lock (a lock) of measure"),
        (lambda: measure([one(), Locked()]), "first[1].lock (a lock) of measure"),
        (lambda: measure.map([one(), Locked()])[1], "first.lock (a lock) of measure[1]"),
        (lambda: measure.map([1], scale=unmapped(Locked())), "scale.lock (a lock) of measure"),
        (lambda: task(max)(1, Locked()), "args[1].lock (a lock) of max"),
    ],
)
def test_an_argument_is_named_by_its_parameter_and_the_part_by_its_path(body, part):
    """As whoever wrote the task and the object knows them; nothing of how the engine packs them."""
    assert (
        told_of(body, columns=[[1]])
        == f"argument {part} cannot be pickled: cannot pickle '_thread.lock' object"
    )


def test_an_element_of_a_map_is_named_by_its_index():
    """Counted over the whole map, of which the batch has a part; columns that are made in the batch are left out."""
    told = told_of(lambda: measure.map(range(9), [0] * 9), columns=[3, [0, Locked(), 0]], low=5)
    assert told.startswith("argument rows[0].lock (a lock) of measure[6] cannot be pickled")


def test_a_value_of_another_task_is_named_by_the_argument_that_it_is():
    """Alone, and within a list."""
    values = {0: Locked()}
    assert told_of(lambda: measure(one()), values=values).startswith(
        "argument first.lock (a lock) of measure "
    )
    told = told_of(lambda: measure(0, [one()]), values=values)
    assert told.startswith("argument rows[0][0].lock (a lock) of measure ")


def test_what_is_none_of_the_arguments_is_told_as_it_is():
    """And the error itself travels."""
    told = told_of(lambda: measure(1))
    assert told == "a batch cannot be pickled: odd"
    assert str(pickle.loads(pickle.dumps(unportable([], {}.get, TypeError("odd"))))) == told
