"""Wrong in `wait`, `map` and `cancel`."""

from __future__ import annotations

import concurrent.futures
import itertools
from concurrent.futures import Future
from pathlib import Path

from turgo.futures import find
from turgo.registry.source_files import load_source

_right = load_source(Path(__file__).parent.with_name("right_executor.py"))
Right, OddFutures = _right.Right, _right.OddFutures


class WaitsForLists(Right):
    breaks = ("one_future", "shapes_are_kept", "classes_are_kept", "the_rest_passes")

    def wait(self, futures):
        return [future.result() for future in find(list(futures), "futures")]


class WaitsByCompletion(Right):
    breaks = ("order_is_kept",)

    def wait(self, futures):
        return [future.result() for future in concurrent.futures.as_completed(futures)]


class WaitsInPlace(Right):
    breaks = ("nothing_is_changed",)

    def wait(self, futures):
        for values in futures.values():
            values[:] = super().wait(values)
        return futures


class MapsValues(Right):
    breaks = ("one_call_per_element",)

    def map(self, fn, *iterables, extra_context=None):
        return map(fn, *iterables)


class MapsLongest(Right):
    breaks = ("the_shortest_ends",)

    def map(self, fn, *iterables, extra_context=None):
        return [self.submit(fn, *arguments) for arguments in itertools.zip_longest(*iterables, fillvalue=0)]


class MapsSomething(Right):
    breaks = ("nothing_gives_nothing",)

    def map(self, fn, *iterables, extra_context=None):
        return super().map(fn, *iterables) or None


class IgnoresCancel(OddFutures):
    breaks = ("waiting_calls_are_taken_back", "cancelled_is_done", "shutdown_takes_back")

    class kind(Future):  # noqa: N801
        def cancel(self):
            return False


class CountsAll(Right):
    breaks = ("done_calls_keep_their_values", "nothing_is_cancelled")

    def cancel(self, futures):
        return len(futures)


class BreaksOnCancel(Right):
    breaks = ("running_calls_do_no_harm",)

    def cancel(self, futures):
        self._pool.shutdown(wait=False)
        return 0


class CancelsTogetherOnly(OddFutures):
    """`executor.cancel` takes calls back, and the futures' own `cancel` does not."""

    breaks = ("futures_cancel_themselves",)

    class kind(Future):  # noqa: N801
        def cancel(self):
            return False

    def cancel(self, futures):
        return sum(Future.cancel(future) for future in find(futures, "futures") if not future.done())


class CancelsWithoutCallbacks(OddFutures):
    breaks = ("futures_cancel_themselves",)

    class kind(Future):  # noqa: N801
        def cancel(self):
            self._done_callbacks.clear()
            return super().cancel()
