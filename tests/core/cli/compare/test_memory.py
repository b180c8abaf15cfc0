"""How much memory is held, by this process and those below it."""

import subprocess
import sys

import pytest

from turgo.cli.compare.memory import Memory

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="read from /proc")

HELD_BYTES = 200 << 20


def test_what_is_held_and_let_go_was_held() -> None:
    """A peak stays."""
    memory = Memory()
    memory.look()
    before = memory.peak_bytes
    block = bytearray(HELD_BYTES)
    block[::4096] = b"x" * len(block[::4096])
    memory.look()
    del block
    memory.look()
    assert memory.peak_bytes >= before + HELD_BYTES // 2


def test_children_count() -> None:
    """Those that this process has started."""
    child = subprocess.Popen(
        [sys.executable, "-c", f"x = b'x' * {HELD_BYTES}; print(flush=True); input()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert child.stdin is not None and child.stdout is not None
    memory = Memory()
    with child, memory.watched():
        child.stdout.readline()
        memory.look()
        child.stdin.close()
        child.wait(60)
    assert memory.peak_bytes >= HELD_BYTES
