"""Finds installed plugins: entry points of `turgo.executors` and the specs behind them.

    installed()      names, from metadata alone
    find_plugin()    the one of a name; an error names the distributions, or the package to install
    Plugin.spec()    imports its light module and no other
    import_target()  imports the class that the spec points to

A plugin that does not load is a record with a reason, and breaks nothing but its own use.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import pluggy

from turgo import hooks
from turgo.contract.versions import API_VERSION, remedy_for
from turgo.errors import (
    ApiVersionError,
    BrokenPluginError,
    DuplicateExecutorError,
    ExecutorImportError,
    ExecutorLookupError,
    ExecutorNotInstalledError,
    NotAnExecutorError,
    UnknownExecutorError,
)
from turgo.executor import Executor, ExecutorSpec
from turgo.install import pip_install
from turgo.names import canonicalise, did_you_mean, nearest, normalise, reason_of, unfit_name
from turgo.registry.asked import Asked, Name
from turgo.registry.classpath import load_class
from turgo.registry.entry_points import InstalledEntryPoint, entry_points


class Plugin(NamedTuple):
    """One installed entry point, not imported.

    name: its own, normalised; unfit: why nobody can ask for it by that name, in words, or empty.
    """

    name: str
    entry_point: InstalledEntryPoint
    unfit: str

    @property
    def distribution(self) -> str:
        """The package that it belongs to."""
        return self.entry_point.distribution

    @property
    def version(self) -> str:
        """The version of that package."""
        return self.entry_point.version

    def comes_from(self, distribution: str) -> bool:
        """Whether that is its distribution: `Turgo.Dask` and `turgo-dask` are one to installers."""
        return canonicalise(self.distribution) == canonicalise(distribution)

    def spec(self, asked: Asked) -> ExecutorSpec:
        """Import the light module and return the spec of this name; errors quote `asked`.

        Raises BrokenPluginError if it does not load or does not know the name, and ApiVersionError if it was
        written for another version of the contract.
        """
        if self.unfit:
            raise self.broken(f"nobody can ask for that name: {self.unfit}", asked)
        try:
            specs = list(_specs_of(self.entry_point))
        except (Exception, SystemExit) as error:
            raise self.broken(reason_of(error), asked) from error
        for spec in specs:
            if spec.name == self.name or normalise(spec.name) == self.name:
                self._check_version(spec, asked)
                return spec
        there = ", ".join(repr(spec.name) for spec in specs) or "nothing"
        reason = f"{self.entry_point.value} was to describe an executor {self.name!r} and describes {there}"
        raise self.broken(reason, asked)

    def broken(self, reason: str, asked: Asked) -> BrokenPluginError:
        """The error that says that this plugin, of that distribution, does not load, and why."""
        message = (
            f"the plugin of executor {self.name!r}, from {self.distribution} {self.version}, does not load"
            f"{asked.by}: {reason}"
        )
        return asked.error(BrokenPluginError, message, distribution=self.distribution, reason=reason)

    def _check_version(self, spec: ExecutorSpec, asked: Asked) -> None:
        if spec.api_version != API_VERSION:
            older = remedy_for(spec.api_version, self.distribution)
            message = (
                f"executor {self.name!r} of {self.distribution} {self.version} was written for version "
                f"{spec.api_version} of the executor contract, and this turgo understands {API_VERSION}"
                f"{asked.by}: {pip_install(older, upgrade=True)}"
            )
            raise asked.error(ApiVersionError, message, target=spec.target, api_version=spec.api_version)


class PluginRecord(NamedTuple):
    """A line of `turgo executors list`. spec is None where the plugin is broken, which says why.

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


def installed(path: Sequence[str] | None = None) -> Mapping[str, list[Plugin]]:
    """The plugins of each name, from metadata alone; more than one where distributions quarrel.

    path: folders to look in; those of `sys.path` if not given.
    """
    return _by_name(entry_points(group=hooks.EXECUTORS_GROUP, path=path))


@lru_cache(maxsize=4)
def _by_name(there: tuple[InstalledEntryPoint, ...]) -> Mapping[str, list[Plugin]]:
    """Every run asks for it, of entry points that rarely change. Nobody may change what it gives."""
    found: dict[str, list[Plugin]] = {}
    for each in there:
        plugin = Plugin(normalise(each.name), each, unfit_name(each.name))
        found.setdefault(plugin.name, []).append(plugin)
    return dict(sorted(found.items()))


def _specs_of(entry_point: InstalledEntryPoint) -> Iterator[ExecutorSpec]:
    manager = pluggy.PluginManager(hooks.PROJECT)
    manager.add_hookspecs(hooks.ExecutorHooks)
    manager.register(entry_point.load(), entry_point.name)
    if not manager.hook.turgo_executors.get_hookimpls():
        raise LookupError(f"{entry_point.value} does not implement the hook turgo_executors under @hookimpl")
    for specs in manager.hook.turgo_executors():
        yield from map(_checked, list(specs))


