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


def heard() -> None:
    """Have a process hear SIGHUP, also below one that was started by `nohup`."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


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
            preexec_fn=heard,
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
@pytest.mark.parametrize(
    "number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name
)
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


HANGS_UP = """
import os, signal
from turgo import flow, task


@task
def hangs_up(number):
    if number == 1:
        os.kill(os.getpid(), signal.SIGHUP)
    return number


@flow
def calls():
    return hangs_up.map(range(3))
"""


@pytest.mark.parametrize(("ignored", "code"), [(False, 130), (True, 0)])
def test_the_end_of_the_terminal_cancels_the_run_unless_that_is_ignored(tmp_path, ignored, code):
    """As `nohup` does, and with it the run goes on."""
    (tmp_path / "calls.py").write_text(HANGS_UP)
    executor = f"{Path(__file__).parents[2]}/inline_executor.py:InlineExecutor"
    how = 'trap "" HUP; exec "$@"' if ignored else 'exec "$@"'
    ends = subprocess.run(
        ["sh", "-c", how, "sh", sys.executable, "-m", "turgo", "run", "calls.py", "-e", executor],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        preexec_fn=heard,
    )
    assert ends.returncode == code, ends.stderr
    assert "Cancelled" in ends.stderr or ignored
