"""Calls that go wrong, in every way that a worker has to bear."""

from __future__ import annotations

import os
import pickle
import signal
import sys
import time
from typing import Any, NoReturn

from turgo.errors import Skip
from turgo.testing import calls


class Halt(BaseException):
    """No Exception: `except Exception` lets it through."""


class Mute(Exception):  # noqa: N818
    """Its message cannot be shown."""

    def __str__(self) -> str:
        raise RuntimeError("no words for it")

    __repr__ = __str__


class Poison:
    """It can be pickled, and not be unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (_unpicklable, ("poison",))

    @classmethod
    def made(cls) -> Poison:
        """A new one, as the value of a call."""
        return cls()


class Stubborn:
    """Its pickling fails with an error that is not pickle's."""

    def __reduce__(self) -> tuple[Any, ...]:
        raise RuntimeError("I stay")


class HomeSick:
    """A value that refuses to be unpickled in one process: that of the id `home`."""

    def __init__(self, home: int, size: int) -> None:
        self.home, self.load = home, bytes(size)

    def __reduce__(self) -> tuple[Any, ...]:
        return (_not_at_home, (self.home, len(self.load)))

    @property
    def size(self) -> int:
        """Bytes of its load."""
        return len(self.load)


def _not_at_home(home: int, size: int) -> HomeSick:
    if os.getpid() == home:
        raise RuntimeError("the value came through the driver's process")
    return HomeSick(home, size)


def _unpicklable(word: str) -> NoReturn:
    raise pickle.UnpicklingError(word)


def throw(error: BaseException) -> NoReturn:
    """Raise the error that it is given."""
    raise error


def leave() -> NoReturn:
    """Raise SystemExit."""
    sys.exit(3)


def recurse(depth: int = 0) -> int:
    """Call itself without end."""
    return recurse(depth + 1) + 1


def fail_with_more() -> NoReturn:
    """Raise an error with an attribute and a note."""
    error: Any = ValueError("with more")
    error.code = 7
    error.add_note("a note")
    raise error


def fail_for_a_reason() -> NoReturn:
    """Raise an error that has a cause."""
    try:
        raise LookupError("the reason behind")
    except LookupError as reason:
        raise ValueError("what it led to") from reason


def fail_while_failing() -> NoReturn:
    """Raise an error while another one is handled, without saying that it is the cause."""
    try:
        raise LookupError("the first trouble")
    except LookupError:
        raise ValueError("what came of it")  # noqa: B904  (the context that nobody names is the point)


def fail_in_a_group() -> NoReturn:
    """Raise a group of two errors."""
    raise ExceptionGroup("both", [ValueError(1), KeyError(2)])


def fail_without_words() -> NoReturn:
    """Raise an error that cannot be shown."""
    raise Mute


def fail_unknown() -> NoReturn:
    """Raise an error of a class that is made here, and known nowhere else."""
    raise type("Unknown", (Exception,), {})("only here")


def skip() -> NoReturn:
    """Raise Skip."""
    raise Skip("nothing to do")


def die() -> NoReturn:
    """Kill the process that runs this, as the kernel does with one that takes too much memory."""
    os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(60)
    raise AssertionError("it lives on")


def die_in(own: int, driver: int) -> int:
    """`own`, save in the one element that is 13, and never in the driver's process."""
    if own == 13 and os.getpid() != driver:
        die()
    return own


def die_once(path: str) -> str:
    """Kill the process the first time; the file `path` shows that it was."""
    if not os.path.exists(path):
        calls.touch(path)
        die()
    return "survived"


def fail_until(path: str, times: int) -> int:
    """Fail the first `times` times; each call adds a line to the file `path`. Gives the number of this call."""
    calls.note(path)
    with open(path, encoding="utf-8") as file:
        count = len(file.readlines())
    if count <= times:
        raise ValueError(f"call {count} fails")
    return count


def hang(path: str, patience: float) -> str:
    """Wait for the file `path`; no error that is raised inside stops it. Ends with the path's folder."""
    end = time.monotonic() + patience
    while True:
        try:
            calls.wait_for(path, max(0.0, end - time.monotonic()))
        except BaseException:  # noqa: BLE001, S112  (this is the point of it)
            continue
        return "ended by itself"
