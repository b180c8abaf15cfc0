"""`turgo run` ends when it is asked to, also where an executor waits for calls that cannot be stopped."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from turgo.cli.terminal import signals

FLOW = """
import time
from pathlib import Path

from turgo import flow, task


@task
def stubborn(number):
    Path(__file__).with_name(f"began-{number}").touch()
    time.sleep(600)


@flow
def naps():
    return stubborn.map(range(2))
"""


TELLING = """

class TellingExecutor(ThreadsExecutor):
    @contextmanager
    def start(self):
        with super().start() as started:
            try:
                yield started
            finally:
                open("closing", "w").close()
"""

PATIENT = """
import sys
from turgo.cli import main
from turgo.cli.terminal import signals

signals.LEAVE_AFTER_SECONDS = 600.0
sys.exit(main())
"""

Stuck = Callable[..., "subprocess.Popen[str]"]


def wait_for(true: Callable[[], bool], seconds: float = 60) -> None:
    """Wait until something is so."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.fixture
def stuck(tmp_path: Path, threads_file: Path) -> Iterator[Stuck]:
    """A run on the executor of the contract's docstring, whose threads are at work and cannot be stopped.

    It makes the file `closing` once it is on its way out. Given are the arguments of Python that run `turgo`.
    """
    (tmp_path / "threads.py").write_text(threads_file.read_text() + TELLING)
    (tmp_path / "naps.py").write_text(FLOW)
    processes = []

    def begin(*python: str) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            [sys.executable, *python, "run", "naps.py", "-e", "./threads.py:TellingExecutor"],
            cwd=tmp_path,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        processes.append(process)
        wait_for(lambda: len(list(tmp_path.glob("began-*"))) == 2)
        return process

    yield begin
    for process in processes:
        process.kill()
        process.communicate()


def test_a_second_ctrl_c_leaves_at_once(stuck, tmp_path):
    """The first waits for what runs, here for minutes; the second does not, and says what it leaves behind."""
    process = stuck("-c", PATIENT)
    process.send_signal(signal.SIGINT)
    wait_for((tmp_path / "closing").exists)
    time.sleep(0.3)
    assert process.poll() is None
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "what could not be stopped was left behind" in out
    assert "Traceback" not in out


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
def test_one_signal_is_enough(stuck, number):
    """What cannot be stopped is left behind after some seconds, although it would go on for minutes."""
    process = stuck("-m", "turgo")
    process.send_signal(number)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "left behind" in out and "Traceback" not in out


def test_one_signal_is_enough_for_less_than_five_seconds():
    """So long it waits for what runs, as the documentation says."""
    assert 0 < signals.LEAVE_AFTER_SECONDS < 5
