"""Observers that other distributions bring, from the entry-point group `penstock.observers`.

An entry point names a module, a class (which is called without arguments) or an object that implements some
of the hooks. One that does not load is reported and left out: an observer is a convenience, the run is
the work.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import EntryPoint

import attrs

from penstock.errors import ObserverError
from penstock.hooks import OBSERVERS_GROUP
from penstock.listening import manager_of
from penstock.metadata import entry_points


@attrs.frozen
class LoadedObserver:
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
        distribution = f"{entry.dist.name} {entry.dist.version}" if entry.dist else "an unknown distribution"
        try:
            yield LoadedObserver(entry.name, distribution, _load(entry))
        except ObserverError as error:
            yield LoadedObserver(entry.name, distribution, problem=str(error))
        except Exception as error:  # noqa: BLE001  (foreign code, which may do anything on import)
            yield LoadedObserver(entry.name, distribution, problem=f"{type(error).__name__}: {error}")


def _load(entry: EntryPoint) -> object:
    found = entry.load()
    observer: object = found() if isinstance(found, type) else found
    manager_of(observer)  # to find what is wrong with it before a run does
    return observer
