"""Wrong in how they take a call."""

from __future__ import annotations

import concurrent.futures
import functools
import inspect
import json
import pickle
import sys
import time
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path

from turgo.registry.source_files import load_source

_right = load_source(Path(__file__).parent.with_name("right_executor.py"))
Right, OddFutures = _right.Right, _right.OddFutures


class GivesValues(Right):
    breaks = ("submit_gives_a_future",)

    def submit(self, fn, /, *args, extra_context=None, **kwargs):
        return fn(*args, **kwargs)


class Blocks(Right):
    breaks = (
        "submit_never_blocks",
        "map_never_blocks",
        "waits_no_longer_than_asked",
        "as_completed_gives_up",
    )

    def submit(self, fn, /, *args, extra_context=None, **kwargs):
        future = super().submit(fn, *args, **kwargs)
        concurrent.futures.wait([future])
        return future


class Lazy(Right):
    breaks = ("calls_begin_eagerly",)

    def submit(self, fn, /, *args, extra_context=None, **kwargs):
        return _LazyFuture(functools.partial(fn, *args, **kwargs))


class _LazyFuture(Future):
    def __init__(self, call):
        super().__init__()
        self.call = call

    def result(self, timeout=None):
        self.set_result(self.call())
        return super().result()


class DropsKeywords(Right):
    breaks = ("arguments_arrive",)

    def submit(self, fn, /, *args, extra_context=None, **kwargs):
        return super().submit(fn, *args)


class TakesNames(Right):
    breaks = ("keywords_of_any_name_arrive",)

    def submit(self, fn, *args, extra_context=None, key=None, **kwargs):
        return super().submit(fn, *args, **kwargs)


class FillsIn(Right):
    breaks = ("defaults_count",)

    def submit(self, fn, /, *args, extra_context=None, **kwargs):
        return super().submit(fn, *(args or (None,)), **kwargs)


class FunctionsOnly(Right):
    breaks = ("callables_of_every_kind",)

    def submit(self, fn, /, *args, extra_context=None, **kwargs):
        return super().submit(getattr(sys.modules[fn.__module__], fn.__name__), *args, **kwargs)


class SpeaksJson(Right):
    breaks = ("values_of_every_kind", "containers_keep_their_class")

    def submit(self, fn, /, *args, extra_context=None, **kwargs):
        return super().submit(lambda: json.loads(json.dumps(fn(*args, **kwargs))))


class PassesHints(Right):
    breaks = ("hints_are_hints", "hints_of_map_are_hints")

    def submit(self, fn, /, *args, extra_context=None, **kwargs):
        return super().submit(fn, *args, **(extra_context or {}), **kwargs)


class Remembers(Right):
    breaks = ("equal_calls_run_each",)

    def submit(self, fn, /, *args, extra_context=None, **kwargs):
        self._known = getattr(self, "_known", {})
        if (fn, args) not in self._known:
            self._known[fn, args] = super().submit(fn, *args, **kwargs)
        return self._known[fn, args]


class RaisesAtOnce(Right):
    breaks = ("submit_never_raises", "errors_come_through", "elements_fail_alone", "many_failures")

    def submit(self, fn, /, *args, extra_context=None, **kwargs):
        future = Future()
        future.set_result(fn(*args, **kwargs))
        return future


class BindsEarly(Right):
    breaks = ("wrong_arguments_are_the_futures_error",)

    def submit(self, fn, /, *args, extra_context=None, **kwargs):
        inspect.signature(fn).bind(*args, **kwargs)
        return super().submit(fn, *args, **kwargs)


class PicklesEarly(Right):
    breaks = ("unpicklable_arguments_harm_nobody",)

    def submit(self, fn, /, *args, extra_context=None, **kwargs):
        pickle.dumps(args)
        return super().submit(fn, *args, **kwargs)


class Forgets(OddFutures):
    breaks = ("results_keep",)

    class kind(Future):  # noqa: N801
        def result(self, timeout=None):
            self.made = getattr(self, "made", time.monotonic())
            if time.monotonic() - self.made > 0.03:
                raise LookupError("gone")
            return super().result(timeout)

    def submit(self, fn, /, *args, extra_context=None, **kwargs):
        future = super().submit(fn, *args, **kwargs)
        future.made = time.monotonic()
        return future


class KeepsKeywords(Right):
    breaks = ("keywords_are_its_own",)

    @contextmanager
    def start(self):
        self._keywords = {}
        with super().start():
            yield self

    def submit(self, fn, /, *args, extra_context=None, **kwargs):
        self._keywords.update(kwargs)
        return super().submit(fn, *args, **self._keywords)
