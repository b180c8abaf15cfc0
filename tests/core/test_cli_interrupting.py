"""`penstock run` ends when it is asked to, also where an executor waits for calls that cannot be stopped."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock import executor as contract

FLOW = """
import time
from pathlib import Path

from penstock import flow, task


@task
def stubborn(number):
    Path(__file__).with_name(f"began-{number}").touch()
    time.sleep(60)


@flow
def naps():
    return stubborn.map(range(2))
"""


@pytest.fixture
def stuck(tmp_path: Path) -> Iterator["subprocess.Popen[str]"]:
    """A run on the executor of the contract's docstring, whose threads are at work and cannot be stopped."""
    text = contract.__doc__.split("threads.py:ThreadsExecutor`::\n\n", 1)[1].split("\n`submit` is", 1)[0]
    (tmp_path / "threads.py").write_text("\n".join(line.removeprefix("    ") for line in text.splitlines()))
    (tmp_path / "naps.py").write_text(FLOW)
    command = [sys.executable, "-m", "penstock", "run", "naps.py", "-e", "./threads.py:ThreadsExecutor"]
    process = subprocess.Popen(
        command,
        cwd=tmp_path,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    end = time.monotonic() + 30
    while len(list(tmp_path.glob("began-*"))) < 2 and time.monotonic() < end:
        time.sleep(0.02)
    yield process
    process.kill()
    process.communicate()


def test_a_second_ctrl_c_leaves_at_once(stuck):
    """The first waits for what runs; the second does not, and says what it leaves behind."""
    stuck.send_signal(signal.SIGINT)
    time.sleep(0.3)
    assert stuck.poll() is None
    stuck.send_signal(signal.SIGINT)
    out, _ = stuck.communicate(timeout=3)
    assert stuck.returncode == 130
    assert "what could not be stopped was left behind" in out
    assert "Traceback" not in out


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
def test_one_signal_is_enough(stuck, number):
    """What cannot be stopped is left behind after less than 5 seconds."""
    stuck.send_signal(number)
    out, _ = stuck.communicate(timeout=7)
    assert stuck.returncode == 130
    assert "left behind" in out and "Traceback" not in out
