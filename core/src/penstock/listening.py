"""What makes an object an observer: hooks that are called, and nothing that looks like one and never would be."""

from __future__ import annotations

import pluggy

from penstock.errors import ObserverError
from penstock.hooks import PROJECT, ExecutorHooks, ObserverHooks
from penstock.names import did_you_mean, nearest

PREFIX = f"{PROJECT}_"
HOOKS = tuple(name for name in vars(ObserverHooks) if name.startswith(PREFIX))
"""The names of what an observer may implement."""

_ALL_HOOKS = (*HOOKS, *(name for name in vars(ExecutorHooks) if name.startswith(PREFIX)))
_MARK = "mark it with @hookimpl (from penstock.hooks import hookimpl), or it is never called"


def manager_of(observer: object) -> pluggy.PluginManager:
    """A manager for one observer, so that it can fail alone.

    Raises ObserverError for what would hear nothing, or less than it means to: a class, a hook without its mark, a name
    or arguments that no hook has, no hook at all.
    """
    name = getattr(observer, "__name__", type(observer).__name__)
    if isinstance(observer, type):
        raise ObserverError(f"the class {name} is no observer, an object of it is: {name}()", observer=name)
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(ObserverHooks)
    manager.add_hookspecs(ExecutorHooks)  # a module may be both kinds of plugin
    try:
        manager.register(observer, name=name)
    except pluggy.PluginValidationError as error:
        raise ObserverError(f"a hook of {name} does not fit: {error}", observer=name) from error
    marked = {caller.name for caller in manager.get_hookcallers(observer) or ()}
    _check_names(observer, name, marked)
    return manager


def _check_names(observer: object, name: str, marked: set[str]) -> None:
    """marked: the names of all that is marked as a hook."""
    for each in sorted(marked.difference(_ALL_HOOKS)):
        raise ObserverError(
            f"{name}.{each} is marked as a hook, and there is none of that name: there are {', '.join(HOOKS)}"
            f"{did_you_mean(nearest(each, HOOKS))}",
            observer=name,
            hook=each,
        )
    for each in sorted({each for each in dir(observer) if each.startswith(PREFIX)} - marked):
        if nearest(each, HOOKS) and callable(getattr(observer, each, None)):
            raise ObserverError(f"{name}.{each} is not marked as a hook: {_MARK}", observer=name, hook=each)
    if not marked.intersection(HOOKS):
        raise ObserverError(
            f"{name} implements none of the hooks {', '.join(HOOKS)}; write one, and {_MARK}", observer=name
        )
