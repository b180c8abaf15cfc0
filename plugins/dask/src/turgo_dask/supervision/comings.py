"""Workers that come and go, as the scheduler says at that moment. One that lives for less than a look is told of too.

scheduler ── events "add-worker", "remove-worker", in the client's loop ──> Comings ──> report
                                                               └─ many that died young ──> crash loop
watch ── what two looks in a row saw, and no event told ───────────────────────────> Comings
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from typing import Any

YOUNG_SECONDS = 15.0
"""A worker that dies before that age may be one of a loop: its nanny starts another one, which dies of the same."""

LOOP_WORKERS = 4
"""How many of them make a crash loop."""

LOOP_SECONDS = 120.0
"""Within how many seconds."""

LATELY_SECONDS = 10.0
"""A worker that came in that time may be newer than what a look saw."""


class Comings:
    """Reports each worker that comes or goes, once. report: records an event.

    loop: the last worker of a crash loop that was seen and is not told of yet, and how many there were; else None.
    """

    def __init__(self, report: Callable[..., None]) -> None:
        self.report = report
        self.loop: tuple[str, int] | None = None
        self._began: dict[str, float | None] | None = None
        self._early: list[Mapping[str, Any]] = []
        self._young: deque[float] = deque(maxlen=LOOP_WORKERS)
        self._told = False
        self._gone: set[str] = set()
        self._lock = threading.Lock()

    def start(self, there: Iterable[str]) -> None:
        """Begin to report. there: the workers that are no news."""
        with self._lock:
            self._began = dict.fromkeys(there)
            early, self._early = self._early, []
        for event in early:
            self.note(event)

    def note(self, event: Mapping[str, Any]) -> None:
        """Take an event of the scheduler; those of other kinds are passed over."""
        action, worker = event.get("action"), str(event.get("worker"))
        if action not in ("add-worker", "remove-worker"):
            return
        with self._lock:
            if self._began is None:
                self._early.append(event)
            elif action == "add-worker":
                self._came(self._began, worker)
            else:
                self._went(self._began, worker, bool(event.get("expected")))

    def seen(self, there: AbstractSet[str], ever: AbstractSet[str]) -> None:
        """Two looks in a row saw the workers `there` both times, and no others than `ever` at all.

        What no event told is made good so: the first ones come before the scheduler knows that somebody listens.
        """
        with self._lock:
            if self._began is None:
                return
            for worker in there - self._began.keys() - self._gone:
                self._came(self._began, worker)
            lately = time.monotonic() - LATELY_SECONDS
            for worker in self._began.keys() - ever:
                if (self._began[worker] or 0.0) < lately:
                    self._went(self._began, worker, expected=True)

    def _came(self, began: dict[str, float | None], worker: str) -> None:
        if worker not in began:
            self._gone.discard(worker)
            began[worker] = time.monotonic()
            self.report("worker_arrived", f"a worker arrived: {worker}", worker=worker)

    def _went(self, began: dict[str, float | None], worker: str, expected: bool) -> None:
        if worker not in began:
            return
        since, now = began.pop(worker), time.monotonic()
        self._gone.add(worker)
        left = f"{len(began)} left" if began else "none is left"
        self.report("worker_left", f"the worker {worker} is gone, {left}", worker=worker)
        if expected or since is None or now - since > YOUNG_SECONDS:
            return
        self._young.append(now)
        if len(self._young) == LOOP_WORKERS and now - self._young[0] < LOOP_SECONDS:
            self.loop = (worker, LOOP_WORKERS)

    def tell_loop(self, why: Callable[[str], str]) -> None:
        """Report a crash loop, if one was seen, and only once. why: asks for the reason of a worker's end."""
        if self.loop is None or self._told:
            return
        self._told = True
        worker, count = self.loop
        reason = why(worker) or "nobody says why; what its nanny logged may"
        self.report(
            "crash_loop",
            f"workers come and die: {count} of them were less than {YOUNG_SECONDS:g} s old. "
            f"The last was {worker}: {reason}",
            worker=worker,
        )
