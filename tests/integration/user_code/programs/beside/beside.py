"""A flow whose code lies in several files: modules and packages beside it, with and without `__init__.py`."""

import importlib

import gauges
import readings as read
from gauges import FACTOR, scaled
from gauges.deep.levels import Level, bottom, deepest
from loose.inner.rules import rule
from readings import Measured, parsed

from turgo import flow, task


@task
def of_a_module() -> float:
    return parsed("1.5").level


@task
def of_a_module_by_another_name() -> float:
    return read.parsed("2.5").level


@task
def of_a_package() -> float:
    return gauges.scaled(2.0)


@task
def of_a_package_by_its_function() -> float:
    return scaled(FACTOR)


@task
def of_a_package_within() -> float:
    return bottom(Level(4.0))


@task
def of_a_package_from_within() -> tuple[int, float]:
    return deepest()


@task
def of_a_folder_without_init() -> str:
    return rule(3)


@task
def imported_when_it_runs() -> int:
    import gauges.late

    return gauges.late.VALUE


@task
def imported_by_name() -> int:
    return importlib.import_module("gauges.late").VALUE


@task
def with_state() -> list[str]:
    read.SEEN.append("x")
    return list(read.SEEN)


@task
def a_class(reading: Measured) -> bool:
    return isinstance(reading, Measured) and type(reading) is read.Measured


@task
def makes() -> object:
    return Level(1.0)


@task
def modules_are_one() -> bool:
    import readings

    return readings is read and readings.Measured is Measured


task_of_another_file = read.task_beside


@flow
def beside() -> object:
    """Every kind, by name."""
    read.SEEN.clear()  # a run before this one may have changed it
    return {
        "of_a_module": of_a_module(),
        "of_a_module_by_another_name": of_a_module_by_another_name(),
        "of_a_package": of_a_package(),
        "of_a_package_by_its_function": of_a_package_by_its_function(),
        "of_a_package_within": of_a_package_within(),
        "of_a_package_from_within": of_a_package_from_within(),
        "of_a_folder_without_init": of_a_folder_without_init(),
        "imported_when_it_runs": imported_when_it_runs(),
        "imported_by_name": imported_by_name(),
        "with_state": with_state(),
        "a_class": a_class(Measured(1.0)),
        "a_class_of_a_task": read.judged(makes()),
        "modules_are_one": modules_are_one(),
        "task_of_another_file": task_of_another_file(3),
        "function_of_another_file": task(scaled)(3.0),
    }


RIGHT = {
    "of_a_module": 1.5,
    "of_a_module_by_another_name": 2.5,
    "of_a_package": 6.0,
    "of_a_package_by_its_function": 9.0,
    "of_a_package_within": 12.0,
    "of_a_package_from_within": (2, 9.0),
    "of_a_folder_without_init": "rule 3",
    "imported_when_it_runs": 7,
    "imported_by_name": 7,
    "with_state": ["x"],
    "a_class": True,
    "a_class_of_a_task": True,
    "modules_are_one": True,
    "task_of_another_file": 6,
    "function_of_another_file": 9.0,
}

if __name__ == "__main__":
    print(beside())
