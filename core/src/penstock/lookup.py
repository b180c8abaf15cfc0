"""One plugin among those that are installed, and the class that it points to.

The faults found here are the distribution's, or of two distributions; each error names it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from penstock.catalogue import absent
from penstock.classpath import load_class
from penstock.errors import (
    ApiVersionError,
    BrokenPluginError,
    DuplicateExecutorError,
    ExecutorImportError,
    ExecutorNotInstalledError,
    NotAnExecutorError,
)
from penstock.executor import Executor, ExecutorSpec
from penstock.names import normalise
from penstock.plugins import Plugin, PluginRecord, asked_at


def find_plugin(
    asked: str, origin: str | None, installed: Mapping[str, list[Plugin]], profiles: Collection[str]
) -> Plugin:
    """The plugin of a name, or of `distribution/name`; nothing is imported.

    profiles: names that an error lists beside those of plugins. Raises UnknownExecutorError,
    ExecutorNotInstalledError or DuplicateExecutorError.
    """
    distribution, _, name = asked.rpartition("/")
    same = [
        plugin
        for plugin in installed.get(normalise(name), [])
        if not distribution or plugin.comes_from(distribution)
    ]
    if not same:
        raise absent(asked, origin, installed, profiles)
    if len(same) > 1:
        choices = " or ".join(f"{plugin.distribution}/{plugin.name}" for plugin in same)
        raise DuplicateExecutorError(
            f"executor {name!r} is provided by {' and by '.join(plugin.distribution for plugin in same)}"
            f"{asked_at(origin)}: ask for {choices}, or uninstall one of them",
            asked=asked,
            distributions=[plugin.distribution for plugin in same],
            origin=origin,
        )
    return same[0]


def import_target(plugin: Plugin, spec: ExecutorSpec, asked: str, origin: str | None) -> type[Executor]:
    """Import the class that a spec points to.

    Raises BrokenPluginError, NotAnExecutorError or ApiVersionError.
    """
    try:
        cls = load_class(spec.target)
    except (ExecutorImportError, ExecutorNotInstalledError) as error:
        remedy = f". To mend it: pip install --upgrade {spec.install or plugin.distribution}"
        raise plugin.broken(f"{error}{remedy}", asked=asked, origin=origin) from error
    except NotAnExecutorError as error:
        message = f"the plugin of {plugin.distribution} {plugin.version} is wrong{asked_at(origin)}: {error}"
        raise NotAnExecutorError(message, asked=asked, origin=origin) from None
    except ApiVersionError as error:  # of the class, whatever its spec said
        fault = f"the plugin of {plugin.distribution} {plugin.version} does not fit{asked_at(origin)}"
        raise ApiVersionError(f"{fault}: {error}", asked=asked, origin=origin) from None
    if spec.api_version < cls.api_version:  # the class would be taken for a newer one, and not be made to fit
        raise plugin.broken(
            f"its spec is for version {spec.api_version} of the executor contract, and {spec.target} for "
            f"{cls.api_version}: write api_version = {spec.api_version} in the class",
            asked=asked,
            origin=origin,
        )
    return cls


def record_of(plugin: Plugin, *, duplicate: bool) -> PluginRecord:
    """What `penstock executors list` says of a plugin; a broken one is a record too."""
    spec, broken = None, None
    try:
        spec = plugin.spec()
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
        plugin.entry_point.value.partition(":")[0],
    )
