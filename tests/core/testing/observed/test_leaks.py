"""Leaks: a thread or a process that was not there before is named; what ends in time, or always lasts, is not."""

import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from turgo.testing.observed.leaks import nothing_left


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """What the threads of a test wait for; open at its end."""
    opened = threading.Event()
    yield opened
    opened.set()


def test_nothing_is_said_where_nothing_is_left() -> None:
    """A thread that has ended is not left."""
    with nothing_left(patience=0.0):
        thread = threading.Thread(target=int)
        thread.start()
        thread.join()


def test_a_thread_that_is_left_is_named(gate: threading.Event) -> None:
    """Unless it is a daemon, or one that the library keeps."""
    with nothing_left(patience=0.0):
        threading.Thread(target=gate.wait, daemon=True).start()
    lasting = threading.Thread(target=gate.wait, name="lasting-1")
    with nothing_left(lasting_threads=("lasting",), patience=0.0):
        lasting.start()
    left = threading.Thread(target=gate.wait, name="left-1")
    with (
        pytest.raises(AssertionError, match="left behind after 0 s: thread 'left-1'"),
        nothing_left(patience=0.0),
    ):
        left.start()
    gate.set()
    lasting.join()
    left.join()


def test_a_thread_that_is_about_to_end_is_waited_for(gate: threading.Event) -> None:
    """For as long as the patience says."""
    with nothing_left(patience=30.0):
        threading.Thread(target=gate.wait).start()
        threading.Thread(target=gate.set).start()


def test_a_process_that_is_left_is_told_with_its_command() -> None:
    """Also one that multiprocessing knows nothing of."""
    command = [sys.executable, "-c", "print(flush=True); input()  # a child of the test"]
    child = None
    try:
        with pytest.raises(AssertionError, match="a child of the test"), nothing_left(patience=0.0):
            child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            child.stdout.readline()  # it is up, so its command can be read
    finally:
        assert child is not None
        child.communicate(b"\n", timeout=60)


def test_what_was_there_before_is_not_left(gate: threading.Event) -> None:
    """Whoever started it looks after it."""
    before = threading.Thread(target=gate.wait)
    before.start()
    with nothing_left(patience=0.0):
        pass
    gate.set()
    before.join()
