"""The pipe between the driver and one worker process: whole messages, large arrays beside the pickle.

    message:  kind, number of buffers, length of the pickle │ the pickle │ lengths of the buffers │ buffer │ buffer …

Pickle's protocol 5 gives the memory of arrays apart from the pickle. Such a buffer is written from where it lies and
read to where it stays, so between two processes it is copied once into the kernel and once out of it, and never within
either. Nothing of this has a name in the file system, so that nothing is left behind, however a process ends.
"""

from __future__ import annotations

import pickle
import socket
import struct
import threading
from collections.abc import Sequence
from typing import Any

import cloudpickle

READY, CALL, BEGUN, VALUE, FAILURE, LOG = range(6)
"""What a message is: from the driver CALL alone, all others from the worker."""

LARGE = 1 << 16
"""Bytes. Smaller buffers stay within the pickle, where they cost less than a message of their own."""

_HEAD = struct.Struct("!BIQ")

Packed = tuple[bytes, list[memoryview]]


def packed(value: Any) -> Packed:
    """The pickle of `value`, and the large buffers that are no part of it. Raises what pickling raises."""
    buffers: list[memoryview] = []

    def stays_within(buffer: pickle.PickleBuffer) -> bool:
        raw = buffer.raw()
        if raw.nbytes < LARGE:
            return True
        buffers.append(raw)
        return False

    return cloudpickle.dumps(value, protocol=5, buffer_callback=stays_within), buffers


def unpacked(payload: bytes | bytearray, buffers: Sequence[Any]) -> Any:
    """The value that `packed` was given. Raises what unpickling raises."""
    return pickle.loads(payload, buffers=buffers)


class Pipe:
    """One end of it. Any thread may send; one alone may receive."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end
        self._sending = threading.Lock()

    def fileno(self) -> int:
        """For `poll`."""
        return self._end.fileno()

    def send(self, kind: int, payload: bytes = b"", buffers: Sequence[memoryview] = ()) -> None:
        """Send a message. Raises OSError if the other end is gone."""
        head = _HEAD.pack(kind, len(buffers), len(payload))
        with self._sending:
            if len(payload) < LARGE:
                self._end.sendall(head + payload)
            else:
                self._end.sendall(head)
                self._end.sendall(payload)
            if buffers:
                self._end.sendall(struct.pack(f"!{len(buffers)}Q", *(each.nbytes for each in buffers)))
            for each in buffers:
                self._end.sendall(each)

    def receive(self) -> tuple[int, bytearray, list[bytearray]]:
        """The next message: its kind, pickle and buffers. Raises EOFError or OSError if the other end is gone."""
        kind, count, length = _HEAD.unpack(self._read(_HEAD.size))
        payload = self._read(length)
        if not count:
            return kind, payload, []
        sizes = struct.unpack(f"!{count}Q", self._read(8 * count))
        return kind, payload, [self._read(size) for size in sizes]

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
