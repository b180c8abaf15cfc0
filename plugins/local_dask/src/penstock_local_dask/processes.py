"""A pool of processes that survives the death of one, and that can be left at once.

    submit ──pickled here──> queue ──> thread 0 ──pipe──> process 0: worker.main
                                  └──> thread 1 ──pipe──> process 1

Each process belongs to one thread of the driver, which gives it one call after another. So it is always known which
call a process holds: the one that kills its process is found by that, a call that takes too long is ended together
with its process, and the others do not notice. `concurrent.futures.ProcessPoolExecutor` shares one pipe among all
processes, and is broken for good when one of them dies.
"""

from __future__ import annotations

import atexit
import logging
import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import cloudpickle
import dask.config

from penstock.errors import ExecutorStartError, TaskTimeoutError, ValueNotPortableError, WorkerLostError
from penstock_local_dask import pipe as messages
from penstock_local_dask.pipe import Packed, packed, unpacked
from penstock_local_dask.process import Died, TookTooLong, WorkerProcess, context

logger = logging.getLogger(__name__)


class RemoteTraceback(Exception):  # noqa: N818  (the cause of an error; its text is the traceback in the worker)
    """Where the error was raised in the worker process."""

    def __str__(self) -> str:
        return f"\n{self.args[0]}"


class ProcessFuture(Future[Any]):
    """The future of a call in a process.

    For its base class it is pending until it is done, so that it can be cancelled while a process has the call.
    """

    def __init__(self, name: str, seconds: float | None) -> None:
        super().__init__()
        self.name, self.seconds = name, seconds
        self.call: Packed | None = None
        self.runner: _Runner | None = None
        self._claimed = False
        self._claiming = threading.Lock()

    def _claim(self) -> bool:
        """Whether the caller is the one who says what became of the call."""
        with self._claiming:
            first, self._claimed = not self._claimed, True
        return first

    def cancel(self) -> bool:
        """Take the call back; a process that has begun it is ended, and replaced. False if it is done."""
        if not self._claim():
            return self.cancelled()
        super().cancel()
        self.set_running_or_notify_cancel()  # without it `concurrent.futures.wait` would not hear of it
        self.call = None
        runner = self.runner
        if runner is not None:
            runner.give_up(self)
        return True

    def running(self) -> bool:
        """Whether a process has it."""
        return self.runner is not None and not self.done()

    def succeed(self, value: Any) -> None:
        """Give it its value, unless it was cancelled."""
        if self._claim():
            self.set_result(value)

    def fail(self, error: BaseException, cause: BaseException | None = None) -> None:
        """Give it its error, unless it was cancelled."""
        if self._claim():
            if error.__cause__ is None:
                error.__cause__ = cause
            self.set_exception(error)


class ProcessPool:
    """At most `workers` processes, started when they are needed, by dask's configured method."""

    def __init__(self, workers: int) -> None:
        self.workers = workers
        self.context = context()
        self.initializer = cloudpickle.dumps(dask.config.get("multiprocessing.initializer", None))
        self.starting = threading.Lock()
        self.queue: queue.SimpleQueue[ProcessFuture | None] = queue.SimpleQueue()
        self.idle = threading.Semaphore(0)
        self.closed = self.stopped = False
        self._runners: list[_Runner] = []
        self._lock = threading.Lock()
        atexit.register(self.stop, 1.0)  # a pool that is never left would keep Python from ending

    def submit(
        self,
        name: str,
        fn: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        seconds: float | None = None,
    ) -> Future[Any]:
        """Run `fn(*args, **kwargs)` in a process, for `seconds` at most. `name` is how messages call it."""
        future = ProcessFuture(name, seconds)
        try:
            future.call = packed((seconds is not None, fn, args, kwargs))
        except Exception as error:  # noqa: BLE001  (pickling runs the user's code)
            told = error
            if not isinstance(error, ValueNotPortableError):  # which says whose argument it is
                told = ValueNotPortableError(f"the call {name!r} cannot be pickled: {error}")
                told.__cause__ = error
            future.fail(told)
            return future
        with self._lock:
            if self.closed:
                raise RuntimeError("the pool is closed")
            self.queue.put(future)
            if len(self._runners) < self.workers and not self.idle.acquire(blocking=False):
                self._runners.append(_Runner(self, len(self._runners)))
        return future

    def close(self) -> None:
        """Let what runs come to its end; what waits is cancelled."""
        for runner in self._shut():
            runner.thread.join()

    def stop(self, seconds: float) -> None:
        """End the processes within `seconds`, whatever they do: terminate, kill, join."""
        self.stopped = True
        runners = self._shut()
        half, end = (time.monotonic() + seconds * share for share in (0.5, 1.0))
        for runner in runners:
            runner.terminate()
        _join(runners, half)
        for runner in runners:
            runner.kill()
        _join(runners, end)

    def _shut(self) -> list[_Runner]:
        with self._lock:
            self.closed = True
        atexit.unregister(self.stop)
        waiting = []
        try:
            while True:
                waiting.append(self.queue.get_nowait())
        except queue.Empty:
            pass
        for future in waiting:
            if future is not None:
                future.cancel()
        for _ in self._runners:
            self.queue.put(None)
        return self._runners


