"""Telling observers: in bunches, and so that one that fails harms nobody."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from penstock.executor import Executor
from penstock.listening import manager_of
from penstock.records import FlowRun, TaskEvent

INTERVAL = 0.05
"""Seconds between two bunches of events."""

ASK_INTERVAL = 1.0
"""Seconds after which executors are asked again what happened to them."""

logger = logging.getLogger("penstock")


class Observers:
    """The observers of one run. Raises ObserverError for one that would hear nothing."""

    def __init__(self, observers: Sequence[object], clock: Callable[[], float] = time.monotonic) -> None:
        self._managers = [manager_of(observer) for observer in observers]
        self._clock = clock
        self._told = clock()
        self._asked = -ASK_INTERVAL

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

    def pass_on_events(self, run: FlowRun, executors: Iterable[Executor]) -> None:
        """Tell what happened to the executors, if it is time to ask them again."""
        if self._managers and self._clock() - self._asked >= ASK_INTERVAL:
            self._asked = self._clock()
            for executor in executors:
                for event in executor.events() if executor.started else ():  # one may not be needed yet
                    self.tell("penstock_executor_event", run, event=event)

    def ask_in(self) -> float:
        """Seconds until executors are to be asked again."""
        return max(0.0, ASK_INTERVAL - (self._clock() - self._asked))

    def due_in(self) -> float:
        """Seconds until the next bunch may be told."""
        return max(0.0, INTERVAL - (self._clock() - self._told))
