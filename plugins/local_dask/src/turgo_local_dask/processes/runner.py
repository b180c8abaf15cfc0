"""A thread of the driver and the worker process that belongs to it. A dead one is replaced.

queue ──future──> Runner ──call──> WorkerProcess
                     └──value, error, lost or too late──> future
"""

from __future__ import annotations

import logging
import queue
import threading

from turgo.errors import ExecutorStartError, TaskTimeoutError, ValueNotPortableError, WorkerLostError
from turgo_local_dask.processes.pipe import Kind, unpacked
from turgo_local_dask.processes.process_failures import start_failure
from turgo_local_dask.processes.process_future import ProcessFuture, RemoteTraceback
from turgo_local_dask.processes.worker_process import Died, Setup, TookTooLong, WorkerProcess

logger = logging.getLogger(__name__)

Calls = queue.SimpleQueue[ProcessFuture | None]
"""What waits for a process. None ends the runner that takes it."""


class Runner:
    """Starts at once. calls: where it takes them from; idle: released whenever it has nothing more to do."""

    def __init__(self, number: int, calls: Calls, idle: threading.Semaphore, setup: Setup) -> None:
        self._calls = calls
        self._idle = idle
        self._setup = setup
        self._process: WorkerProcess | None = None
        self._current: ProcessFuture | None = None
        self._stopped = False
        self._lock = threading.Lock()
        self.thread = threading.Thread(target=self._run, name=f"turgo-process-{number}", daemon=True)
        self.thread.start()

    def _run(self) -> None:
        try:
            while (future := self._calls.get()) is not None:
                self._execute(future)
                del future  # a thread that waits keeps nothing alive
                self._idle.release()
        finally:
            process = self._process
            if process is not None and not process.close() and not self._stopped:
                logger.warning("a process that was to end did not, and was killed")

    def _execute(self, future: ProcessFuture) -> None:
        if future.done():  # cancelled while it waited
            return
        try:
            process = self._opened()
            if self._takes(future):
                self._settle(future, process)
        except Died:
            self._lost(future)
        except TookTooLong:
            self._overdue(future)
        except BaseException as error:  # noqa: BLE001  (no process could be started: that call's error)
            self._discard()
            future.fail(error)
        finally:
            with self._lock:
                self._current = None
                future.holder = None

    def _opened(self) -> WorkerProcess:
        """The process, a new one if there is none that lives. Raises ExecutorStartError if none can be started."""
        if self._process is not None:
            if self._process.alive():
                return self._process
            self._discard()
        if self._setup.failure is not None:
            raise ExecutorStartError(self._setup.failure)
        try:
            process = WorkerProcess(self._setup)
        except (ConnectionError, EOFError) as error:
            if self._setup.context.get_start_method() != "forkserver":
                raise
            # It imports the program before it forks, from CPython 3.12.8 and 3.13.1 on, and ends where that fails.
            raise self._start_error("was lost with the fork server") from error
        with self._lock:
            self._process = process
            if self._stopped:
                process.terminate()
        self._await_ready(process)
        return process

    def _await_ready(self, process: WorkerProcess) -> None:
        """Wait until it is set up. If the first one fails in that, no other one is tried: they would all fail alike."""
        setup = self._setup
        try:
            message = process.receive()
        except Died:
            if setup.ready or self._stopped:
                raise
            raise self._start_error(process.ended()) from None
        if message.kind is Kind.FAILURE:
            error, text = unpacked(message.payload, message.buffers)
            setup.failure = f"a worker process could not be set up:\n\n{text}"
            raise ExecutorStartError(setup.failure) from error
        setup.ready = True

    def _start_error(self, how: str) -> ExecutorStartError:
        """What is said of the first process that did not start, and of all others."""
        setup = self._setup
        with setup.starting:
            if setup.failure is None:
                setup.failure = start_failure(how, setup.context.get_start_method())
        return ExecutorStartError(setup.failure)

    def _takes(self, future: ProcessFuture) -> bool:
        """Become the one that a cancelled call has to ask; False if it is cancelled already."""
        with self._lock:
            self._current = future
        future.holder = self
        return not future.done()

    def _settle(self, future: ProcessFuture, process: WorkerProcess) -> None:
        call = future.call
        future.call = None
        if call is None:
            return
        message = process.call(call, future.seconds)
        with self._lock:
            self._current = None  # from here on nobody ends the process for the sake of this call
        del call
        try:
            content = unpacked(message.payload, message.buffers)
        except Exception as error:  # noqa: BLE001  (unpickling runs the user's code)
            future.fail(ValueNotPortableError(f"what the call gave cannot be unpickled here: {error}"), error)
            return
        if message.kind is Kind.VALUE:
            future.succeed(content)
        elif type(content) is tuple and len(content) == 2 and isinstance(content[0], BaseException):
            future.fail(content[0], RemoteTraceback(str(content[1])))
        else:
            future.fail(ValueNotPortableError("the call failed, and its error cannot be read here"))

    def _lost(self, future: ProcessFuture) -> None:
        how = self._process.ended() if self._process is not None else "could not be started"
        self._discard()
        if self._stopped:
            future.cancel()
        else:
            future.fail(WorkerLostError(f"the process that ran {future.name!r} {how}"))

    def _overdue(self, future: ProcessFuture) -> None:
        self._discard()
        seconds = future.seconds or 0.0
        message = f"{future.name!r} took longer than {seconds:g} s and was killed with its process"
        future.fail(TaskTimeoutError(message, seconds=seconds))

    def _discard(self) -> None:
        """Be done with a process that is gone, or is going."""
        with self._lock:
            process = self._process
            self._process = None
        if process is not None:
            process.kill()
            process.close()

    def give_up(self, future: ProcessFuture) -> None:
        """End the process if it still executes that call."""
        with self._lock:
            if self._current is future and self._process is not None:
                self._process.kill()

    def terminate(self) -> None:
        """Ask the process to end; the pool is being stopped."""
        with self._lock:
            self._stopped = True
            if self._process is not None:
                self._process.terminate()

    def kill(self) -> None:
        """End the process, whatever it does."""
        with self._lock:
            if self._process is not None:
                self._process.kill()
