"""A call of a flow run reaches its worker as bytes; nobody on the way opens it."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

import pytest

from turgo_dask import DaskExecutor
from turgo_dask.calls.packed import packed
from turgo_dask.calls.wrappers import contained

MAIN = "__main__"


@pytest.mark.parametrize("text", ["", MAIN, MAIN * 3, f"__ma{MAIN}in__", f"a {MAIN} b {MAIN}"])
def test_what_is_packed_is_the_same_call(text: str) -> None:
    """By a pickle that needs no cloudpickle, and in which nothing says that it does."""
    fn, args, light = packed(contained(), (str.upper, text))
    assert light
    sent = pickle.dumps((fn, args))
    assert MAIN.encode() not in sent
    fn, args = pickle.loads(sent)
    assert fn(*args) == text.upper()


class Array:
    """Something whose content travels beside a pickle."""

    def __init__(self, content: Any) -> None:
        self.content = content

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        return Array, (pickle.PickleBuffer(self.content),)


def test_a_large_array_travels_beside_the_pickle() -> None:
    """It is not copied into it."""
    content = bytearray(1_000_000)
    buffers: list[pickle.PickleBuffer] = []
    call = packed(repr, (Array(content),))
    assert call.pickled is None
    sent = pickle.dumps(call[:2], 5, buffer_callback=buffers.append)
    assert len(sent) < 1_000 and [buffer.raw().obj for buffer in buffers] == [content]


def test_many_bytes_travel_alone() -> None:
    """Who waits for other calls does not wait until they are copied."""
    assert packed(repr, (bytes(1_000_000),)).pickled is None
    assert packed(repr, (1,)).pickled is not None


def _noted(path: str) -> None:
    """Write down which process opens a pickle."""
    with open(path, "a", encoding="utf-8") as file:
        file.write(f"{os.getpid()}\n")


class Noted:
    """Writes down each process that opens its pickle."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return _noted, (self.path,)


def test_a_scheduler_opens_no_call(tmp_path: Path) -> None:
    """It passes on what it gets; it runs within this process here, and the worker in another one."""
    options = {"n_workers": 1, "threads_per_worker": 1, "processes": True}
    with DaskExecutor(cluster_kwargs=options, debug=False).start() as executor:
        call = executor.submit(repr, Noted(str(tmp_path / "opened")), extra_context={"run_id": "run-1"})
        assert call.result(timeout=60) == "None"
    opened = (tmp_path / "opened").read_text().split()
    assert len(opened) == 1 and opened != [str(os.getpid())]
