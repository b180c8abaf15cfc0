"""Dispatch: checks observers, and calls their hooks, events in bunches.

    loop ──events──> Observers.pass_on ──at most every 50 ms──> hook of each observer

Each observer has a plugin manager of its own, so that one that fails is left out and harms nobody.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import pluggy
from pluggy import HookimplOpts, HookspecOpts

from turgo.errors import ObserverError
from turgo.executor import Executor
from turgo.hooks import PROJECT, ExecutorHooks, ObserverHooks
from turgo.names import did_you_mean, nearest
from turgo.records.flow_run import FlowRun
from turgo.records.task_run import TaskEvent

BUNCH_SECONDS = 0.05
"""Seconds between two bunches of events."""

EXECUTOR_EVENTS_SECONDS = 1.0
"""Seconds after which executors are asked again what happened to them."""

PREFIX = f"{PROJECT}_"
HOOKS = tuple(name for name in vars(ObserverHooks) if name.startswith(PREFIX))
"""The names of what an observer may implement."""

_ALL_HOOKS = (*HOOKS, *(name for name in vars(ExecutorHooks) if name.startswith(PREFIX)))
_MARK = "mark it with @hookimpl (from turgo.hooks import hookimpl), or it is never called"

logger = logging.getLogger("turgo")


class Observers:
    """The observers of one run. Raises ObserverError for one that would never be called."""

    def __init__(self, observers: Sequence[object], clock: Callable[[], float] = time.monotonic) -> None:
        self._managers = [manager_of(observer) for observer in observers]
        self._clock = clock
        self._passed_on = clock()
        self._asked = -EXECUTOR_EVENTS_SECONDS

    def __bool__(self) -> bool:
        return bool(self._managers)

    def notify(self, hook: str, run: FlowRun, **facts: Any) -> None:
        """Call a hook of every observer; one that raises is reported and left out from then on."""
        for manager in list(self._managers):
            try:
                getattr(manager.hook, hook)(run=run, **facts)
            except Exception:
                self._managers.remove(manager)
                names = ", ".join(name for name, _ in manager.list_name_plugin())
                logger.warning("the observer %s failed in %s and is left out", names, hook, exc_info=True)

    def pass_on(self, run: FlowRun, events: list[TaskEvent], *, now: bool = False) -> None:
        """Pass the events on and empty the list, unless the last bunch is too recent and it need not be `now`."""
        if events and (now or self._clock() - self._passed_on >= BUNCH_SECONDS):
            self._passed_on = self._clock()
            bunch = tuple(events)
            events.clear()
            self.notify("turgo_task_events", run, events=bunch)

    def pass_on_events(self, run: FlowRun, executors: Iterable[Executor]) -> None:
        """Pass on what happened to the executors, if it is time to ask them again."""
        if self._managers and self._clock() - self._asked >= EXECUTOR_EVENTS_SECONDS:
            self._asked = self._clock()
            for executor in executors:
                for event in executor.events() if executor.started else ():  # one may not be needed yet
                    self.notify("turgo_executor_event", run, event=event)

    def ask_in(self) -> float:
        """Seconds until executors are to be asked again."""
        return max(0.0, EXECUTOR_EVENTS_SECONDS - (self._clock() - self._asked))

    def due_in(self) -> float:
        """Seconds until the next bunch may be passed on."""
        return max(0.0, BUNCH_SECONDS - (self._clock() - self._passed_on))


class _Manager(pluggy.PluginManager):
    """A manager that looks for hooks only where one may be.

    Pluggy looks at every attribute, also at those that each object has; that takes as long as a small run.
    """

    def parse_hookimpl_opts(self, plugin: object, name: str) -> HookimplOpts | None:
        """How an attribute is marked as a hook; None if it is not."""
        return None if name.startswith("__") else super().parse_hookimpl_opts(plugin, name)

    def parse_hookspec_opts(self, module_or_class: Any, name: str) -> HookspecOpts | None:
        """How an attribute is marked as what a hook has to be like; None if it is not."""
        return super().parse_hookspec_opts(module_or_class, name) if name.startswith(PREFIX) else None


def manager_of(observer: object) -> pluggy.PluginManager:
    """A manager for one observer, so that it can fail alone.

    Raises ObserverError for what would never be called, or less often than it means to: a class, a hook without its
    mark, a name or arguments that no hook has, no hook at all.
    """
    name = getattr(observer, "__name__", type(observer).__name__)
    if isinstance(observer, type):
        raise ObserverError(f"the class {name} is no observer, an object of it is: {name}()", observer=name)
    manager = _Manager(PROJECT)
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
