"""The pipe between the driver and one worker process. Messages are numbered; large arrays go beside the pickle.

    message:  kind, sender, call, number of buffers, length, checksum of these │ the pickle │ lengths of the buffers │
              buffer │ buffer …

Every message says which process sent it and to which call it belongs, so that an answer is recognised by what it is and
not by when it comes: a process that a call forks has a copy of the pipe as well.

Pickle's protocol 5 gives the memory of arrays apart from the pickle. Such a buffer is written from where it lies and
read to where it stays, so between two processes it is copied once into the kernel and once out of it, and never within
either. Nothing of this has a name in the file system, so that nothing is left behind, however a process ends.
"""

from __future__ import annotations

import os
import pickle
import socket
import struct
import threading
import zlib
from collections.abc import Sequence
from enum import IntEnum
from typing import Any, NamedTuple

import cloudpickle

SEPARATE_BUFFER_BYTES = 1 << 16
"""Smaller buffers stay within the pickle, where they cost less than a message of their own."""

_HEAD = struct.Struct("!BIQIQ")
_SUM = struct.Struct("!I")

Packed = tuple[bytes, list[memoryview]]


class Kind(IntEnum):
    """What a message is: from the driver CALL alone, all others from the worker; BYTES are for the listeners there."""

    READY = 0
    CALL = 1
    BEGUN = 2
    VALUE = 3
    FAILURE = 4
    LOG = 5
    BYTES = 6


_KINDS = {int(kind): kind for kind in Kind}


class Message(NamedTuple):
    """What came through a pipe. sender: the id of the process; call: the number of the call, 0 if it is of none."""

    kind: Kind
    sender: int
    call: int
    payload: bytearray
    buffers: list[bytearray]


def packed(value: Any) -> Packed:
    """The pickle of `value`, and the large buffers that are no part of it. Raises what pickling raises."""
    buffers: list[memoryview] = []

    def stays_within(buffer: pickle.PickleBuffer) -> bool:
        raw = buffer.raw()
        if raw.nbytes < SEPARATE_BUFFER_BYTES:
            return True
        buffers.append(raw)
        return False

    return cloudpickle.dumps(value, protocol=5, buffer_callback=stays_within), buffers


def unpacked(payload: bytes | bytearray, buffers: Sequence[Any]) -> Any:
    """The value that `packed` was given. Raises what unpickling raises."""
    return pickle.loads(payload, buffers=buffers)


class Pipe:
    """One end of it. Any thread may send; one alone may receive. It is of use to the process that made it alone."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end
        self._owner = os.getpid()
        self._sending = threading.Lock()

    def fileno(self) -> int:
        """For `poll`."""
        return self._end.fileno()

    def send(
        self, kind: Kind, call: int = 0, payload: bytes = b"", buffers: Sequence[memoryview] = ()
    ) -> None:
        """Send a message. Raises OSError if the other end is gone, or if this process is a forked copy."""
        sender = os.getpid()
        if sender != self._owner:
            raise ConnectionError("the pipe belongs to the process that this one was forked from")
        head = _HEAD.pack(kind, sender, call, len(buffers), len(payload))
        head += _SUM.pack(zlib.crc32(head))
        with self._sending:
            if len(payload) < SEPARATE_BUFFER_BYTES:
                self._end.sendall(head + payload)
            else:
                self._end.sendall(head)
                self._end.sendall(payload)
            if buffers:
                self._end.sendall(struct.pack(f"!{len(buffers)}Q", *(each.nbytes for each in buffers)))
            for each in buffers:
                self._end.sendall(each)

    def receive(self) -> Message:
        """The next message. Raises EOFError or OSError if the other end is gone, or sends what is no message."""
        head = self._read(_HEAD.size + _SUM.size)
        kind, sender, call, count, length = _HEAD.unpack_from(head)
        known = _KINDS.get(kind)
        if known is None or _SUM.unpack_from(head, _HEAD.size)[0] != zlib.crc32(head[: _HEAD.size]):
            raise EOFError("what came through the pipe is no message")  # nor can the next one be found
        payload = self._read(length)
        sizes = struct.unpack(f"!{count}Q", self._read(8 * count)) if count else ()
        return Message(known, sender, call, payload, [self._read(size) for size in sizes])

    def _read(self, size: int) -> bytearray:
        data = bytearray(size)
        view = memoryview(data)
        while view:
            count = self._end.recv_into(view, len(view), socket.MSG_WAITALL)
            if not count:
                raise EOFError("the other end of the pipe is closed")
            view = view[count:]
        return data

    def end(self) -> None:
        """Say that nothing more will be sent."""
        self._end.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """Give it up."""
        self._end.close()
