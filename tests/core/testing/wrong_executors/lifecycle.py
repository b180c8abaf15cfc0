"""Wrong in what `start()` opens and closes, and in what they say of themselves."""

from __future__ import annotations

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import ClassVar

from turgo.registry.source_files import load_source

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
    left: ClassVar[list[threading.Timer]] = []

    @contextmanager
    def start(self):
        self.left.append(threading.Timer(60, int))
        self.left[-1].start()
        with super().start():
            yield self

    @classmethod
    def clean(cls):
        while cls.left:
            cls.left.pop().cancel()


class LeaksProcess(Right):
    breaks = ("nothing_is_left",)
    left: ClassVar[list[subprocess.Popen]] = []

    @contextmanager
    def start(self):
        self.left.append(subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]))
        with super().start():
            yield self

    @classmethod
    def clean(cls):
        while cls.left:
            child = cls.left.pop()
            child.kill()
            child.wait()


class ClosesOnlyInPeace(Right):
    breaks = ("nothing_is_left_after_an_error",)
    left: ClassVar[list[ThreadPoolExecutor]] = []

    @contextmanager
    def start(self):
        self._pool = ThreadPoolExecutor(self.workers)
        self.left.append(self._pool)
        yield self
        self._pool.shutdown()

    @classmethod
    def clean(cls):
        while cls.left:
            cls.left.pop().shutdown()


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
