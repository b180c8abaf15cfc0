"""Resolves a text to an executor: name or class path -> spec -> class -> instance.

    names()     metadata only              spec()    imports one light module
    resolve()   imports one executor       build()   makes one; nothing is opened before `start()`

A name is that of a profile first, then of a plugin; `distribution/name` is the plugin of that distribution.
There is no fall-back: what leads to nothing is an error, which `plugins.absent` words.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from turgo.config.load import Config, Profile, load_config
from turgo.config.ownership import TRUST_HINT
from turgo.config.settings import Origin, Setting, overlay
from turgo.errors import (
    BrokenPluginError,
    ConfigError,
    ExecutorLookupError,
    OptionError,
    UnknownExecutorError,
    UntrustedCodeError,
)
from turgo.executor import Executor, ExecutorLike, ExecutorSpec
from turgo.names import reason_of
from turgo.registry.asked import Asked, FilePath, Name
from turgo.registry.classpath import check_class, load_class
from turgo.registry.entry_points import DamagedDistribution, damaged
from turgo.registry.options import check_options, option_specs
from turgo.registry.plugins import (
    Plugin,
    PluginRecord,
    find_plugin,
    import_target,
    installed,
    record_of,
)

CODE = Origin("argument", "executor")
"""The origin of what is handed over in code."""


class Resolved(NamedTuple):
    """An executor that was found and not made.

    spec: of its plugin; options: what is set, and where; provider: the distribution of its plugin, or else its module.
    """

    cls: type[Executor]
    spec: ExecutorSpec | None
    options: Mapping[str, Setting]
    name: str
    provider: str

    def build(self) -> Executor:
        """Make it. Raises OptionError for an option that is unknown, ill-typed, missing or refused.

        Raises BrokenPluginError for one that fails in any other way, or whose capabilities make no sense.
        """
        label = self.spec.name if self.spec else self.cls.__name__
        values = check_options(self.cls, self.options, executor=label)
        try:
            executor = self.cls(**values)
            capabilities: object = executor.capabilities
        except OptionError as error:
            setting = self.options.get(error.option)
            if setting is not None and str(setting.origin) not in str(error):
                error.args = (f"{error} ({setting.origin})",)
            raise
        except (TypeError, ValueError, ImportError) as error:
            given = ", ".join(f"{name}={value!r}" for name, value in values.items()) or "none"
            message = f"{label} refuses its options ({given}): {reason_of(error)}"
            raise OptionError(message, option=", ".join(values), executor=label) from error
        except (Exception, SystemExit) as error:  # foreign code, which may do anything
            raise self._broken(reason_of(error)) from error
        if not isinstance(capabilities, AbstractSet):
            raise self._broken(f"its capabilities are {capabilities!r}, and no set of names")
        return executor

    def _broken(self, reason: str) -> BrokenPluginError:
        message = f"the executor {self.name!r}, from {self.provider}, cannot be made: {reason}"
        return BrokenPluginError(message, asked=self.name, distribution=self.provider, reason=reason)


class Registry:
    """What can be asked for here. Make one and pass it; nothing is read before it is needed.

    config: profiles and options (default: `load_config()`); path: the folders where distributions are installed
        (default: those of `sys.path`).
    """

    def __init__(self, config: Config | None = None, path: Sequence[str] | None = None) -> None:
        self._given = config
        self._path = path

    @cached_property
    def config(self) -> Config:
        """The configuration that holds. Raises ConfigError if it is malformed."""
        return self._given or load_config()

    @cached_property
    def _installed(self) -> Mapping[str, list[Plugin]]:
        return installed(self._path)

    def names(self) -> tuple[str, ...]:
        """The names of the installed executors, normalised and sorted. Reads metadata, imports nothing."""
        return tuple(self._installed)

    def damaged(self) -> tuple[DamagedDistribution, ...]:
        """The installed distributions whose metadata cannot be read, ours or not."""
        return damaged(self._path)

    def plugins(self) -> list[PluginRecord]:
        """Every installed plugin with its spec, or why it has none. Imports light modules, no executor."""
        return [
            record_of(plugin, duplicate=len(same) > 1) for same in self._installed.values() for plugin in same
        ]

    def spec(self, name: str, *, origin: Origin | None = None) -> ExecutorSpec:
        """The spec of a plugin, `dask` or `turgo-dask/dask`. Imports its light module, and no executor."""
        asked = Asked(name, origin)
        target = asked.target
        if not isinstance(target, Name):
            raise asked.error(UnknownExecutorError, f"{name!r} is a class path, not a name{asked.by}")
        return self._plugin(target, asked).spec(asked)

    def resolve(self, asked: ExecutorLike, *, origin: Origin = CODE) -> Resolved:
        """Import the class that was asked for, and gather the options that are set for it.

        Raises an ExecutorLookupError that says what was asked, where, and what would mend it.
        """
        if isinstance(asked, Mapping):
            return self._resolve_mapping(asked, origin)
        if isinstance(asked, type):
            cls = check_class(asked, Asked(asked.__name__, origin))
            return self._resolved(cls, None, {}, asked.__name__)
        if not isinstance(asked, str):
            wrong = Asked(repr(asked), origin)
            raise wrong.error(
                ExecutorLookupError,
                f"expected a name, class path, mapping or executor{wrong.by}, got {asked!r}",
            )
        return self._resolve_text(Asked(asked, origin))

    def file_of(self, asked: str, *, origin: Origin = CODE) -> Path | None:
        """The file that a text leads to, by way of profiles; None if it leads to anything else. Imports nothing."""
        target = self._follow(Asked(asked, origin))[0].target
        return target.file if isinstance(target, FilePath) else None

    def _resolve_text(self, asked: Asked) -> Resolved:
        end, options = self._follow(asked)
        target = end.target
        if not isinstance(target, Name):
            _check_trust(end)
            return self._resolved(load_class(target, end), None, options, asked.label)
        plugin = self._plugin(target, end)
        spec = plugin.spec(end)
        cls = import_target(plugin, spec, end)
        provider = f"{plugin.distribution} {plugin.version}"
        return self._resolved(cls, spec, options, asked.label, provider)

    def _resolve_mapping(self, mapping: Mapping[str, Any], origin: Origin) -> Resolved:
        if not isinstance(mapping.get("use"), (str, type)):
            asked = Asked(repr(dict(mapping)), origin)
            message = f"the mapping {asked.text} names no executor{asked.by}: it needs the key 'use', "
            raise asked.error(UnknownExecutorError, f"{message}a name or a class path")
        resolved = self.resolve(mapping["use"], origin=origin)
        options = dict(resolved.options)
        for name, value in mapping.items():
            below = options.get(name)
            stronger = below is not None and below.origin.kind == "variable" and origin.kind == "flow"
            if name != "use" and not stronger:
                options[name] = Setting((name,), value, origin)
        return resolved._replace(options=options)

    def _follow(self, asked: Asked) -> tuple[Asked, dict[str, Setting]]:
        """From profile to profile, to a class path or the name of a plugin; options of the nearer one win."""
        options: dict[str, Setting] = {}
        passed: list[str] = []
        while profile := self._profile(asked):
            if profile.name in passed:
                way = " -> ".join((*passed, profile.name))
                raise ConfigError(f"profiles use each other in a circle: {way} ({profile.origin})")
            passed.append(profile.name)
            options = overlay(profile.options, options)
            below = Asked(profile.use, profile.origin)
            if below.target == Name(profile.name):
                break
            asked = below
        return asked, options

    def _profile(self, asked: Asked) -> Profile | None:
        """The profile that is asked for; a name behind that of a distribution is the plugin's."""
        target = asked.target
        if not isinstance(target, Name) or target.distribution:
            return None
        return self.config.profiles.get(target.name)

    def _resolved(
        self,
        cls: type[Executor],
        spec: ExecutorSpec | None,
        options: dict[str, Setting],
        name: str,
        provider: str = "",
    ) -> Resolved:
        """An option `debug` comes from the configuration's, if nothing nearer sets it."""
        debug = self.config.debug
        if debug.origin.kind != "default" and any(spec.name == "debug" for spec in option_specs(cls)):
            options = {"debug": debug, **options}
        return Resolved(cls, spec, options, name, provider or cls.__module__)

    def _plugin(self, name: Name, asked: Asked) -> Plugin:
        profiles = self.config.profiles
        elsewhere = [profile.name for profile in profiles.values() if profile.use != profile.name]
        try:
            return find_plugin(name, asked, self._installed, elsewhere)
        except UnknownExecutorError as error:
            if profile := self._profile(asked):
                lack = f"{profile.name!r}, {profile.origin}, names no other executor in its key 'use'"
                error.args = (f"{error} (profile {lack})",)
            raise


def _check_trust(asked: Asked) -> None:
    """Raise UntrustedCodeError if a file that somebody else may have written names what would be run."""
    origin = asked.origin
    if origin is not None and origin.doubt:
        message = f"{asked.text!r}{asked.by} is code to be run, but {origin.doubt}. {TRUST_HINT}"
        raise asked.error(UntrustedCodeError, message)
