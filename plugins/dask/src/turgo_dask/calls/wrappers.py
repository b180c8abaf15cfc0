"""Wrappers that a worker calls around the function of a call.

    contained: SystemExit is the error of its call, and no end of the worker
    adopted:   a thread that runs the call for a worker's own thread may secede, rejoin and use worker_client

Each is made by a function here, and shipped by value, to workers that have nothing of this package. What one needs, it
imports itself.
"""

from __future__ import annotations

import pickle
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from types import ModuleType
from typing import Any

import cloudpickle

EXIT = "turgo-exit"
"""Marks an error that stands for SystemExit or KeyboardInterrupt, which distributed takes for the worker's own end."""


_REGISTERING = threading.Lock()


class ByValue:
    """A function that is pickled once, however often it is shipped; with all that its module has and it needs.

    modules: others of which it needs anything that workers have not.
    """

    def __init__(self, fn: Callable[..., Any], *modules: ModuleType) -> None:
        self._fn = fn
        with _REGISTERING, ExitStack() as stack:  # what it says holds for the whole process
            for module in (sys.modules[fn.__module__], *modules):
                if module.__name__ not in cloudpickle.list_registry_pickle_by_value():
                    cloudpickle.register_pickle_by_value(module)
                    stack.callback(cloudpickle.unregister_pickle_by_value, module)
            self._pickled = cloudpickle.dumps(fn)

    def __call__(self, *args: Any) -> Any:
        return self._fn(*args)

    def __reduce__(self) -> tuple[Any, ...]:
        return pickle.loads, (self._pickled,)


@cache
def contained() -> ByValue:
    """The function that calls another one, and raises an error in the place of its SystemExit."""
    mark = EXIT

    def contain(fn: Callable[..., Any], /, *args: Any) -> Any:
        try:
            return fn(*args)
        except (SystemExit, KeyboardInterrupt) as left:
            raise RuntimeError(mark, type(left).__name__, left.args).with_traceback(
                left.__traceback__
            ) from None

    return ByValue(contain)


def exit_of(error: BaseException) -> BaseException:
    """The SystemExit or KeyboardInterrupt that an error stands for, or the error itself."""
    if type(error) is not RuntimeError or len(error.args) != 3 or error.args[0] != EXIT:
        return error
    kind = SystemExit if error.args[1] == SystemExit.__name__ else KeyboardInterrupt
    return kind(*error.args[2])


@cache
def adopted() -> ByValue:
    """The function that calls another one, and lets a thread that this starts for a call stand in for its own.

    A call with a limit of time runs in such a thread; see STAND_IN in turgo.worker.call. Distributed keeps what
    `secede`, `rejoin` and `worker_client` need by thread.
    """

    def adopt(fn: Callable[..., Any], /, *args: Any) -> Any:
        import threading
        from contextlib import contextmanager

        import distributed
        from distributed.threadpoolexecutor import thread_state as pool_state
        from distributed.threadpoolexecutor import threads_lock
        from distributed.worker import thread_state as task_state

        own = threading.current_thread()
        worker = distributed.get_worker()
        pool, task = dict(vars(pool_state)), dict(vars(task_state))
        threads = pool["executor"]._threads
        standing_in: list[threading.Thread] = []

        def put_back() -> None:
            """The pool has the worker's own thread again, unless the call has seceded for good."""
            with threads_lock:
                while standing_in:
                    thread = standing_in.pop()
                    if thread in threads:
                        threads.remove(thread)
                        threads.add(own)

        @contextmanager
        def stand_in() -> Iterator[None]:
            thread = threading.current_thread()
            vars(pool_state).update(pool)
            vars(task_state).update(task)
            with threads_lock:
                if own in threads:
                    threads.remove(own)
                    threads.add(thread)
                    standing_in.append(thread)
            with worker.active_threads_lock:  # so that an interruption reaches this thread, too
                worker.active_threads[thread.ident] = task.get("key")
            try:
                yield
            finally:
                with worker.active_threads_lock:
                    worker.active_threads.pop(thread.ident, None)
                if thread in standing_in:  # else it was left behind
                    put_back()

        own.turgo_stand_in = stand_in  # type: ignore[attr-defined]
        try:
            return fn(*args)
        finally:
            del own.turgo_stand_in  # type: ignore[attr-defined]
            put_back()
            pool_state.proceed = own in threads  # a thread that has seceded ends after its call

    return ByValue(adopt)
