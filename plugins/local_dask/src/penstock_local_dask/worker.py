"""What runs in a worker process: how it is set up, and how a call comes in and its outcome goes back.

Everything crosses by cloudpickle, so functions and classes of a script, lambdas and closures travel by
value. The pickled form is made and read by this module, not by `concurrent.futures`, whose pool breaks when
a result or an error does not unpickle in the driver.
"""

from __future__ import annotations

import os
import pickle
import signal
import threading
import traceback
from multiprocessing import connection, parent_process
from typing import Any

import cloudpickle
from dask.multiprocessing import initialize_worker_process

from penstock.errors import ValueNotPortableError


class NotBegun(Exception):  # noqa: N818  (a signal to the driver, and no error)
    """The call was still in the queue when the executor was closed."""


class Outcome:
    """A value, or an error with its traceback as text; in pickled form, to be read where it is wanted."""

    __slots__ = ("payload", "traceback_text")

    def __init__(self, payload: bytes, traceback_text: str | None = None) -> None:
        self.payload, self.traceback_text = payload, traceback_text


class RemoteTraceback(Exception):  # noqa: N818  (the cause of an error; its text is the traceback in the worker)
    """Where the error was raised in the worker process."""

    def __str__(self) -> str:
        return f"\n{self.args[0]}"


def initialize(closing: Any, user_initializer: bytes) -> None:
    """Set a worker process up: end with the driver, leave Ctrl-C to it, and do what dask does.

    `user_initializer` is a pickled function or None.
    """
    global _closing
    _closing = closing
    signal.signal(
        signal.SIGINT, lambda *_: None
    )  # not SIG_IGN, which programs started by tasks would inherit
    parent = parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()
    initialize_worker_process(pickle.loads(user_initializer))


_closing: Any = None


def _end_with(sentinel: int) -> None:
    """A driver that was killed cannot say so; the pipe that it held is closed then."""
    connection.wait([sentinel])
    os._exit(1)


def call(payload: bytes) -> Any:
    """Run a pickled call. Gives the value itself if it is plain, and an Outcome otherwise."""
    if _closing is not None and _closing.value:
        raise NotBegun
    try:
        fn, args, kwargs = pickle.loads(payload)
        value = fn(*args, **kwargs)
    except BaseException as error:  # noqa: BLE001  (the error is handed on, as the future's)
        return _failure(error)
    if value is None or type(value) in (bytes, str, int, float, bool):
        return value
    try:
        return Outcome(cloudpickle.dumps(value, protocol=pickle.HIGHEST_PROTOCOL))
    except Exception as error:  # noqa: BLE001  (pickling runs the user's code)
        return _failure(
            ValueNotPortableError(f"the result, a {type(value).__name__}, cannot be pickled: {error}")
        )


def _failure(error: BaseException) -> Outcome:
    """The error in a form that is known to unpickle; a stand-in with its text where it does not."""
    text = "".join(traceback.format_exception(error))
    try:
        payload = cloudpickle.dumps(error, protocol=pickle.HIGHEST_PROTOCOL)
        pickle.loads(payload)
    except Exception as why:  # noqa: BLE001  (pickling runs the user's code)
        stand_in = ValueNotPortableError(
            f"{type(error).__name__}: {error} (the error itself cannot be pickled: {why})"
        )
        payload = pickle.dumps(stand_in)
    return Outcome(payload, text)
