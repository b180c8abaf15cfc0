"""Installed observers: those that distributions register in the entry-point group `turgo.observers`.

An entry point names a module, a class (which is called without arguments) or an object that implements some
of the hooks. One that does not load is reported and left out: an observer is a convenience, the run is
the work.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from turgo.errors import ObserverError
from turgo.hooks import OBSERVERS_GROUP
from turgo.observers.dispatch import manager_of
from turgo.registry.entry_points import InstalledEntryPoint, entry_points


class LoadedObserver(NamedTuple):
    """An observer that is installed. name: of its entry point; distribution: `name version`.

    observer: the object that implements the hooks, or None; problem: why it is None, in words.
    """

    name: str
    distribution: str
    observer: object | None = None
    problem: str = ""


def installed_observers() -> Iterator[LoadedObserver]:
    """Load every observer that is installed, broken ones too. Imports their modules: for a run only."""
    for entry in sorted(entry_points(group=OBSERVERS_GROUP), key=lambda entry: entry.name):
        distribution = f"{entry.distribution} {entry.version}"
        try:
            yield LoadedObserver(entry.name, distribution, _load(entry))
        except ObserverError as error:
            yield LoadedObserver(entry.name, distribution, problem=str(error))
        except Exception as error:  # noqa: BLE001  (foreign code, which may do anything on import)
            yield LoadedObserver(entry.name, distribution, problem=f"{type(error).__name__}: {error}")


def usable_observers(warn: Callable[[str], None]) -> Iterator[object]:
    """Those of the installed observers that loaded. warn: is called with a sentence for each of the others."""
    for each in installed_observers():
        if each.observer is not None:
            yield each.observer
        else:
            warn(f"the observer {each.name!r} of {each.distribution} is left out: {each.problem}")


def _load(entry: InstalledEntryPoint) -> object:
    found = entry.load()
    observer: object = found() if isinstance(found, type) else found
    manager_of(observer)  # to find what is wrong with it before a run does
    return observer
