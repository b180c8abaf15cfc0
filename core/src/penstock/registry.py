"""From what was asked to an executor: name or class path -> spec -> class -> instance.

    names()     metadata only              spec()          imports one light module
    resolve()   imports one executor       get_executor()  makes one; nothing is opened before `start()`

A string without `.`, `:` and `/` is a name: of a profile first, then of a plugin. `distribution/name` is the
plugin of that distribution. Anything else is a class path. There is no fall-back: what leads to nothing is an
error.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import attrs

from penstock.classpath import check_class, is_class_path, load_class
from penstock.config import Config, load_config
from penstock.errors import ConfigError, ExecutorLookupError, OptionError, UnknownExecutorError
from penstock.executor import Executor, ExecutorSpec
from penstock.lookup import find_plugin, import_target, record_of
from penstock.metadata import entry_points
from penstock.names import normalise
from penstock.options import check_options, option_specs
from penstock.plugins import EntryPoints, Plugin, PluginRecord, asked_at, installed, reason_of
from penstock.settings import Origin, Setting, overlay

Asked = str | Mapping[str, Any] | type[Executor]
"""What names an executor: a name or class path, a mapping with `use` and options, or the class."""

_CODE = Origin("argument", "executor")


@attrs.frozen
class Resolved:
    """An executor that was found and not made. spec: of its plugin; options: what is set, and where."""

    cls: type[Executor]
    spec: ExecutorSpec | None
    options: Mapping[str, Setting]
    name: str

    def build(self) -> Executor:
        """Make it. Raises OptionError for an option that is unknown, ill-typed, missing or refused."""
        label = self.spec.name if self.spec else self.cls.__name__
        values = check_options(self.cls, self.options, executor=label)
        try:
            return self.cls(**values)
        except OptionError as error:
            setting = self.options.get(error.option)
            if setting is not None and str(setting.origin) not in str(error):
                error.args = (f"{error} ({setting.origin})",)
            raise
        except (TypeError, ValueError, ImportError) as error:
            given = ", ".join(f"{name}={value!r}" for name, value in values.items()) or "none"
            message = f"{label} refuses its options ({given}): {reason_of(error)}"
            raise OptionError(message, option=", ".join(values), executor=label) from error


@attrs.frozen
class Chosen:
    """The executor of a run, the name it was asked by, and where that came from."""

    executor: Executor
    name: str
    origin: Origin


class Registry:
    """What can be asked for here. Make one and pass it; nothing is read before it is needed.

    config: profiles and options (default: `load_config()`); entry_points: a function as that of `penstock.metadata`.
    """

    def __init__(self, config: Config | None = None, entry_points: EntryPoints = entry_points) -> None:
        self._given = config
        self._entry_points = entry_points

    @cached_property
    def config(self) -> Config:
        """The configuration that holds. Raises ConfigError if it is malformed."""
        return self._given or load_config()

    @cached_property
    def _installed(self) -> dict[str, list[Plugin]]:
        return installed(self._entry_points)

    def names(self) -> tuple[str, ...]:
        """The names of the installed executors, normalised and sorted. Reads metadata, imports nothing."""
        return tuple(self._installed)

    def plugins(self) -> list[PluginRecord]:
        """Every installed plugin with its spec, or why it has none. Imports light modules, no executor."""
        return [
            record_of(plugin, duplicate=len(same) > 1) for same in self._installed.values() for plugin in same
        ]

    def spec(self, name: str, *, origin: Origin | None = None) -> ExecutorSpec:
        """The spec of a plugin, `dask` or `penstock-dask/dask`. Imports its light module, and no executor."""
        place = None if origin is None else str(origin)
        return self._plugin(name, place).spec(asked=name, origin=place)

    def resolve(self, asked: Asked, *, origin: Origin = _CODE) -> Resolved:
        """Import the class that was asked for, and gather the options that are set for it.

        Raises an ExecutorLookupError that says what was asked, where, and what would mend it.
        """
        if isinstance(asked, Mapping):
            return self._resolve_mapping(asked, origin)
        if isinstance(asked, type):
            return self._resolved(check_class(asked, asked.__name__, str(origin)), None, {}, asked.__name__)
        if not isinstance(asked, str):
            raise ExecutorLookupError(
                f"expected a name, class path, mapping or executor{asked_at(str(origin))}, got {asked!r}",
                asked=repr(asked),
                origin=str(origin),
            )
        target, place, options = self._follow(asked, origin)
        name = asked if is_class_path(asked) else normalise(asked)
        if is_class_path(target):
            cls = load_class(target, origin=str(place), folder=place.folder)
            return self._resolved(cls, None, options, name)
        plugin = self._plugin(target, str(place))
        spec = plugin.spec(asked=target, origin=str(place))
        return self._resolved(import_target(plugin, spec, target, str(place)), spec, options, name)

    def get_executor(self, asked: Asked | Executor | None = None, /, **options: Any) -> Executor:
        """An executor that is ready for `start()`; see the function of that name."""
        return self.choose(argument=asked, argument_options=options, where="of get_executor").executor

    def choose(
        self,
        *,
        argument: Asked | Executor | None = None,
        argument_options: Mapping[str, Any] | None = None,
        option: str | None = None,
        option_options: Mapping[str, str] | None = None,
        flow_default: Asked | Executor | None = None,
        where: str = "executor",
    ) -> Chosen:
        """The executor that has precedence, with the options that have; see `choose_executor`."""
        asked, origin = self._precedence(argument, option, flow_default, where)
        given = _given(argument_options or {}, option_options or {})
        if isinstance(asked, Executor):
            _refuse(given, asked, origin)
            return Chosen(asked, type(asked).__name__, origin)
        resolved = self.resolve(asked, origin=origin)
        resolved = attrs.evolve(resolved, options={**resolved.options, **given})
        return Chosen(resolved.build(), resolved.name, origin)

    def _precedence(
        self, argument: Asked | Executor | None, option: str | None, flow: Asked | Executor | None, where: str
    ) -> tuple[Asked | Executor, Origin]:
        if argument is not None:
            return argument, Origin("argument", where)
        if option is not None:
            return option, Origin("option", "--executor")
        configured = self.config.executor
        if flow is not None and configured.origin.kind != "variable":
            return flow, Origin("flow", "@flow(executor=…)")
        return configured.value, configured.origin

    def _resolve_mapping(self, asked: Mapping[str, Any], origin: Origin) -> Resolved:
        if not isinstance(asked.get("use"), (str, type)):
            raise UnknownExecutorError(
                f"the mapping {dict(asked)!r} names no executor{asked_at(str(origin))}: "
                "it needs the key 'use', a name or a class path",
                asked=repr(dict(asked)),
                origin=str(origin),
            )
        resolved = self.resolve(asked["use"], origin=origin)
        options = dict(resolved.options)
        for name, value in asked.items():
            below = options.get(name)
            stronger = below is not None and below.origin.kind == "variable" and origin.kind == "flow"
            if name != "use" and not stronger:
                options[name] = Setting((name,), value, origin)
        return attrs.evolve(resolved, options=options)

    def _follow(self, asked: str, origin: Origin) -> tuple[str, Origin, dict[str, Setting]]:
        """From profile to profile, to a class path or the name of a plugin; options of the nearer one win."""
        options: dict[str, Setting] = {}
        passed: list[str] = []
        while not is_class_path(asked) and (profile := self.config.profiles.get(normalise(asked))):
            if profile.name in passed:
                way = " -> ".join((*passed, profile.name))
                raise ConfigError(f"profiles use each other in a circle: {way} ({profile.origin})")
            passed.append(profile.name)
            options = overlay(profile.options, options)
            if not is_class_path(profile.use) and normalise(profile.use) == profile.name:
                break
            asked, origin = profile.use, profile.origin
        return asked, origin, options

    def _resolved(
        self, cls: type[Executor], spec: ExecutorSpec | None, options: dict[str, Setting], name: str
    ) -> Resolved:
        """An option `debug` comes from the configuration's, if nothing nearer sets it."""
        debug = self.config.debug
        if debug.origin.kind != "default" and any(spec.name == "debug" for spec in option_specs(cls)):
            options = {"debug": debug, **options}
        return Resolved(cls, spec, options, name)

    def _plugin(self, asked: str, origin: str | None) -> Plugin:
        profiles = self.config.profiles
        elsewhere = [profile.name for profile in profiles.values() if profile.use != profile.name]
        try:
            return find_plugin(asked, origin, self._installed, elsewhere)
        except UnknownExecutorError as error:
            if profile := profiles.get(normalise(asked)):
                lack = f"{profile.name!r}, {profile.origin}, names no other executor in its key 'use'"
                error.args = (f"{error} (profile {lack})",)
            raise


