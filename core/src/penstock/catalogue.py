"""What to say of an executor that is not installed: a known one has a remedy, an unknown one a nearest name.

The known ones are data, `catalogue.toml` beside this module. It is read when something is missing, not
before.
"""

from __future__ import annotations

import pkgutil
import tomllib
from collections.abc import Collection, Mapping

import attrs

from penstock.errors import ExecutorLookupError, ExecutorNotInstalledError, UnknownExecutorError
from penstock.names import did_you_mean, nearest, normalise
from penstock.plugins import Plugin, asked_at, canonicalise


@attrs.frozen
class KnownExecutor:
    """An executor that exists somewhere. package: what to `pip install` for it."""

    name: str
    package: str
    summary: str


def known_executors() -> dict[str, KnownExecutor]:
    """The catalogue, by name."""
    data = pkgutil.get_data("penstock", "catalogue.toml") or b""
    tables = tomllib.loads(data.decode("utf-8"))
    return {name: KnownExecutor(normalise(name), **table) for name, table in tables.items()}


def package_of(module: str) -> str | None:
    """The known package that brings a module of that name, if there is one."""
    packages = (known.package for known in known_executors().values())
    return next((package for package in packages if canonicalise(package) == canonicalise(module)), None)


def absent(
    asked: str, origin: str | None, installed: Mapping[str, list[Plugin]], profiles: Collection[str]
) -> ExecutorLookupError:
    """The error for a name, or `distribution/name`, that no plugin provides.

    profiles: the names of those that lead elsewhere than to the plugin of their name.
    """
    known = known_executors()
    names = sorted({*installed, *profiles})
    there = f"there are {', '.join(names)}" if names else "none is installed"
    distribution, _, name = asked.rpartition("/")
    entry = known.get(normalise(name))
    if entry and canonicalise(distribution) in ("", canonicalise(entry.package)):
        install = f"pip install {entry.package}"
        message = f"executor {asked!r} is not installed{asked_at(origin)}; {there}. To have it: {install}"
        return ExecutorNotInstalledError(message, asked=asked, install=install, origin=origin)
    if distribution:
        names = [f"{plugin.distribution}/{plugin.name}" for same in installed.values() for plugin in same]
        near = nearest(asked, names)
    else:
        near = nearest(normalise(asked), {*names, *known})
    hint = did_you_mean(near)
    if near in known and near not in names:
        hint += f" It is not installed: pip install {known[near].package}"
    message = f"there is no executor {asked!r}{asked_at(origin)}; {there}{hint}"
    return UnknownExecutorError(message, asked=asked, origin=origin, known=names, nearest=near)
