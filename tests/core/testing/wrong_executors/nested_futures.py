"""Wrong in what they do with futures among the arguments."""

from __future__ import annotations

from concurrent.futures import Future
from pathlib import Path

from turgo.futures import replace
from turgo.registry.source_files import load_source

_right = load_source(Path(__file__).parent.with_name("right_executor.py"))
Right, OddFutures = _right.Right, _right.OddFutures


class HandsOnFutures(Right):
    breaks = ("futures_arrive_as_values", "nested_futures_arrive", "failed_arguments_fail_the_call",
              "chains_run", "futures_are_shared", "elements_of_every_kind", "many_futures_in_one_call",
              "dependent_calls_are_taken_back")  # fmt: skip
    native_futures = (Future,)


class ResolvesInSubmit(Right):
    breaks = ("foreign_futures_are_resolved", "cancelled_counts_as_done")
    native_futures = (Future,)

    def submit(self, fn, /, *args, extra_context=None, **kwargs):
        args = replace(args, lambda future: future.result(timeout=0.2))
        return super().submit(fn, *args, **kwargs)


class ResolvesInWorker(Right):
    breaks = ("waiting_calls_take_no_slot",)
    native_futures = (Future,)

    def submit(self, fn, /, *args, extra_context=None, **kwargs):
        return super().submit(lambda: fn(*replace(args, lambda future: future.result()), **kwargs))


class ResolvesInPlace(Right):
    breaks = ("given_containers_are_kept",)
    native_futures = (Future,)

    def submit(self, fn, /, *args, extra_context=None, **kwargs):
        for arg in args:
            if isinstance(arg, list):
                arg[:] = replace(arg, lambda future: future.result())
        return super().submit(fn, *replace(args, lambda future: future.result()), **kwargs)
