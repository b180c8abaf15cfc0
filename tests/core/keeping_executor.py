"""An executor that keeps results remote: a future is a handle, and its value is looked up where a call runs."""

from __future__ import annotations

import pickle
from collections import Counter
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from weakref import WeakSet

from turgo.errors import WorkerLostError
from turgo.futures import replace
from turgo.registry.source_files import load_source

ShufflingExecutor = load_source(Path(__file__).with_name("shuffling_executor.py")).ShufflingExecutor


class Handle(Future):
    """The future of a call. Its value does not come here unless somebody asks for it."""

    def lose(self):
        """The worker that had the value is gone."""
        self._result, self._exception = None, WorkerLostError("gone with its worker")


class TypedHandle(Handle):
    """One that knows of what type its value is, once it is done."""

    @property
    def type(self):
        return type(self._result) if self.done() else None


class KeepingExecutor(ShufflingExecutor):
    """One thread that runs what is ready in random order; what calls bring stays "there" until it is waited for.

    forgets: before the first call of the second name runs, all values of calls of the first one are lost. typed:
    whether a future knows of what type its value is; all else is as in a ShufflingExecutor. came: how many bytes came
    home, by the name of the call. sent: how many calls of each name there were. most: how many futures there were at
    once.
    """

    capabilities = frozenset({"keeps_results_remote"})
    native_futures = (Handle,)

    def __init__(self, *, forgets: tuple = (), typed: bool = False, **options: Any) -> None:
        super().__init__(**options)
        self.forgets, self.typed = forgets, typed
        self._begin()

    def _begin(self):
        self._came, self._sent, self._handles, self._most = Counter(), Counter(), WeakSet(), 0

    @contextmanager
    def start(self):
        self._begin()
        self._forgets = self.forgets
        with super().start():
            yield self

    @property
    def came(self):
        return self._came

    @property
    def sent(self):
        return self._sent

    @property
    def alive(self):
        return list(self._handles)

    @property
    def most(self):
        return self._most

    def submit(self, fn, /, *args, extra_context=None, **kwargs):
        future = (TypedHandle if self.typed else Handle)()
        future.name = (extra_context or {}).get("task_name", "")
        self._sent[future.name] += 1
        self._handles.add(future)
        self._most = max(self._most, len(self._handles))
        future.add_done_callback(self._wake)
        if self.crossing:
            args = _packed(args)
        self._hold(future, fn, args)
        return future

    def wait(self, futures):
        def fetched(future):
            if not self.crossing:
                return future.result()
            blob = pickle.dumps(future.result(), protocol=5)
            if isinstance(future, Handle):
                self._came[future.name] += len(blob)
            return pickle.loads(blob)

        return replace(futures, fetched)

    def _wake(self, future):
        with self._changed:
            self._changed.notify()

    def _ready(self):
        return [each for each in self._held if all(future.done() for future in _futures(each[2]))]

    def _run(self, future, fn, args, lost, early):
        if not future.set_running_or_notify_cancel():  # from here on it cannot be cancelled
            return
        if self._forgets and future.name == self._forgets[1]:
            for handle in self.alive:
                if handle.name == self._forgets[0] and handle.done():
                    handle.lose()
            self._forgets = ()
        failed = [each.exception() for each in _futures(args) if each.exception() is not None]
        if failed:
            future.set_exception(failed[0])
            return
        try:
            args = _opened(replace(args, lambda each: each.result()))
            value = None if lost and early else fn(*args)
            if lost:
                raise WorkerLostError("gone", sure=early)
        except Exception as error:  # noqa: BLE001  (the error is handed on, as the future's)
            future.set_exception(error)
        else:
            future.set_result(value)


class _Packed:
    """An argument on its way."""

    def __init__(self, value):
        self.blob = pickle.dumps(value, protocol=5)


def _packed(args):
    return [each if list(_futures([each])) else _Packed(each) for each in args]


def _opened(args):
    return [pickle.loads(each.blob) if isinstance(each, _Packed) else each for each in args]


def _futures(args):
    for each in args:
        if isinstance(each, Handle):
            yield each
        elif isinstance(each, (list, tuple)):
            yield from _futures(each)
