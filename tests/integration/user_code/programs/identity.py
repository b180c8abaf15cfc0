"""A station's model that tasks and flows pickle, give to processes of their own, and use from within other tasks."""

import multiprocessing
import pickle
import subprocess
import sys
import typing
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool

from turgo import flow, task


class Curve:
    """What is kept: a class with slots, and a function of it."""

    __slots__ = ("bed",)

    def __init__(self, bed: float) -> None:
        self.bed = bed

    def __eq__(self, other: object) -> bool:
        return type(other) is Curve and other.bed == self.bed

    __hash__ = None

    class Point:
        """Within."""

        def __eq__(self, other: object) -> bool:
            return type(other) is Curve.Point

        __hash__ = None


class Kept(type):
    """A metaclass whose registry holds the classes themselves."""

    classes: typing.ClassVar[dict[str, type]] = {}

    def __new__(cls, name: str, bases: tuple[type, ...], body: dict[str, object]) -> type:
        made = super().__new__(cls, name, bases, body)
        if name in cls.classes:
            raise RuntimeError(f"{name} is made twice")
        cls.classes[name] = made
        return made


class Weir(metaclass=Kept):
    """In it."""


def discharge(curve: Curve) -> float:
    return curve.bed * 2


SETTINGS = {"runs": 0}


@task
def pickled(value: object) -> bytes:
    return pickle.dumps(value)


@task
def loaded(text: bytes) -> bool:
    return pickle.loads(text) == [Curve(1.5), Curve.Point(), Curve, discharge]


@task
def same_class(curve: Curve) -> bool:
    return type(curve) is Curve and curve == Curve(1.5)


@task
def makes_curve() -> object:
    return Curve(1.5)


@task
def classes_of_a_metaclass() -> bool:
    return Kept.classes == {"Weir": Weir}


@task
def changed_global(runs: int) -> bool:
    return SETTINGS["runs"] == runs


@task(retries=1, tags=["curve"])
def within(curve: Curve) -> float:
    return discharge(curve)


class Bank:
    """A class with a task and a flow."""

    def __init__(self, side: int) -> None:
        self.side = side

    @task
    def slope(self, by: int) -> int:
        return self.side * by

    @flow
    def slopes(self) -> object:
        return self.slope.map([1, 2])


@task
def task_in_a_task() -> tuple[float, float, float, int, str, str]:
    other = within.with_options(retries=0)
    called = (within(Curve(1.5)), within.fn(Curve(2.0)), other(Curve(2.5)), Bank(3).slope(2))
    return *called, within.name, within.__name__


@task
def gives_a_task() -> object:
    return within


@task
def given_a_task(found: typing.Any) -> tuple[str, float]:
    return found.name, found(Curve(1.5))


@task
def in_a_spawned_process() -> list[float] | str:
    try:
        with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
            return list(pool.map(discharge, [Curve(1.0), Curve(2.0)]))
    except BrokenProcessPool as error:  # in a notebook there is no file to import
        return type(error).__name__


IMPORTS = """
import importlib, sys
for name in sys.argv[1:]:
    try:
        importlib.import_module(name)
        print(name.rpartition(".")[2])
    except ImportError as error:
        print("no", error.name)
"""


@task
def in_another_interpreter() -> list[str]:
    import gauges.deep.levels  # so that it is shipped with this call: a child finds what was shipped before it began

    asked = [
        Curve.__module__,
        gauges.deep.levels.__name__,
    ]  # the second one is beside the flow, and needs no turgo
    done = subprocess.run(
        [sys.executable, "-c", IMPORTS, *asked], capture_output=True, text=True, timeout=100
    )
    return done.stdout.splitlines()


@flow
def identity() -> object:
    """Every kind, by name."""
    SETTINGS["runs"] += 1
    kept = [Curve(1.5), Curve.Point(), Curve, discharge]
    return {
        "pickled_by_a_flow": pickle.dumps(kept),
        "pickled_by_a_task": pickled(kept),
        "loaded_by_a_task": loaded(pickle.dumps(kept)),
        "same_class": same_class(makes_curve()),
        "classes_of_a_metaclass": classes_of_a_metaclass(),
        "changed_global": changed_global(SETTINGS["runs"]),
        "task_in_a_task": task_in_a_task(),
        "given_a_task": given_a_task(gives_a_task()),
        "flow_in_a_class": Bank(4).slopes(),
        "in_another_interpreter": in_another_interpreter(),
        "in_a_spawned_process": in_a_spawned_process(),
    }


RIGHT = {
    "pickled_by_a_flow": True,
    "pickled_by_a_task": True,
    "loaded_by_a_task": True,
    "same_class": True,
    "classes_of_a_metaclass": True,
    "changed_global": True,
    "task_in_a_task": (3.0, 4.0, 5.0, 6, "within", "within"),
    "given_a_task": ("within", 3.0),
    "flow_in_a_class": [4, 8],
    "in_another_interpreter": ["whole", "levels"],
    "in_a_spawned_process": [2.0, 4.0],
}

if __name__ == "__main__":
    print(identity())