def _checked(spec: Any) -> ExecutorSpec:
    if not isinstance(spec, ExecutorSpec):
        raise TypeError(f"turgo_executors() yields {spec!r}, which is no ExecutorSpec")
    return spec


def find_plugin(
    name: Name, asked: Asked, installed: Mapping[str, list[Plugin]], profiles: Collection[str]
) -> Plugin:
    """The plugin of a name, or of `distribution/name`; nothing is imported.

    profiles: names that an error lists beside those of plugins. Raises UnknownExecutorError,
    ExecutorNotInstalledError or DuplicateExecutorError.
    """
    same = [
        plugin
        for plugin in installed.get(name.name, [])
        if not name.distribution or plugin.comes_from(name.distribution)
    ]
    if not same:
        raise absent(name, asked, installed, profiles)
    if len(same) > 1:
        choices = " or ".join(f"{plugin.distribution}/{plugin.name}" for plugin in same)
        distributions = [plugin.distribution for plugin in same]
        message = (
            f"executor {asked.text!r} is provided by {' and by '.join(distributions)}{asked.by}: "
            f"ask for {choices}, or uninstall one of them"
        )
        raise asked.error(DuplicateExecutorError, message, distributions=distributions)
    return same[0]


def absent(
    name: Name, asked: Asked, installed: Mapping[str, list[Plugin]], profiles: Collection[str]
) -> ExecutorLookupError:
    """The error for a name that no plugin provides: a known one has a remedy, an unknown one a nearest name.

    profiles: the names of those that lead elsewhere than to the plugin of their name.
    """
    from turgo.registry.catalogue import known_executors  # late: only what is missing is looked up in them
    from turgo.registry.ways import way_hint

    known = known_executors()
    names = sorted({*installed, *profiles})
    shown = [
        each if each.isprintable() else repr(each) for each in names
    ]  # that of a profile may be any text
    there = f"there are {', '.join(shown)}" if names else "none is installed"
    entry = known.get(name.name)
    if entry and canonicalise(name.distribution) in ("", canonicalise(entry.package)):
        install = pip_install(entry.package)
        message = f"executor {asked.text!r} is not installed{asked.by}; {there}. To have it: {install}"
        return asked.error(ExecutorNotInstalledError, message, install=install)
    if name.distribution:
        names = [f"{plugin.distribution}/{plugin.name}" for same in installed.values() for plugin in same]
        near = nearest(asked.text, names)
    else:
        near = nearest(name.name, {*names, *known})
    hint = did_you_mean(near)
    if near in known and near not in names:
        hint += f" It is not installed: {pip_install(known[near].package)}"
    hint = way_hint(name) or hint
    message = f"there is no executor {asked.text!r}{asked.by}; {there}{hint}"
    return asked.error(UnknownExecutorError, message, known=names, nearest=near)


def import_target(plugin: Plugin, spec: ExecutorSpec, asked: Asked) -> type[Executor]:
    """Import the class that a spec points to.

    Raises BrokenPluginError, NotAnExecutorError or ApiVersionError.
    """
    try:
        cls = _class_of(spec)
    except (ExecutorImportError, ExecutorNotInstalledError) as error:
        remedy = f". To mend it: {pip_install(spec.install or plugin.distribution, upgrade=True)}"
        raise plugin.broken(f"{error}{remedy}", asked) from error
    except NotAnExecutorError as error:
        message = f"the plugin of {plugin.distribution} {plugin.version} is wrong{asked.by}: {error}"
        raise asked.error(NotAnExecutorError, message) from None
    except ApiVersionError as error:  # of the class, whatever its spec said
        fault = f"the plugin of {plugin.distribution} {plugin.version} does not fit{asked.by}"
        raise asked.error(
            ApiVersionError, f"{fault}: {error}", target=error.target, api_version=error.api_version
        ) from None
    return cls


def provider_of(cls: type) -> str:
    """Who a class is from, as messages name it: the distribution of its plugin, or else its module."""
    package = cls.__module__.partition(".")[0]
    for same in installed().values():
        for plugin in same:
            if plugin.entry_point.module.partition(".")[0] == package:
                return f"{plugin.distribution} {plugin.version}"
    return cls.__module__


def _class_of(spec: ExecutorSpec) -> type[Executor]:
    asked = Asked(spec.target)
    target = asked.target
    if isinstance(target, Name):
        message = f"{spec.target!r} is no class path: write pkg.mod:Class"
        raise asked.error(ExecutorImportError, message)
    return load_class(target, asked)


def record_of(plugin: Plugin, *, duplicate: bool) -> PluginRecord:
    """What `turgo executors list` says of a plugin; a broken one is a record too."""
    spec, broken = None, None
    try:
        spec = plugin.spec(Asked(plugin.name))
    except BrokenPluginError as error:
        broken = error.reason
    except ApiVersionError as error:
        broken = str(error)
    return PluginRecord(
        plugin.name,
        plugin.distribution,
        plugin.version,
        spec,
        broken,
        duplicate,
        plugin.entry_point.module,
    )