def get_executor(asked: Asked | Executor | None = None, /, **options: Any) -> Executor:
    """An executor, ready for `start()`.

        get_executor("dask", address="tcp://…")           a profile or plugin by name, with options
        get_executor("my_package.executors.MyExecutor")   a class path; also "my_package.executors:MyExecutor"
        get_executor("./my_executor.py:MyExecutor")       a file
        get_executor({"use": "dask", "address": "…"})     a mapping, as in a configuration file
        get_executor()                                    what the configuration says

    An instance passes through. Raises ExecutorLookupError, OptionError or ConfigError; all are a UsageError.
    """
    return Registry().get_executor(asked, **options)


def choose_executor(
    *,
    argument: Asked | Executor | None = None,
    argument_options: Mapping[str, Any] | None = None,
    option: str | None = None,
    option_options: Mapping[str, str] | None = None,
    flow_default: Asked | Executor | None = None,
    config: Config | None = None,
) -> Chosen:
    """The executor of a run, by precedence; nothing is opened.

    argument, argument_options: given in code; option, option_options: `--executor` and each `-o key=value`,
    as text; flow_default: of `@flow(executor=…)`. The order is argument, option, variables, the flow's own,
    project file, user file, "local"; options go the same way, those of `-o` to whichever executor it is.
    Raises a UsageError.
    """
    return Registry(config).choose(
        argument=argument,
        argument_options=argument_options,
        option=option,
        option_options=option_options,
        flow_default=flow_default,
    )


def _given(argument: Mapping[str, Any], option: Mapping[str, str]) -> dict[str, Setting]:
    """Options from code over those from `-o`. One that code sets replaces `-o name.key=value` too."""
    given = {
        name: Setting((name,), text, Origin("option", f"-o {name}"), text=True)
        for name, text in option.items()
        if name.split(".")[0] not in argument
    }
    return given | {
        name: Setting((name,), value, Origin("argument", name)) for name, value in argument.items()
    }


def _refuse(given: Mapping[str, Setting], executor: Executor, origin: Origin) -> None:
    if given:
        names = ", ".join(given)
        raise OptionError(
            f"{names} cannot be set: the executor is made already, {executor!r} ({origin}); give the options "
            "to its constructor",
            option=names,
            executor=type(executor).__name__,
        )
