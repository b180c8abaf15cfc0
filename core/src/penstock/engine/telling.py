"""Telling observers: in bunches, and so that one that fails harms nobody."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from typing import Any

import pluggy

from penstock.hooks import PROJECT, ObserverHooks
from penstock.records import FlowRun, TaskEvent

INTERVAL = 0.05
"""Seconds between two bunches of events."""

logger = logging.getLogger("penstock")


class Observers:
    """The observers of one run."""

    def __init__(self, observers: Sequence[object], clock: Callable[[], float] = time.monotonic) -> None:
        self._managers = [_manager_of(observer) for observer in observers]
        self._clock = clock
        self._told = clock()

    def __bool__(self) -> bool:
        return bool(self._managers)

    def tell(self, hook: str, run: FlowRun, **facts: Any) -> None:
        """Call a hook of every observer; one that raises is reported and left out from then on."""
        for manager in list(self._managers):
            try:
                getattr(manager.hook, hook)(run=run, **facts)
            except Exception:
                self._managers.remove(manager)
                names = ", ".join(name for name, _ in manager.list_name_plugin())
                logger.warning("the observer %s failed in %s and is left out", names, hook, exc_info=True)

    def pass_on(self, run: FlowRun, events: list[TaskEvent], *, now: bool = False) -> None:
        """Tell the events and empty the list, unless the last bunch is too recent and it need not be `now`."""
        if events and (now or self._clock() - self._told >= INTERVAL):
            self._told = self._clock()
            bunch = tuple(events)
            events.clear()
            self.tell("penstock_task_events", run, events=bunch)

    def due_in(self) -> float:
        """Seconds until the next bunch may be told."""
        return max(0.0, INTERVAL - (self._clock() - self._told))


def _manager_of(observer: object) -> pluggy.PluginManager:
    """One manager for each observer, so that each can fail alone."""
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(ObserverHooks)
    manager.register(observer, name=getattr(observer, "__name__", type(observer).__name__))
    return manager
