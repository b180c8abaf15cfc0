"""Messages of the pipe: large arrays out of band."""

from __future__ import annotations

import socket
import sys

import cloudpickle
import pytest

from turgo_local_dask import LocalDaskExecutor
from turgo_local_dask.processes.pipe import Kind, Pipe, packed, unpacked

np = pytest.importorskip("numpy")

cloudpickle.register_pickle_by_value(sys.modules[__name__])  # the processes do not have this file


def test_large_buffers_are_no_part_of_the_pickle() -> None:
    """The memory of a large array is handed over as it lies there; a small one stays within."""
    large, small = np.arange(2.0**20), np.arange(8)
    payload, buffers = packed({"large": large, "small": small})
    assert len(payload) < 2000
    (buffer,) = buffers
    assert np.shares_memory(np.frombuffer(buffer), large)
    back = unpacked(payload, buffers)
    assert np.shares_memory(back["large"], large)
    assert back["small"].tolist() == small.tolist()


def test_arrays_go_to_processes_and_back_whole() -> None:
    """Their order in memory and whether they can be written stay as they were; a transposed view comes as an array."""
    array = np.asfortranarray(np.arange(2.0**18).reshape(512, 512))
    frozen = array.copy()
    frozen.flags.writeable = False
    with LocalDaskExecutor("processes", num_workers=1).start() as executor:
        one, other, view = executor.submit(lambda *given: given, array, frozen, array[::2]).result()
    assert np.array_equal(one, array)
    assert one.flags.f_contiguous
    assert one.flags.writeable
    assert not other.flags.writeable
    assert np.array_equal(view, array[::2])


def test_what_is_no_message_ends_the_pipe() -> None:
    """A head of other bytes says nothing of how much follows; nobody waits for that."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        Pipe(theirs).send(Kind.VALUE, 3, b"payload")
        sent = bytearray(ours.recv(1000))
        for at in range(len(sent) - len(b"payload")):
            changed = bytearray(sent)
            changed[at] ^= 0xFF
            theirs.sendall(changed)
            with pytest.raises(EOFError, match="is no message"):
                Pipe(ours).receive()
            ours.recv(1000)
        theirs.sendall(sent)
        message = Pipe(ours).receive()
        assert (message.kind, message.call, bytes(message.payload)) == (Kind.VALUE, 3, b"payload")
