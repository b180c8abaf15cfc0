"""Wrong in what becomes of a call."""

from __future__ import annotations

import pickle
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path

from turgo.registry.source_files import load_source

_right = load_source(Path(__file__).parent.with_name("right_executor.py"))
Right, OddFutures = _right.Right, _right.OddFutures


class NoneIsPending(OddFutures):
    breaks = ("none_is_a_value",)

    class kind(Future):  # noqa: N801
        def done(self):
            return super().done() and self.result() is not None


class RaisesReturned(Right):
    breaks = ("returned_exceptions_are_values",)

    def submit(self, fn, /, *args, extra_context=None, **kwargs):
        def call():
            value = fn(*args, **kwargs)
            if isinstance(value, Exception):
                raise value
            return value

        return super().submit(call)


class Truncates(Right):
    breaks = ("large_values_come", "many_calls")

    def submit(self, fn, /, *args, extra_context=None, **kwargs):
        def call():
            value = fn(*args, **kwargs)
            return value[: 2**20] if isinstance(value, bytes) else value

        self._count = getattr(self, "_count", 0) + 1
        return super().submit(call if self._count < 100 else int)


class GivesOnce(OddFutures):
    breaks = ("results_stay",)

    class kind(Future):  # noqa: N801
        def result(self, timeout=None):
            value, self._result = super().result(timeout), None
            return value


class Renames(Right):
    breaks = ("errors_come_whole", "tracebacks_show_the_culprit", "the_first_error_is_raised")

    def submit(self, fn, /, *args, extra_context=None, **kwargs):
        def call():
            with suppress(Exception):
                return fn(*args, **kwargs)
            raise RuntimeError("the call failed")

        return super().submit(call)


class Breaks(Right):
    """Once an error or value could not be pickled, nothing works any more."""

    breaks = (
        "odd_errors_fail_their_call",
        "unpicklable_errors_fail_their_call",
        "unpicklable_values_harm_nobody",
    )

    def __init__(self, *, workers=1):  # one, so that what comes after the odd call finds it broken
        super().__init__(workers=workers)

    def submit(self, fn, /, *args, extra_context=None, **kwargs):
        def call():
            if getattr(self, "_broken", False):
                raise RuntimeError("broken")
            try:
                value = fn(*args, **kwargs)
            except Exception as error:
                self._try_pickling(error)
                raise
            self._try_pickling(value)
            return value

        return super().submit(call)

    def _try_pickling(self, value):
        try:
            pickle.dumps(value)
            if isinstance(value, BaseException):
                type(value)(*value.args)  # as unpickling does, unless a library has taught pickle better
        except Exception:  # noqa: BLE001  (whatever it is, it cannot travel)
            self._broken = True


class AlwaysDone(OddFutures):
    breaks = ("done_tells",)

    class kind(Future):  # noqa: N801
        def done(self):
            return True


class IgnoresTimeouts(OddFutures):
    breaks = ("timeouts_of_results",)

    class kind(Future):  # noqa: N801
        def result(self, timeout=None):
            return super().result()


class CallsTwice(OddFutures):
    breaks = ("callbacks_are_called_once",)

    class kind(Future):  # noqa: N801
        def add_done_callback(self, fn):
            super().add_done_callback(lambda future: (fn(future), fn(future)))


class HearsNothingLate(OddFutures):
    breaks = ("late_callbacks_are_called",)

    class kind(Future):  # noqa: N801
        def add_done_callback(self, fn):
            if not self.done():
                super().add_done_callback(fn)
