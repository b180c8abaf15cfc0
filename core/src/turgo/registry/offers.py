"""Finds executors that would offer what a flow requires, as they are set here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from turgo.names import normalise
from turgo.registry.resolve import Registry


def executors_that_offer(requires: Iterable[str], registry: Registry) -> list[str]:
    """The names of profiles and plugins that offer all of it, each made with the options that are set for it.

    Imports every installed executor, so it is for an error that is about to be raised. One that cannot be made offers
    nothing.
    """
    needed = tuple(requires)
    return sorted(name for name in _names(registry) if _offers(name, needed, registry))


def _names(registry: Registry) -> Iterator[str]:
    profiles = registry.config.profiles
    yield from profiles
    for plugin in registry.plugins():
        if plugin.broken is None and (plugin.duplicate or normalise(plugin.name) not in profiles):
            yield f"{plugin.distribution}/{plugin.name}" if plugin.duplicate else plugin.name


def _offers(name: str, needed: tuple[str, ...], registry: Registry) -> bool:
    try:
        executor = registry.resolve(name).build()
        return all(executor.offers(requirement) for requirement in needed)
    except (Exception, SystemExit):  # noqa: BLE001  (foreign code; that executor is no remedy)
        return False
