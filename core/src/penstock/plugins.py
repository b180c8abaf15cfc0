"""What is installed: entry points of the group `penstock.executors`, and the specs behind them.

Names come from metadata alone. Asking for the spec of one plugin imports its light module and no other; one
that does not load is a record with a reason, and breaks nothing but its own use.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from importlib.metadata import EntryPoint
from typing import Any

import attrs
import pluggy

from penstock import hooks
from penstock.errors import ApiVersionError, BrokenPluginError
from penstock.executor import ExecutorSpec
from penstock.metadata import entry_points
from penstock.names import normalise
from penstock.versions import API_VERSION, OLDEST_API_VERSION, remedy_for

EntryPoints = Callable[..., Iterable[EntryPoint]]
"""Called with `group=…`, as `importlib.metadata.entry_points` is."""


@attrs.frozen
class Plugin:
    """One installed entry point, not imported. distribution, version: of the package that it came with."""

    name: str
    distribution: str
    version: str
    entry_point: EntryPoint

    def comes_from(self, distribution: str) -> bool:
        """Whether that is its distribution: `Penstock.Dask` and `penstock-dask` are one to installers."""
        return canonicalise(self.distribution) == canonicalise(distribution)

    def spec(self, *, asked: str | None = None, origin: str | None = None) -> ExecutorSpec:
        """Import the light module and ask it for the spec of this name.

        Raises BrokenPluginError if it does not load or does not know the name, and ApiVersionError if it was
        written for another version of the contract. `asked` and `origin` go into the error.
        """
        try:
            specs = list(_specs_of(self.entry_point))
        except (Exception, SystemExit) as error:
            raise self.broken(reason_of(error), asked=asked, origin=origin) from error
        for spec in specs:
            if normalise(spec.name) == self.name:
                self._check_version(spec, asked=asked, origin=origin)
                return spec
        there = ", ".join(repr(spec.name) for spec in specs) or "nothing"
        reason = f"{self.entry_point.value} was to describe an executor {self.name!r} and describes {there}"
        raise self.broken(reason, asked=asked, origin=origin)

    def broken(self, reason: str, *, asked: str | None, origin: str | None) -> BrokenPluginError:
        """The error that says that this plugin, of that distribution, does not load, and why."""
        return BrokenPluginError(
            f"the plugin of executor {self.name!r}, from {self.distribution} {self.version}, does not load"
            f"{asked_at(origin)}: {reason}",
            asked=asked or self.name,
            distribution=self.distribution,
            reason=reason,
            origin=origin,
        )

    def _check_version(self, spec: ExecutorSpec, *, asked: str | None, origin: str | None) -> None:
        older = remedy_for(spec.api_version, self.distribution)
        if older:
            raise ApiVersionError(
                f"executor {self.name!r} of {self.distribution} {self.version} was written for version "
                f"{spec.api_version} of the executor contract, and this penstock understands "
                f"{OLDEST_API_VERSION} to {API_VERSION}{asked_at(origin)}: pip install --upgrade {older}",
                asked=asked or self.name,
                origin=origin,
            )


@attrs.frozen
class PluginRecord:
    """A line of `penstock executors list`. spec is None where the plugin is broken, which says why.

    duplicate: another distribution provides the same name, so that `distribution/name` must be asked for.
    module: the light module that describes it.
    """

    name: str
    distribution: str
    version: str
    spec: ExecutorSpec | None
    broken: str | None
    duplicate: bool
    module: str


def installed(entry_points: EntryPoints = entry_points) -> dict[str, list[Plugin]]:
    """The plugins of each name, from metadata alone; more than one where distributions quarrel."""
    found: dict[str, list[Plugin]] = {}
    for entry_point in entry_points(group=hooks.EXECUTORS_GROUP):
        distribution = entry_point.dist
        plugin = Plugin(
            normalise(entry_point.name),
            distribution.name if distribution else "an unknown distribution",
            distribution.version if distribution else "?",
            entry_point,
        )
        found.setdefault(plugin.name, []).append(plugin)
    return dict(sorted(found.items()))


def canonicalise(distribution: str) -> str:
    """The one form of a distribution's name, as PEP 503 has it."""
    return re.sub(r"[-_.]+", "-", distribution.strip()).lower()


def asked_at(origin: str | None) -> str:
    """The part of a message that says where it was asked."""
    return f" (asked by {origin})" if origin else ""


def reason_of(error: BaseException) -> str:
    """An error on one line: its type and what it says."""
    return f"{type(error).__name__}: {error}".rstrip(": ")


def _specs_of(entry_point: EntryPoint) -> Iterator[ExecutorSpec]:
    manager = pluggy.PluginManager(hooks.PROJECT)
    manager.add_hookspecs(hooks.ExecutorHooks)
    manager.register(entry_point.load(), entry_point.name)
    if not manager.hook.penstock_executors.get_hookimpls():
        raise LookupError(
            f"{entry_point.value} does not implement the hook penstock_executors under @hookimpl"
        )
    for specs in manager.hook.penstock_executors():
        for spec in specs:
            yield _checked(spec)


def _checked(spec: Any) -> ExecutorSpec:
    if not isinstance(spec, ExecutorSpec):
        raise TypeError(f"penstock_executors() yields {spec!r}, which is no ExecutorSpec")
    return spec
