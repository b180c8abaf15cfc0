"""What crosses from the driver to a worker and back, where they share no memory.

    driver                                    worker
    packed(fn, args, kwargs) ──bytes──>  call(payload): runs it
    Crossing, the future     <──bytes──  a plain value, or an Outcome

Calls, values and errors travel as bytes that this module makes and reads. The pools' own pickling takes no lambda,
and CPython's process pool breaks for good where an error does not unpickle in the driver.
"""

from __future__ import annotations

import pickle
import threading
import traceback
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, CancelledError, Future
from typing import Any

import cloudpickle
from turgo.errors import ValueNotPortableError, WorkerLostError

_PLAIN = frozenset({bool, int, float, str, bytes, type(None)})


class RemoteTraceback(Exception):  # noqa: N818  (the cause of an error; its text is the traceback in the worker)
    """Where the error was raised in the worker."""

    def __str__(self) -> str:
        return f"\n{self.args[0]}"


class Outcome:
    """A value, or an error with its traceback as text. `payload` is its pickled form."""

    __slots__ = ("payload", "traceback_text")

    def __init__(self, payload: bytes, traceback_text: str | None = None) -> None:
        self.payload, self.traceback_text = payload, traceback_text


def packed(fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> bytes:
    """The call as bytes. Raises ValueNotPortableError if it cannot be pickled."""
    try:
        return _dumped((fn, args, kwargs))
    except Exception as error:  # pickling runs the user's code
        name = getattr(fn, "__name__", repr(fn))
        raise ValueNotPortableError(f"the call of {name} cannot be pickled: {error}") from error


def call(payload: bytes) -> Any:
    """Run a packed call, in the worker. Never raises: an error of the call comes as an Outcome."""
    try:
        fn, args, kwargs = pickle.loads(payload)
        value = fn(*args, **kwargs)
    except BaseException as error:  # noqa: BLE001  (the error is handed on, as the future's)
        return _failure(error)
    if type(value) in _PLAIN:
        return value
    try:
        return Outcome(_dumped(value))
    except Exception as error:  # noqa: BLE001  (pickling runs the user's code)
        return _failure(
            ValueNotPortableError(f"the value, a {type(value).__name__}, cannot be pickled: {error}")
        )


def _dumped(value: Any) -> bytes:
    blob: bytes = cloudpickle.dumps(value, protocol=pickle.HIGHEST_PROTOCOL)
    return blob


def _failure(error: BaseException) -> Outcome:
    """The error in a form that is known to unpickle; a stand-in that tells of it where it does not."""
    text = "".join(traceback.format_exception(error))
    try:
        payload = _dumped(error)
        pickle.loads(payload)
    except Exception as why:  # noqa: BLE001  (pickling runs the user's code)
        told = f"{type(error).__name__}: {error} (the error itself cannot be pickled: {why})"
        payload = _dumped(ValueNotPortableError(told))
    return Outcome(payload, text)


class Crossing(Future[Any]):
    """The future of a packed call. `inner`, once it is there, is the pool's own future for it.

    closing: says whether the pool is being closed; what it breaks off then was taken back, and not lost.
    """

    def __init__(self, closing: Callable[[], bool]) -> None:
        super().__init__()
        self.inner: Future[Any] | None = None
        self._closing = closing

    def follow(self, inner: Future[Any]) -> None:
        """Take on what becomes of `inner`."""
        self.inner = inner
        inner.add_done_callback(self._finished)

    def cancel(self) -> bool:
        """Take the call back. False once the pool has handed it to a worker."""
        inner = self.inner
        if inner is not None and not self.done():
            return inner.cancel()  # which settles this one, through its callback
        return super().cancel()

    def running(self) -> bool:
        """Whether the pool has handed it to a worker."""
        inner = self.inner
        return not self.done() and inner is not None and inner.running()

    def _finished(self, inner: Future[Any]) -> None:
        self._take_on(inner)
        self.inner = None  # the two hold each other, and the value with them

    def _take_on(self, inner: Future[Any]) -> None:
        try:
            value = inner.result()
        except CancelledError:
            self._taken_back()
        except BaseException as error:  # noqa: BLE001  (`call` never raises, so it is the pool that speaks)
            if self._closing():
                self._taken_back()
            elif isinstance(error, BrokenExecutor):
                # CPython 3.12 and later call this while they hold the lock of the pool, so a callback that submits
                # again would wait for ever. A thread of its own holds nothing.
                threading.Thread(target=self._lost, args=(error,), daemon=True).start()
            else:
                self.set_exception(error)
        else:
            self._read(value)

    def _taken_back(self) -> None:
        super().cancel()
        self.set_running_or_notify_cancel()

    def _lost(self, broken: BrokenExecutor) -> None:
        message = f"the worker that held the call is gone, or another of its pool: {broken}"
        self._fail(
            WorkerLostError(message, sure=False), broken
        )  # a pool that breaks does not say whose call it was

    def _read(self, value: Any) -> None:
        if type(value) is not Outcome:
            self.set_result(value)
            return
        try:
            content = pickle.loads(value.payload)
        except Exception as error:  # noqa: BLE001  (unpickling runs the user's code)
            self._fail(ValueNotPortableError(f"what the call gave cannot be unpickled here: {error}"), error)
            return
        if value.traceback_text is None:
            self.set_result(content)
        else:
            self._fail(content, RemoteTraceback(value.traceback_text))

    def _fail(self, error: BaseException, cause: BaseException) -> None:
        if error.__cause__ is None:
            error.__cause__ = cause
        self.set_exception(error)
