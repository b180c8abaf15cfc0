"""Wrong in what `start()` opens and closes, and in what they say of themselves."""

from __future__ import annotations

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

from penstock.sources import load_source

_right = load_source(Path(__file__).parent.with_name("right_executor.py"))
Right, OddFutures = _right.Right, _right.OddFutures


class Unguarded(Right):
    breaks = ("start_gives_the_executor", "started_says_so", "start_inside_start_is_refused",
              "left_is_refused", "not_started_is_refused", "unresolvable_places_are_named")  # fmt: skip


@contextmanager
def _start_unguarded(self):
    with ThreadPoolExecutor(2) as self._pool:
        yield self._pool


Unguarded.start = _start_unguarded  # after the class was made, so that the base class cannot wrap it
Unguarded.submit = lambda self, fn, /, *args, extra_context=None, **kwargs: self._pool.submit(
    fn, *args, **kwargs
)


class StartsOnce(Right):
    breaks = ("starts_again",)

    def start(self):
        if hasattr(self, "_pool"):
            raise RuntimeError("used up")
        return super().start()


class SwallowsErrors(Right):
    breaks = ("error_inside_comes_out",)

    @contextmanager
    def start(self):
        with super().start(), suppress(Exception):
            yield self


class LeaksThread(Right):
    breaks = ("nothing_is_left", "flows_start_and_close")

    @contextmanager
    def start(self):
        threading.Timer(1.5, int).start()
        with super().start():
            yield self


class LeaksProcess(Right):
    breaks = ("nothing_is_left",)

    @contextmanager
    def start(self):
        self._child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(3)"])
        with super().start():
            yield self

    def __del__(self):
        if hasattr(self, "_child"):
            self._child.kill()
            self._child.wait()


class ClosesOnlyInPeace(Right):
    breaks = ("nothing_is_left_after_an_error",)

    @contextmanager
    def start(self):
        self._pool = ThreadPoolExecutor(self.workers)
        late = threading.Timer(1.5, self._pool.shutdown)
        late.daemon = True
        late.start()
        yield self
        self._pool.shutdown()


class Drains(Right):
    breaks = ("waiting_calls_never_begin",)

    @contextmanager
    def start(self):
        with ThreadPoolExecutor(self.workers) as self._pool:
            yield self


class CopiesTheRest(Right):
    breaks = ("copies_are_not_started", "pickles_during_start", "pickling_disturbs_nothing")

    def __getstate__(self):
        return self.__dict__


class NoSlots(Right):
    breaks = ("slots_are_counted",)
    slots = 0


class Boasts(Right):
    breaks = ("capabilities_are_known",)
    capabilities = frozenset({"teleports"})


class FromTheFuture(Right):
    breaks = ("api_version_is_spoken",)
    api_version = 99
