"""An executor that declares nearly every capability and keeps its word: processes that are killed when need be."""

from __future__ import annotations

import logging
import pickle
import queue
import struct
import subprocess
import sys
import threading
from concurrent.futures import Future, InvalidStateError, ThreadPoolExecutor
from contextlib import contextmanager, suppress

import cloudpickle

from turgo.errors import TaskTimeoutError, WorkerLostError
from turgo.executor import Executor

WORKER = """
import logging, pickle, struct, sys, traceback
import cloudpickle
asked, told = sys.stdin.buffer, sys.stdout.buffer
sys.stdout = sys.stderr
lines = []
listener = logging.Handler()
listener.emit = lambda record: lines.append((record.name, record.levelno, record.getMessage()))
logging.getLogger().addHandler(listener)
while head := asked.read(8):
    blob = asked.read(struct.unpack("Q", head)[0])
    try:
        fn, args, kwargs = pickle.loads(blob)
        reply = (True, cloudpickle.dumps(fn(*args, **kwargs)), "")
    except BaseException as error:
        text = "".join(traceback.format_exception(error))
        try:
            packed = cloudpickle.dumps(error.with_traceback(None))
            pickle.loads(packed)
        except BaseException:
            packed = cloudpickle.dumps(RuntimeError(type(error).__name__))
        reply = (False, packed, text)
    out = pickle.dumps((*reply, lines))
    lines.clear()
    told.write(struct.pack("Q", len(out)) + out)
    told.flush()
"""


class Worker:
    """A process that makes one call after the other."""

    def __init__(self):
        self._future, self._lock, self.killed = None, threading.Lock(), False
        self._process = subprocess.Popen(
            [sys.executable, "-c", WORKER], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    def call(self, payload):
        """What the worker tells of the call. Raises OSError or EOFError if it dies."""
        self._process.stdin.write(struct.pack("Q", len(payload)) + payload)
        self._process.stdin.flush()
        head = self._process.stdout.read(8)
        if len(head) < 8:
            raise EOFError("the worker is gone")
        return pickle.loads(self._process.stdout.read(struct.unpack("Q", head)[0]))

    def take(self, future):
        """From now on, or with None no longer, it is at work for that future."""
        with self._lock:
            self._future = future

    def kill(self, future):
        """End it, whatever it does, if it is at work for that future."""
        with self._lock:
            if self._future is future:
                self.killed = True
                self._process.kill()

    def close(self):
        """End it, and give back what it held."""
        self._process.kill()
        self._process.wait()
        with suppress(OSError):
            self._process.stdin.close()
        self._process.stdout.close()


class CallFuture(Future):
    """A future that stays pending while its call runs, so that it can be cancelled then too."""

    worker = None

    def cancel(self):
        """Take the call back, or stop it."""
        if self.done():
            return self.cancelled()
        super().cancel()
        self.set_running_or_notify_cancel()
        if self.worker is not None:
            self.worker.kill(self)
        return True


class Told(Exception):  # noqa: N818  (no error itself, but the cause of one)
    """The cause of an error: its traceback in the worker, as text."""


class CapableExecutor(Executor):
    """Runs each call in a process of its own for as long as the call takes."""

    capabilities = frozenset(
        {"parallel", "distributed", "cancels_running", "hard_timeouts", "survives_worker_loss"}
        | {"forwards_logs", "resources"}
    )
    resource_tag = "capable-resource:{name}={amount}"

    def __init__(self, *, workers=2):
        self.workers = workers

    @property
    def slots(self):
        return self.workers

    @contextmanager
    def start(self):
        self._idle, self._at_work, self._unserved = queue.SimpleQueue(), set(), []
        self._pool = ThreadPoolExecutor(self.workers)
        try:
            yield self
        except BaseException:
            for future in list(self._at_work):
                future.worker.kill(future)
            raise
        finally:
            for future in set(self._unserved) - self._at_work:
                future.cancel()
            self._pool.shutdown(cancel_futures=True)
            with suppress(queue.Empty):
                while True:
                    self._idle.get_nowait().close()

    def submit(self, fn, /, *args, extra_context=None, **kwargs):
        future, hints = CallFuture(), extra_context or {}
        self._unserved = [each for each in self._unserved if not each.done()]
        self._unserved.append(future)
        if any(tag.startswith("capable-resource:") for tag in hints.get("task_tags", ())):
            return future  # no worker has any
        try:
            payload = cloudpickle.dumps((fn, args, kwargs))
        except Exception as error:  # noqa: BLE001  (pickling runs the user's code)
            future.set_exception(error)
        else:
            self._pool.submit(self._run, future, payload, hints.get("task_timeout"))
        return future

    def _run(self, future, payload, limit):
        if future.done():
            return
        try:
            worker = self._idle.get_nowait()
        except queue.Empty:
            worker = Worker()
        worker.take(future)
        future.worker = worker
        if future.done():  # cancelled meanwhile
            self._give_back(worker)
            return
        self._at_work.add(future)
        timer = threading.Timer(limit, worker.kill, [future]) if limit else None
        if timer:
            timer.start()
        try:
            outcome = worker.call(payload)
        except (OSError, EOFError) as lost:
            worker.close()
            overdue = timer is not None and timer.finished.is_set()
            self._settle(future, error=_over(limit) if overdue else WorkerLostError(str(lost)))
        else:
            self._give_back(worker)
            self._read(future, *outcome)
        finally:
            self._at_work.discard(future)
            if timer:
                timer.cancel()
                timer.join()

    def _give_back(self, worker):
        worker.take(None)
        if worker.killed:
            worker.close()
        else:
            self._idle.put(worker)

    def _read(self, future, good, packed, text, lines):
        for name, level, message in lines:
            logger = logging.getLogger(name)
            if logger.isEnabledFor(level):
                logger.handle(logger.makeRecord(name, level, "", 0, message, (), None))
        try:
            value = pickle.loads(packed)
        except Exception as error:  # noqa: BLE001  (unpickling runs the user's code)
            self._settle(future, error=error)
            return
        if good:
            self._settle(future, value=value)
        else:
            value.__cause__ = Told(text)
            self._settle(future, error=value)

    def _settle(self, future, *, value=None, error=None):
        with suppress(InvalidStateError):
            if error is not None:
                future.set_exception(error)
            else:
                future.set_result(value)


def _over(limit):
    return TaskTimeoutError(f"the call took longer than {limit} s", seconds=limit)
