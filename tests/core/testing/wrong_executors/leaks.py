"""Wrong in what they hold for good."""

from __future__ import annotations

import os
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

from turgo.registry.source_files import load_source

_right = load_source(Path(__file__).parent.with_name("right_executor.py"))
Right = _right.Right


class Holds(Right):
    """Opens what is closed when a test is over."""

    opened: ClassVar[list[int]] = []

    def open(self):
        self.opened.append(os.open(os.devnull, os.O_RDONLY))

    @classmethod
    def clean(cls):
        while cls.opened:
            os.close(cls.opened.pop())


class LeaksPerStart(Holds):
    breaks = ("starts_leak_no_descriptor",)

    @contextmanager
    def start(self):
        self.open()
        with super().start():
            yield self


class LeaksPerCall(Holds):
    breaks = ("calls_leak_no_descriptor",)

    def submit(self, fn, /, *args, extra_context=None, **kwargs):
        self.open()
        return super().submit(fn, *args, **kwargs)


class LeaksPerFailure(Holds):
    breaks = ("failing_calls_leak_no_descriptor",)

    def submit(self, fn, /, *args, extra_context=None, **kwargs):
        def call():
            try:
                return fn(*args, **kwargs)
            except Exception:
                self.open()
                raise

        return super().submit(call)


class LeaksDaemons(Right):
    breaks = ("starts_leak_no_thread",)
    over: ClassVar[threading.Event] = threading.Event()

    @contextmanager
    def start(self):
        threading.Thread(target=self.over.wait, name="watcher", daemon=True).start()
        with super().start():
            yield self

    @classmethod
    def clean(cls):
        cls.over.set()


class KeepsArguments(Right):
    breaks = ("arguments_are_let_go",)

    @contextmanager
    def start(self):
        self._history = []
        with super().start():
            yield self

    def submit(self, fn, /, *args, extra_context=None, **kwargs):
        self._history.append((fn, args, kwargs))
        return super().submit(fn, *args, **kwargs)