def _join(runners: list[_Runner], until: float) -> None:
    for runner in runners:
        if runner.thread is not threading.current_thread():
            runner.thread.join(max(0.0, until - time.monotonic()))


class _Runner:
    """A thread and the process that it looks after. Starts at once."""

    def __init__(self, pool: ProcessPool, number: int) -> None:
        self._pool = pool
        self._process: WorkerProcess | None = None
        self._current: ProcessFuture | None = None
        self._lock = threading.Lock()
        self.thread = threading.Thread(target=self._run, name=f"penstock-process-{number}", daemon=True)
        self.thread.start()

    def _run(self) -> None:
        pool = self._pool
        try:
            while (future := pool.queue.get()) is not None:
                self._serve(future)
                del future  # a thread that waits keeps nothing alive
                pool.idle.release()
        finally:
            process = self._process
            if process is not None and not process.close() and not pool.stopped:
                logger.warning("a process that was told to end did not, and was killed")

    def _serve(self, future: ProcessFuture) -> None:
        if future.done():  # cancelled while it waited
            return
        try:
            process = self._opened()
            if self._takes(future):
                self._settle(future, process)
        except Died as died:
            self._lost(future, str(died))
        except TookTooLong:
            self._overdue(future)
        except BaseException as error:  # noqa: BLE001  (no process could be started: that call's error)
            self._discard()
            future.fail(error)
        finally:
            with self._lock:
                self._current = future.runner = None

    def _opened(self) -> WorkerProcess:
        """The process, a new one if there is none that lives. Raises ExecutorStartError if its set-up fails."""
        if self._process is not None:
            if self._process.alive():
                return self._process
            self._discard()
        process = WorkerProcess(self._pool.context, self._pool.initializer, self._pool.starting)
        with self._lock:
            self._process = process
            if self._pool.stopped:
                process.terminate()
        kind, payload, buffers = process.receive()
        if kind == messages.FAILURE:
            error, text = unpacked(payload, buffers)
            raise ExecutorStartError(f"a process could not be set up: {text}") from error
        return process

    def _takes(self, future: ProcessFuture) -> bool:
        """Become the one that a cancelled call has to ask; False if it is cancelled already."""
        with self._lock:
            self._current = future
        future.runner = self
        return not future.done()

    def _settle(self, future: ProcessFuture, process: WorkerProcess) -> None:
        call, future.call = future.call, None
        if call is None:
            return
        kind, payload, buffers = process.call(call, future.seconds)
        with self._lock:
            self._current = None  # from here on nobody ends the process for the sake of this call
        del call
        try:
            content = unpacked(payload, buffers)
        except Exception as error:  # noqa: BLE001  (unpickling runs the user's code)
            future.fail(ValueNotPortableError(f"what the call gave cannot be unpickled here: {error}"), error)
            return
        if kind == messages.VALUE:
            future.succeed(content)
        else:
            raised, text = content
            future.fail(raised, RemoteTraceback(text))

    def _lost(self, future: ProcessFuture, how: str) -> None:
        self._discard()
        if self._pool.stopped:
            future.cancel()
        else:
            future.fail(WorkerLostError(f"the process that ran {future.name!r} {how}"))

    def _overdue(self, future: ProcessFuture) -> None:
        self.kill()
        self._discard()
        seconds = future.seconds or 0.0
        message = f"{future.name!r} took longer than {seconds:g} s and was killed with its process"
        future.fail(TaskTimeoutError(message, seconds=seconds))

    def _discard(self) -> None:
        """Be done with a process that is gone, or is going."""
        with self._lock:
            process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.close()

    def give_up(self, future: ProcessFuture) -> None:
        """End the process if it still makes that call."""
        with self._lock:
            if self._current is future and self._process is not None:
                self._process.kill()

    def terminate(self) -> None:
        """Ask the process to end."""
        with self._lock:
            if self._process is not None:
                self._process.terminate()

    def kill(self) -> None:
        """End the process, whatever it does."""
        with self._lock:
            if self._process is not None:
                self._process.kill()
