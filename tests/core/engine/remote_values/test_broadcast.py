"""What counts as large, and which arguments of a node are the same for each of its calls."""

import sys
from types import SimpleNamespace

import pytest

from turgo import flow, task, unmapped
from turgo.engine.remote_values.broadcast import Broadcast, constants_of, is_large
from turgo.engine.transport.functions import Calls
from turgo.futures import call_now

LEAST = 1000


@task
def one(*values, **more):
    """Whatever."""
    return values


class Sized:
    """Says how many bytes it has."""

    def __init__(self, nbytes):
        self.nbytes = nbytes


class Odd:
    """Does not like to be asked."""

    @property
    def nbytes(self):
        raise RuntimeError("odd")


@pytest.mark.parametrize(
    "value",
    [
        "x" * LEAST,
        bytes(LEAST),
        bytearray(LEAST),
        list(range(LEAST // 8)),
        dict.fromkeys(range(LEAST // 8)),
        [1, bytes(LEAST)],
        {"a": {"b": bytes(LEAST)}},
        Sized(LEAST),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_value_is_large_by_its_bytes_length_or_elements(value):
    """Also where it lies in a small collection."""
    assert is_large(value, LEAST)


@pytest.mark.parametrize(
    "value",
    [1 << 100, 2.5, None, range(10**9), "short", [1, 2], Sized(10), Odd(), [[[bytes(LEAST)]]], [b""] * 100],
    ids=lambda value: type(value).__name__,
)
def test_other_values_are_small(value):
    """Numbers whatever they are; what lies deep, or among many, is not looked for; nobody's error counts."""
    assert not is_large(value, LEAST)


def test_an_object_counts_as_what_the_interpreter_says():
    """Where it says nothing of its bytes itself."""
    value = object()
    assert is_large(value, sys.getsizeof(value)) and not is_large(value, sys.getsizeof(value) + 1)


@pytest.mark.parametrize(
    ("body", "constants"),
    [
        (lambda: one("a", key="b"), ["a", "b"]),
        (lambda: one(one()), []),
        (lambda: one(one(), "a", key="b"), ["a", "b"]),
        (lambda: one.map([1, 2], unmapped("a")), ["a"]),
    ],
)
def test_constants_are_the_arguments_that_no_other_node_makes(body, constants):
    """And that a map does not take apart."""
    assert list(constants_of(flow(body).record().nodes[-1])) == constants


def shipment_of(value):
    """A batch of one node whose argument is a constant, as far as a broadcast looks at it."""
    node = flow(lambda: one(value)).record().nodes[-1]
    calls = Calls(("run", "flow"))
    return SimpleNamespace(pieces=[SimpleNamespace(step=node)], calls=calls, remote=set(), swaps={})


def test_a_large_constant_is_sent_once():
    """Each batch that takes it reads what was sent; what was forgotten is sent again."""
    sent = []

    def send(payload):
        sent.append(payload.open())
        return call_now(str, "there")

    value = bytes(LEAST)
    broadcast = Broadcast(send, 0, None)
    for _ in range(3):
        shipment = shipment_of(value)
        (read,) = broadcast.reads(shipment, LEAST)
        assert read.remote.home == (value,) and read.place == shipment.swaps[id(value)] < -1
    assert sent == [value]
    broadcast.forget()
    assert len(list(broadcast.reads(shipment_of(value), LEAST))) == 1 and len(sent) == 2


def test_what_cannot_be_pickled_is_not_sent():
    """The call that takes it tells of it."""

    class Large:
        nbytes = LEAST

        def __reduce__(self):
            raise TypeError("no")

    assert list(Broadcast(call_now, 0, None).reads(shipment_of(Large()), LEAST)) == []
