"""An executor that keeps the contract; the wrong ones in `wrong_executors/` each break a rule of it, or a few."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

from turgo.executor import Executor


class Right(Executor):
    """A thread pool that keeps the contract. `breaks` names the checks that catch what a subclass of it does."""

    breaks: tuple[str, ...] = ()

    capabilities = frozenset({"parallel"})

    def __init__(self, *, workers=2):
        self.workers = workers

    @property
    def slots(self):
        return self.workers

    @contextmanager
    def start(self):
        self._pool = ThreadPoolExecutor(self.workers)
        try:
            yield self
        finally:
            self._pool.shutdown(cancel_futures=True)

    def submit(self, fn, /, *args, extra_context=None, **kwargs):
        return self._pool.submit(fn, *args, **kwargs)


class OddFutures(Right):
    """Its futures are of the class `kind`."""

    kind = Future

    def submit(self, fn, /, *args, extra_context=None, **kwargs):
        future = super().submit(fn, *args, **kwargs)
        future.__class__ = self.kind
        return future
