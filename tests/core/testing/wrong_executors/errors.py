"""Wrong in what becomes of errors, and of values that cannot be sent or are large."""

from __future__ import annotations

import pickle
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from pathlib import Path

from turgo.futures import find
from turgo.registry.source_files import load_source

_right = load_source(Path(__file__).parent.with_name("right_executor.py"))
Right, OddFutures = _right.Right, _right.OddFutures


class RemakesErrors(Right):
    breaks = (
        "memory_errors_are_errors",
        "standard_errors_come_whole",
        "attributes_come_along",
        "causes_come_along",
        "groups_come_whole",
    )

    def submit(self, fn, /, *args, extra_context=None, **kwargs):
        def call():
            try:
                return fn(*args, **kwargs)
            except Exception as error:  # noqa: BLE001  (whatever the call raises)
                told = ValueError(error) if isinstance(error, MemoryError) else type(error)(str(error))
            raise told

        return super().submit(call)


class TellsOnce(OddFutures):
    breaks = ("errors_stay",)

    class kind(Future):  # noqa: N801
        def exception(self, timeout=None):
            error, self._exception = super().exception(timeout), None
            return error


class ByHand(Right):
    """Settles its futures itself; a call whose outcome does not go through `send` is never done."""

    def submit(self, fn, /, *args, extra_context=None, **kwargs):
        future = Future()

        def call():
            try:
                value = fn(*self.send(args), **kwargs)
            except Exception as error:  # noqa: BLE001  (whatever the call raises)
                future.set_exception(self.send(error))
            else:
                future.set_result(self.send(value))

        super().submit(call)
        return future

    def send(self, value):
        return value


class ExceptionsOnly(ByHand):
    breaks = ("exits_are_errors", "base_exceptions_are_errors")


class Describes(ByHand):
    breaks = ("unshowable_errors_fail_their_call", "recursion_is_an_error", "huge_errors_fail_their_call")

    def send(self, value):
        if isinstance(value, Exception) and (len(str(value)) > 1000 or isinstance(value, RecursionError)):
            raise ValueError("too long a story")
        return value


class PicklesAll(ByHand):
    breaks = ("unknown_errors_fail_their_call", "poisoned_values_harm_nobody", "stubborn_values_harm_nobody",
              "poisoned_arguments_harm_nobody")  # fmt: skip

    def submit(self, fn, /, *args, extra_context=None, **kwargs):
        if any(type(arg).__name__ == "Poison" for arg in args):
            return Future()  # the worker could not read it, and nobody noticed
        return super().submit(fn, *args, **kwargs)

    def send(self, value):
        return pickle.loads(pickle.dumps(value))


class CountsFailures(Right):
    breaks = ("failed_calls_are_not_cancelled",)

    def cancel(self, futures):
        return sum(future.exception() is not None for future in find(futures, "futures"))


class Cuts(Right):
    breaks = ("huge_arguments_arrive", "huge_values_come", "huge_values_go_on", "large_values_together",
              "wide_values_come", "many_arguments_arrive")  # fmt: skip

    def submit(self, fn, /, *args, extra_context=None, **kwargs):
        return super().submit(lambda: _cut(fn(*map(_cut, args[:255]), **kwargs)))


def _cut(value):
    if isinstance(value, bytes):
        return value[: 2**10]
    return dict(list(value.items())[:1000]) if isinstance(value, dict) else value


class Shallow(Right):
    breaks = ("deep_values_come",)

    def submit(self, fn, /, *args, extra_context=None, **kwargs):
        return super().submit(lambda: _copied(fn(*args, **kwargs), 50))


def _copied(value, depth):
    if not isinstance(value, list) or not depth:
        return None if not depth else value
    return [_copied(item, depth - 1) for item in value]


class ForgetsContexts(Right):
    breaks = ("contexts_come_along",)

    def submit(self, fn, /, *args, extra_context=None, **kwargs):
        def call():
            try:
                return fn(*args, **kwargs)
            except Exception as error:
                error.__context__ = None
                raise

        return super().submit(call)


class SwapsErrors(Right):
    """The fiftieth error is that of the call before."""

    breaks = ("errors_are_never_swapped",)

    @contextmanager
    def start(self):
        self._errors = []
        with super().start():
            yield self

    def submit(self, fn, /, *args, extra_context=None, **kwargs):
        def call():
            try:
                return fn(*args, **kwargs)
            except Exception as error:
                self._errors.append(error)
                if len(self._errors) % 50 == 0:
                    raise self._errors[-2] from None
                raise

        return super().submit(call)


class TriesAgain(Right):
    """A call that fails is made a second time."""

    breaks = ("failing_calls_run_once",)

    def submit(self, fn, /, *args, extra_context=None, **kwargs):
        def call():
            with suppress(Exception):
                return fn(*args, **kwargs)
            return fn(*args, **kwargs)

        return super().submit(call)


class RunsTwiceNowAndThen(Right):
    breaks = ("calls_run_once",)

    @contextmanager
    def start(self):
        self._made = 0
        with super().start():
            yield self

    def submit(self, fn, /, *args, extra_context=None, **kwargs):
        self._made += 1
        if self._made % 50 == 0:
            super().submit(fn, *args, **kwargs)
        return super().submit(fn, *args, **kwargs)
