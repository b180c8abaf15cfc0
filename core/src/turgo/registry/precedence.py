"""Chooses the executor of a run. Decides which of several requests has precedence, and with which options.

The strongest first: the argument in code, `--executor`, the variable, the flow's own, the project file, the user file,
`local`. Options have the same order, each for itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from turgo.config.settings import Origin, Setting
from turgo.errors import OptionError
from turgo.executor import Executor, ExecutorLike
from turgo.registry.resolve import Registry


class Chosen(NamedTuple):
    """The executor of a run, the name it was asked by, and where that came from."""

    executor: Executor
    name: str
    origin: Origin


def get_executor(asked: ExecutorLike | None = None, /, **options: Any) -> Executor:
    """An executor, ready for `start()`.

        get_executor("dask", address="tcp://…")           a profile or plugin by name, with options
        get_executor("my_package.executors.MyExecutor")   a class path; also "my_package.executors:MyExecutor"
        get_executor("./my_executor.py:MyExecutor")       a file
        get_executor({"use": "dask", "address": "…"})     a mapping, as in a configuration file
        get_executor()                                    what the configuration says

    An instance passes through. Raises ExecutorLookupError, OptionError or ConfigError; all are a UsageError.
    """
    return choose_executor(argument=asked, argument_options=options, where="of get_executor").executor


def choose_executor(
    *,
    argument: ExecutorLike | None = None,
    argument_options: Mapping[str, Any] | None = None,
    option: str | None = None,
    option_options: Mapping[str, str] | None = None,
    flow_default: ExecutorLike | None = None,
    where: str = "executor",
    registry: Registry | None = None,
) -> Chosen:
    """The executor that has precedence, made with the options that have; nothing is opened.

    argument, argument_options: given in code, as the parameter `where`; option, option_options: `--executor` and
    each `-o key=value`, as text, for whichever executor it is; flow_default: of `@flow(executor=…)`. Raises a
    UsageError.
    """
    registry = registry or Registry()
    asked, origin = _precedence(argument, option, flow_default, where, registry)
    given = options_given(argument_options or {}, option_options or {})
    if isinstance(asked, Executor):
        _refuse(given, asked, origin)
        return Chosen(asked, type(asked).__name__, origin)
    resolved = registry.resolve(asked, origin=origin)
    resolved = resolved._replace(options={**resolved.options, **given})
    return Chosen(resolved.build(), resolved.name, origin)


def _precedence(
    argument: ExecutorLike | None,
    option: str | None,
    flow: ExecutorLike | None,
    where: str,
    registry: Registry,
) -> tuple[ExecutorLike, Origin]:
    if argument is not None:
        return argument, Origin("argument", where)
    if option is not None:
        return option, Origin("option", "--executor")
    configured = registry.config.executor
    if flow is not None and configured.origin.kind != "variable":
        return flow, Origin("flow", "@flow(executor=…)")
    return configured.value, configured.origin


def options_given(argument: Mapping[str, Any], option: Mapping[str, str]) -> dict[str, Setting]:
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
