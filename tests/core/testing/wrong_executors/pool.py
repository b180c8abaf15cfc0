"""Wrong behind the pool face, on their travels, and with several threads."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import ClassVar

from turgo.contract.pool import ExecutorPool
from turgo.registry.source_files import load_source

_right = load_source(Path(__file__).parent.with_name("right_executor.py"))
Right, OddFutures = _right.Right, _right.OddFutures


class NoPool(Right):
    breaks = ("the_pool_is_a_real_one", "the_pools_map")

    @contextmanager
    def as_pool(self):
        yield self


class LookAlike:
    """Has the methods of a future, and is none of concurrent.futures."""

    def __init__(self, inner):
        self._inner = inner

    def __getattr__(self, name):
        return getattr(self._inner, name)


class PoolOfLookAlikes(Right):
    breaks = ("the_library_takes_its_futures", "asyncio_awaits_its_calls", "waits_for_the_first")

    @contextmanager
    def as_pool(self):
        with super().as_pool() as pool:
            submit = pool.submit
            pool.submit = lambda *args, **kwargs: LookAlike(submit(*args, **kwargs))
            yield pool


class HastyPool(Right):
    breaks = ("leaving_waits", "shut_down_is_shut", "errors_leave_the_pool")

    @contextmanager
    def as_pool(self):
        with super().as_pool() as pool:
            pool.shutdown = lambda **_: None
            yield pool
            pool.shutdown = lambda **_: None


class SlowPool(Right):
    breaks = ("shutdown_need_not_wait",)

    @contextmanager
    def as_pool(self):
        with super().as_pool() as pool:
            pool.shutdown = lambda **_: ExecutorPool.shutdown(pool, wait=True)
            yield pool


class ShutsOnce(Right):
    breaks = ("shutdown_is_repeatable",)

    @contextmanager
    def as_pool(self):
        with super().as_pool() as pool:
            pool.shutdown = lambda **given: self.shut(pool, **given)
            yield pool
            del pool.shutdown

    @staticmethod
    def shut(pool, **given):
        if pool._closed:
            raise RuntimeError("shut down already")
        ExecutorPool.shutdown(pool, **given)


class OnePool(Right):
    breaks = ("pools_are_apart",)

    @contextmanager
    def as_pool(self):
        with super().as_pool() as pool:
            self._pool_of_all = getattr(self, "_pool_of_all", pool)
            yield self._pool_of_all


class LazyPool(Right):
    breaks = ("the_pools_map_is_eager", "the_pools_map_gives_up")

    @contextmanager
    def as_pool(self):
        with super().as_pool() as pool:
            pool.map = lambda fn, *iterables, timeout=None: map(fn, *iterables)
            yield pool


class ValuesOnly(Right):
    breaks = ("waits_for_the_first_error",)

    def submit(self, fn, /, *args, extra_context=None, **kwargs):
        def call():
            with suppress(Exception):
                return fn(*args, **kwargs)

        return super().submit(call)


class HasNoHash(OddFutures):
    breaks = ("as_completed_counts_once",)

    class kind(Future):  # noqa: N801
        __hash__ = None


class Stumbles(OddFutures):
    breaks = ("callbacks_fail_alone",)

    class kind(Future):  # noqa: N801
        def _invoke_callbacks(self):
            for callback in self._done_callbacks:
                callback(self)


class CancelsAnything(OddFutures):
    breaks = ("done_pool_calls_stay",)

    class kind(Future):  # noqa: N801
        def cancel(self):
            return super().cancel() or True


class CancelsInSilence(OddFutures):
    breaks = ("pool_calls_are_cancelled",)

    class kind(Future):  # noqa: N801
        def cancel(self):
            del self._done_callbacks[-1:]
            return super().cancel()


class HoldsALock(Right):
    breaks = ("pickles_before_start",)

    def __init__(self, *, workers=2):
        super().__init__(workers=workers)
        self.lock = threading.Lock()


class HidesItsOptions(Right):
    breaks = ("options_are_attributes",)

    def __init__(self, *, processes=2):
        super().__init__(workers=processes)


class OneThreadOnly(Right):
    breaks = (
        "threads_submit_at_once",
        "callbacks_submit",
        "callbacks_go_on",
        "calls_submit",
        "flows_share_an_executor",
    )

    def submit(self, fn, /, *args, extra_context=None, **kwargs):
        if threading.current_thread() is not threading.main_thread():
            raise RuntimeError("only the main thread may submit")
        return super().submit(fn, *args, **kwargs)


class OneWaitsOnly(Right):
    breaks = ("threads_wait_for_one",)

    def wait(self, futures):
        if threading.current_thread() is not threading.main_thread():
            raise RuntimeError("only the main thread may wait")
        return super().wait(futures)


class OneCancelsOnly(Right):
    breaks = ("callbacks_cancel", "threads_cancel_at_once")

    def cancel(self, futures):
        if threading.current_thread() is not threading.main_thread():
            raise RuntimeError("only the main thread may cancel")
        return super().cancel(futures)


class CallsTheLastFirst(OddFutures):
    breaks = ("callbacks_keep_their_order", "pool_callbacks_keep_their_order")

    class kind(Future):  # noqa: N801
        def add_done_callback(self, fn):
            with self._condition:
                self._done_callbacks.insert(0, fn)


class Keeps(Right):
    breaks = ("memory_is_bounded",)

    def submit(self, fn, /, *args, extra_context=None, **kwargs):
        future = super().submit(fn, *args, **kwargs)
        self._kept = [*getattr(self, "_kept", ()), future]
        return future


class TakesThreads(Right):
    breaks = ("threads_are_bounded",)
    left: ClassVar[list[threading.Timer]] = []

    def submit(self, fn, /, *args, extra_context=None, **kwargs):
        lingering = threading.Timer(60, int)
        lingering.daemon = True
        lingering.start()
        self.left.append(lingering)
        return super().submit(fn, *args, **kwargs)

    @classmethod
    def clean(cls):
        while cls.left:
            cls.left.pop().cancel()
