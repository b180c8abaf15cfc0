"""Watches the start of an executor. From the first second on, observers get an event that says how long it takes.

    engine: with StartWatch(…) as the executor starts ──> a thread ──each second──> what the executor reports
                                                                   └─ else ──────> "starting census, 3 s so far"

The thread that runs the flow waits meanwhile, so no other hook is called at the same time.
"""

from __future__ import annotations

import threading
import time
from types import TracebackType

from turgo.executor import Executor, ExecutorEvent
from turgo.observers.dispatch import Observers
from turgo.records.flow_run import FlowRun

FIRST_NOTICE_SECONDS = 0.5
"""How long a start may take before anything is said of it."""

NOTICE_SECONDS = 1.0
"""How often something is said from then on."""


class StartWatch:
    """Inside, an executor starts. name: of the executor; began: when the run did, by `time.monotonic`."""

    def __init__(self, observers: Observers, run: FlowRun, executor: Executor, name: str) -> None:
        self._observers = observers
        self._run = run
        self._executor = executor
        self._name = name
        self._began = time.monotonic()
        self._over = threading.Event()
        self._noticed = False
        self._thread = threading.Thread(target=self._watch, name="turgo-start-watch", daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()
        if self._noticed:
            took = f"{time.monotonic() - self._began:.1f} s"
            if error is None:
                self._pass_on_the_rest()
                self._notify("start_over", f"{self._name} has started, after {took}")
            else:
                self._notify("start_failed", f"{self._name} has not started, after {took}")

    def _pass_on_the_rest(self) -> None:
        """What the executor has reported since it was last asked, save what it waited for: that is over."""
        for event in self._executor.events():
            if event.kind not in ("starting", "waiting"):
                self._observers.notify("turgo_executor_event", self._run, event=event)

    def _watch(self) -> None:
        wait = FIRST_NOTICE_SECONDS
        own = False  # whether the executor itself reports on its start
        while not self._over.wait(wait):
            wait = NOTICE_SECONDS
            self._noticed = True
            events = self._executor.events()
            own = own or bool(events)
            if not own:
                seconds = time.monotonic() - self._began
                self._notify("starting", f"starting {self._name}, {seconds:.0f} s so far")
            for event in events:
                self._observers.notify("turgo_executor_event", self._run, event=event)

    def _notify(self, kind: str, message: str) -> None:
        self._observers.notify("turgo_executor_event", self._run, event=ExecutorEvent(kind, message))
