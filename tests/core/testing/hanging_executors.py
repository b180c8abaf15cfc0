"""Executors that would hang a suite without a limit: one loses a call, one is never left, one is never entered."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path

from turgo.registry.source_files import load_source

Right = load_source(Path(__file__).with_name("right_executor.py")).Right


class LosesCalls(Right):
    """The future of every call is never done."""

    def submit(self, fn, /, *args, extra_context=None, **kwargs):
        return Future()


class NeverLeaves(Right):
    """Leaving start() waits for what never comes."""

    @contextmanager
    def start(self):
        with super().start():
            yield self
            threading.Event().wait()


class NeverEnters(Right):
    """Entering start() waits for what never comes."""

    @contextmanager
    def start(self):
        threading.Event().wait()
        yield self
