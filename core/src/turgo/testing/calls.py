"""The functions that the checks submit. They live here so that workers in other processes can import them.

Events travel by files: the path of one is the argument, and its being there is the event.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import logging
import os
import socket
import threading
import time
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

CANCELLED = (concurrent.futures.CancelledError, asyncio.CancelledError)
"""What the future of a call that was taken back raises."""


class Pair(NamedTuple):
    """A named tuple, for checks that containers keep their class."""

    first: Any
    second: Any


class Counter:
    """A picklable object with a method and a call of its own."""

    def __init__(self, start: int) -> None:
        self.start = start

    def plus(self, number: int) -> int:
        """The sum with the start."""
        return self.start + number

    def __call__(self, number: int) -> int:
        return self.start + number

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Counter) and other.start == self.start

    def __hash__(self) -> int:
        return hash(self.start)


class OddError(Exception):
    """Its constructor does not take what `args` holds, so it pickles and then does not unpickle."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"{code}: {reason}")
        self.code, self.reason = code, reason


def add(first: Any, second: Any = 1) -> Any:
    """The sum."""
    return first + second


def identity(value: Any) -> Any:
    """What it was given."""
    return value


def given(*args: Any, **kwargs: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """All that it was called with."""
    return args, kwargs


def nothing() -> None:
    """Return None."""


def fail(*args: Any) -> NoReturn:
    """Raise a ValueError of these arguments."""
    raise ValueError(*args)


def fail_oddly() -> NoReturn:
    """Raise an error that does not unpickle."""
    raise OddError(7, "no such thing")


def fail_deeply() -> NoReturn:
    """Raise a LookupError one frame further down."""
    _the_culprit()


def _the_culprit() -> NoReturn:
    raise LookupError("deep down")


def fail_with_lock() -> NoReturn:
    """An error that cannot be pickled."""
    raise ValueError("it carries a lock", threading.Lock())


def make_lock() -> Any:
    """A value that cannot be pickled."""
    return threading.Lock()


def zeros(size: int) -> bytes:
    """`size` bytes."""
    return bytes(size)


def letters(size: int) -> bytes:
    """`size` bytes that take memory at once, as zeros do not."""
    return b"x" * size


def late(value: Any, seconds: float) -> Any:
    """`value`, after so many seconds."""
    time.sleep(seconds)
    return value


def touch(path: str) -> str:
    """Make the file `path`, as a sign that this call has begun."""
    Path(path).touch()
    return path


def note(path: str) -> None:
    """Add a line to the file `path`; short appends of several processes do not mix."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    try:
        os.write(handle, b"called\n")
    finally:
        os.close(handle)


def wait_for(path: str, patience: float) -> bool:
    """Wait at most `patience` seconds for the file `path`, while its folder is there; whether it came."""
    end, folder = time.monotonic() + patience, os.path.dirname(path)
    while not os.path.exists(path):
        if time.monotonic() > end or not os.path.exists(folder):  # the check that made it is over
            return False
        time.sleep(0.005)
    return True


def meet(own: str, other: str, patience: float) -> bool:
    """Make the file `own` and wait for `other`: true only if both calls run at the same time."""
    touch(own)
    return wait_for(other, patience)


def value_when(path: str, value: Any, patience: float) -> Any:
    """`value`, once the file `path` is there."""
    if not wait_for(path, patience):
        raise TimeoutError(f"{os.path.basename(path)} did not come within {patience:g} s")
    return value


def where() -> tuple[str, int]:
    """The name of the machine and the id of the process that runs this."""
    return socket.gethostname(), os.getpid()


def log(name: str, message: str) -> None:
    """Log a warning."""
    logging.getLogger(name).warning(message)


def finish(sign: str, gate: str, end: str, patience: float) -> str:
    """Make the file `sign`, wait for `gate`, make the file `end`."""
    meet(sign, gate, patience)
    return touch(end)


def touch_within(executor: Any, path: str) -> str:
    """Submit a further call to the executor that runs this one, and do not wait for it."""
    try:
        executor.submit(touch, path)
    except Exception as error:  # noqa: BLE001  (its name is what is asked for)
        return type(error).__name__
    return "submitted"


def beat(folder: str, seconds: float) -> str:
    """Add a byte to the file `beats` again and again, as a sign that this runs; make the file `end` at its end."""
    end = time.monotonic() + seconds
    # No file object: if it is interrupted before its `with` begins, Python warns of one that nobody has closed.
    file = os.open(os.path.join(folder, "beats"), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    try:
        while time.monotonic() < end:
            os.write(file, b".")
            time.sleep(0.005)
    finally:
        os.close(file)
    return touch(os.path.join(folder, "end"))


def beats(folder: str) -> int:
    """How often the calls of `beat` in that folder have beaten."""
    path = os.path.join(folder, "beats")
    return os.path.getsize(path) if os.path.exists(path) else 0


async def add_later(first: int, second: int) -> int:
    """The sum, from an event loop."""
    await asyncio.sleep(0.01)
    return first + second


def add_to(items: list[Any], item: Any) -> list[Any]:
    """Change the list that is given, and give it back."""
    items.append(item)
    return items


def size_of(value: Any) -> int:
    """The attribute `size` of a value."""
    size: int = value.size
    return size


def sizes_in(holder: dict[str, Any]) -> list[int]:
    """The attributes `size` of what lies in the lists of a dict."""
    return [item.size for items in holder.values() for item in items if hasattr(item, "size")]


def messages(count: int) -> list[bytes]:
    """What `send_all` sends."""
    return [b"message %d" % number for number in range(count)]


def send_all(send: Any, count: int) -> None:
    """Send so many messages by the channel of an executor."""
    for message in messages(count):
        send(message)


def note_and_fail(path: str, number: int) -> NoReturn:
    """Add a line to the file `path`, then raise a ValueError of this number."""
    note(path)
    raise ValueError(number)


def begin(folder: str, own: int, gate: str, patience: float) -> None:
    """Make a file in `folder`, as a sign that this call has begun, and wait for the file `gate`."""
    touch(os.path.join(folder, f"here-{own}"))
    wait_for(gate, patience)
