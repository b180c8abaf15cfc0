"""The executors that are known to exist, installed or not. Each has a name, a package, a summary.

They are data, `catalogue.toml` at the root of the package. It is read when something is missing, not before.
"""

from __future__ import annotations

import pkgutil
import tomllib

import attrs

from turgo.names import canonicalise, normalise


@attrs.frozen
class KnownExecutor:
    """An executor that exists somewhere. package: what to `pip install` for it."""

    name: str
    package: str
    summary: str


def known_executors() -> dict[str, KnownExecutor]:
    """The catalogue, by name."""
    data = pkgutil.get_data("turgo", "catalogue.toml") or b""
    tables = tomllib.loads(data.decode("utf-8"))
    return {name: KnownExecutor(normalise(name), **table) for name, table in tables.items()}


def package_of(module: str) -> str | None:
    """The known package that provides a module of that name, if there is one."""
    packages = (known.package for known in known_executors().values())
    return next((package for package in packages if canonicalise(package) == canonicalise(module)), None)
