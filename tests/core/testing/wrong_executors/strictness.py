"""Wrong in what one call does not show: leaks, changes of the process, now and then a wrong answer."""

from __future__ import annotations

import locale
import logging
import os
import signal
import threading
import warnings
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

from turgo.errors import TaskTimeoutError
from turgo.registry.source_files import load_source
from turgo.testing import calls

_right = load_source(Path(__file__).parent.with_name("right_executor.py"))
Right = _right.Right


class OpensWhenMade(Right):
    breaks = ("nothing_is_open_before_it_is_entered",)

    pools: ClassVar[list] = []

    def __init__(self, *, workers=2):
        super().__init__(workers=workers)
        self.pools.append(ThreadPoolExecutor(1))
        self.pools[-1].submit(int).result()

    @contextmanager
    def start(self):
        with super().start():
            yield self
        self.clean()

    @classmethod
    def clean(cls):
        while cls.pools:
            cls.pools.pop().shutdown()


class BlocksWhenFull(Right):
    breaks = ("many_calls_in_flight",)

    @contextmanager
    def start(self):
        self._room = threading.Semaphore(100)
        with super().start():
            yield self

    def submit(self, fn, /, *args, extra_context=None, **kwargs):
        self._room.acquire()
        future = super().submit(fn, *args, **kwargs)
        future.add_done_callback(lambda _: self._room.release())
        return future


class DropsNone(Right):
    breaks = ("none_arrives",)

    def submit(self, fn, /, *args, extra_context=None, **kwargs):
        return super().submit(fn, *args, **{name: each for name, each in kwargs.items() if each is not None})


class SwapsNowAndThen(Right):
    breaks = ("values_are_never_swapped",)

    @contextmanager
    def start(self):
        self._count, self._last = 0, None
        with super().start():
            yield self

    def submit(self, fn, /, *args, extra_context=None, **kwargs):
        self._count += 1
        future = super().submit(fn, *args, **kwargs)
        before, self._last = self._last, future
        return before if self._count % 100 == 0 else future


class Prints(Right):
    breaks = ("nothing_is_printed",)

    def submit(self, fn, /, *args, extra_context=None, **kwargs):
        print("submitted", fn.__name__)
        return super().submit(fn, *args, **kwargs)


class ChangesTheProcess(Right):
    """Changes something of the process when it is started, and does not change it back."""

    @contextmanager
    def start(self):
        self.change()
        with super().start():
            yield self


class MovesAway(ChangesTheProcess):
    breaks = ("the_process_is_left_as_it_was",)
    home: ClassVar[str] = os.getcwd()

    def change(self):
        os.chdir(os.path.dirname(__file__))

    @classmethod
    def clean(cls):
        os.chdir(cls.home)


class SetsVariables(ChangesTheProcess):
    breaks = ("the_process_is_left_as_it_was",)

    def change(self):
        os.environ["RIGHT_POOL"] = "open"

    @staticmethod
    def clean():
        os.environ.pop("RIGHT_POOL", None)


class TakesSignals(ChangesTheProcess):
    breaks = ("the_process_is_left_as_it_was",)

    def change(self):
        signal.signal(signal.SIGUSR2, signal.SIG_IGN)

    @staticmethod
    def clean():
        signal.signal(signal.SIGUSR2, signal.SIG_DFL)


class MasksFiles(ChangesTheProcess):
    breaks = ("the_process_is_left_as_it_was",)
    mask: ClassVar[list[int]] = []

    def change(self):
        self.mask.append(os.umask(0o077))

    @classmethod
    def clean(cls):
        os.umask(cls.mask[0])


class SilencesWarnings(ChangesTheProcess):
    breaks = ("the_process_is_left_as_it_was",)

    def change(self):
        warnings.simplefilter("ignore", ResourceWarning)

    @staticmethod
    def clean():
        warnings.filters[:] = [each for each in warnings.filters if each[:3:2] != ("ignore", ResourceWarning)]


class SpeaksAnotherLanguage(ChangesTheProcess):
    breaks = ("the_process_is_left_as_it_was",)
    spoken: ClassVar[list[str]] = []

    def change(self):
        self.spoken.append(locale.setlocale(locale.LC_NUMERIC))
        other = "C" if self.spoken[0] != "C" else "C.UTF-8"
        locale.setlocale(locale.LC_NUMERIC, other)

    @classmethod
    def clean(cls):
        locale.setlocale(locale.LC_NUMERIC, cls.spoken[0])


class TurnsLogsUp(ChangesTheProcess):
    breaks = ("the_process_is_left_as_it_was",)
    level: ClassVar[list[int]] = []

    def change(self):
        self.level.append(logging.getLogger().level)
        logging.getLogger().setLevel(logging.DEBUG)

    @classmethod
    def clean(cls):
        logging.getLogger().setLevel(cls.level[0])


class KillsLate(Right):
    breaks = ("late_calls_are_killed_in_time",)
    capabilities = frozenset({"parallel", "hard_timeouts"})

    def submit(self, fn, /, *args, extra_context=None, **kwargs):
        inner = super().submit(fn, *args, **kwargs)
        if "task_timeout" not in (extra_context or {}):
            return inner
        late = Future()
        inner.add_done_callback(lambda _: late.set_exception(TaskTimeoutError("too late", seconds=1.0)))
        return late


class KillsAtTenTimes(KillsLate):
    """Kills a call long after its limit, in what the call can see."""

    breaks = ("late_calls_are_killed_in_time",)

    def submit(self, fn, /, *args, extra_context=None, **kwargs):
        limit = (extra_context or {}).get("task_timeout")
        if limit is None or fn is not calls.beat:
            return super().submit(fn, *args, extra_context=extra_context, **kwargs)
        return super().submit(fn, args[0], min(args[1], 10 * limit), extra_context=extra_context)
