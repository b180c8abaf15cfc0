"""An executor of one thread that runs what is held in random order, and loses its worker now and then."""

from __future__ import annotations

import pickle
import random
import threading
from concurrent.futures import Future
from contextlib import contextmanager

from turgo.errors import WorkerLostError
from turgo.executor import Executor


class ShufflingExecutor(Executor):
    """One thread that runs what is ready in random order.

    crossing: whether calls and values go through pickle, as they do to another process. losses: how probable it is
    that a call is lost with its worker.
    """

    def __init__(self, *, seed: int = 0, width: int = 2, crossing: bool = True, losses: float = 0.0) -> None:
        self.seed, self.width, self.crossing, self.losses = seed, width, crossing, losses

    @property
    def slots(self) -> int:
        return self.width

    @contextmanager
    def start(self):
        self._random = random.Random(self.seed)
        self._held, self._closed = [], False
        self._changed = threading.Condition()
        thread = threading.Thread(target=self._work, name="shuffling")
        thread.start()
        try:
            yield self
        finally:
            with self._changed:
                self._closed = True
                self._changed.notify()
            thread.join()

    def submit(self, fn, /, *args, extra_context=None, **kwargs):
        future = Future()
        self._hold(future, fn, args)
        return future

    def _hold(self, future, fn, args):
        with self._changed:
            self._held.append((future, fn, args))
            self._changed.notify()

    def _ready(self):
        """Those of the calls held that may run."""
        return self._held

    def _work(self):
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closed or self._ready())
                if self._closed:
                    return
                chosen = self._random.choice(self._ready())
                self._held.remove(chosen)
            self._run(*chosen, self._random.random() < self.losses, self._random.random() < 0.5)
            del chosen

    def _run(self, future, fn, args, lost, early):
        """Make one call. lost: whether its worker goes; early: whether it goes before the call."""
        if not future.set_running_or_notify_cancel():
            return
        if self.crossing:
            args = pickle.loads(pickle.dumps(args))
        value = None if lost and early else fn(*args)
        if lost:
            future.set_exception(WorkerLostError("gone", sure=early))
        else:
            future.set_result(value)
