"""Classes of a flow that come back, in a pickle, to the process that has pickled them."""

from __future__ import annotations

import enum
import gc
import pickle
from typing import Any, ClassVar

import pytest

from turgo import task
from turgo.engine.transport.flow_code import FlowCode
from turgo.engine.transport.pickler import CodePickler


class Watched(type):
    """Notes what is set in its classes."""

    found: ClassVar[list[str]] = []

    def __setattr__(cls, name: str, value: Any) -> None:
        Watched.found.append(name)
        super().__setattr__(name, value)


class Model(metaclass=Watched):
    threshold = 1

    class Part:
        size = 1


class Colour(enum.Enum):
    RED = 1

    def shout(self) -> str:
        return self.name


@task
def here() -> None:
    """Its module is the flow's."""


def dumps(value: Any) -> bytes:
    return CodePickler(None, FlowCode({here})).dumps(value)


def test_nothing_is_set_in_a_class_of_the_driver() -> None:
    """Another thread could not pickle it while `__firstlineno__`, which is set twice, is away."""
    blob = dumps((Model, Model()))
    Watched.found.clear()
    cls, made = pickle.loads(blob)
    assert cls is Model is type(made) and Watched.found == []


def test_a_class_of_the_driver_keeps_what_was_set_since(monkeypatch: pytest.MonkeyPatch) -> None:
    """As its module does: what a worker in the driver's process unpickles is older."""

    class Local:
        size = 1

    blob = dumps((Model, Model.Part, Local, Colour))
    monkeypatch.setattr(Model, "threshold", 2)
    monkeypatch.setattr(Model.Part, "size", 2)
    monkeypatch.setattr(Colour, "shout", lambda self: "changed")
    Local.size = 2
    assert pickle.loads(blob) == (Model, Model.Part, Local, Colour)
    assert Model.threshold == Model.Part.size == Local.size == 2 and Colour.RED.shout() == "changed"


def test_a_class_that_has_gone_is_made_whole_again() -> None:
    """Also an enum; the same one however often it is unpickled."""

    def blob() -> bytes:
        class Local:
            def twice(self, number: int) -> int:
                return 2 * number

        class Mood(enum.Enum):
            GLAD = 1

            def shout(self) -> str:
                return self.name

        return dumps((Local, Mood))

    packed = blob()
    gc.collect()
    local, mood = pickle.loads(packed)
    assert local().twice(2) == 4 and mood.GLAD.shout() == "GLAD"
    assert pickle.loads(packed) == (local, mood) and local().twice(3) == 6 and mood.GLAD.shout() == "GLAD"
