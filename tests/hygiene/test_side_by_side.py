"""Tests run side by side: a line says how long they will take, and a Ctrl-C leaves nothing of them."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import psutil
import pytest
from tools.side_by_side.seconds import ELSEWHERE_SECONDS, Seconds, table
from tools.side_by_side.workers import longest_first

from turgo.registry.source_files import load_source

Session = load_source(Path(__file__).parents[1] / "integration" / "terminal_session.py").Session

IN_THE_BACKGROUND = 'trap "" INT; exec "$@"'
LIMIT_SECONDS = 100.0

PACED = """
import signal, pytest
@pytest.mark.parametrize("at", range(9))
def test_good(at): pass
def test_bad(): raise ValueError
def test_ctrl_c(): assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
"""
TALKATIVE = """
from tools.side_by_side import progress
for at in (True, False): progress.EVERY_SECONDS[at] = 0.0
"""


def command(root: Path, workers: int, *options: str) -> list[str]:
    """What `make test` runs, with the folder where it is for its tests."""
    started = [sys.executable, str(root / "tools/with_ctrl_c.py"), sys.executable, "-m", "pytest"]
    plugins = ["-p", "tools.side_by_side.progress", "-p", "tools.side_by_side.workers"]
    plugins += ["-o", "console_output_style=classic"]
    apart = ["--numprocesses", str(workers), "--dist", "loadscope", "--no-loadscope-reorder"]
    return [*started, *plugins, *apart, *options]


def test_a_line_says_how_long_the_tests_will_take(root: Path, tmp_path: Path) -> None:
    """In a pipe too, and in the background, where each worker hears Ctrl-C; the second time by experience."""
    (tmp_path / "test_it.py").write_text(PACED, encoding="utf-8")
    (tmp_path / "conftest.py").write_text(TALKATIVE, encoding="utf-8")
    for workers, seconds in ((2, int(11 * ELSEWHERE_SECONDS / 2)), (0, 0)):
        done = subprocess.run(
            ["sh", "-c", IN_THE_BACKGROUND, "sh", *command(root, workers)],
            cwd=tmp_path,
            env={"PYTHONPATH": str(root)},
            capture_output=True,
            text=True,
            timeout=LIMIT_SECONDS,
        )
        lines = done.stdout.splitlines()
        assert any(line.startswith(f"11 tests, about 0:0{seconds} with ") for line in lines), done.stdout
        assert "FAILED test_it.py::test_bad" in lines
        assert "FAILED test_it.py::test_bad - ValueError" in lines  # of the summary
        last = r"11 of 11 tests in \d:\d\d, about 0:00 left; 1 failed"
        assert [line for line in lines if re.fullmatch(last, line)], done.stdout
        assert " 1 failed, 10 passed in " in lines[-1], done.stdout
        assert not any(line.startswith((".", "test_it.py .")) for line in lines)


def test_on_a_terminal_the_line_is_written_over(root: Path, tmp_path: Path) -> None:
    """Only what failed stays above the summary."""
    (tmp_path / "test_it.py").write_text(PACED, encoding="utf-8")
    (tmp_path / "conftest.py").write_text(TALKATIVE, encoding="utf-8")
    session = Session(command(root, 0, "--no-summary"), tmp_path, columns=60, lines=40, PYTHONPATH=str(root))
    try:
        shown = session.finish()
    finally:
        session.close()
    assert b" of 11 tests in 0:" in session.raw
    assert [line for line in shown if "tests in" in line or "tests, about" in line] == []
    assert "FAILED test_it.py::test_bad" in shown and "1 failed, 10 passed in " in shown[-1]


def test_what_lasts_longest_begins_first() -> None:
    """File by file; the tests of a file stay in their order."""
    names = [f"{file}.py::test_{number}" for file in ("short", "many", "long") for number in (1, 0)]
    items = [cast(pytest.Item, SimpleNamespace(nodeid=name)) for name in names]
    ordered = longest_first(items, Seconds({"long.py": 5.0, "many.py": 1.0, "short.py": 0.5}))
    assert [item.nodeid for item in ordered] == names[4:] + names[2:4] + names[:2]


def test_a_test_lasts_as_long_as_others_of_its_file_do() -> None:
    """By the mean, where they are worth a line; else as others of its folder, or anywhere."""
    seconds = Seconds(table({"a.py::test_1": 5.0, "a.py::test_2": 1.0, "b.py::test_1": 0.1}))
    assert seconds.means == {"a.py": 3.0}
    assert seconds.of("a.py::test_new[1]") == 3.0
    assert seconds.of("b.py::test_1") == ELSEWHERE_SECONDS
    assert 0 < seconds.of("tests/core/test_it.py::test_1") < ELSEWHERE_SECONDS


STUBBORN = """
import pathlib, subprocess, time

def test_waits():
    child = subprocess.Popen(["sleep", "600"], start_new_session=True)
    pathlib.Path("part").write_text(str(child.pid))
    pathlib.Path("part").rename("pid")
    while True:
        try:
            time.sleep(600)
        except KeyboardInterrupt:
            pass
"""
IMPATIENT = """
from xdist.workermanage import NodeManager
from tools.side_by_side import workers
NodeManager.EXIT_TIMEOUT = workers.GRACE_SECONDS = 0.5
"""


@pytest.mark.skipif(os.name == "nt", reason="it has other signals")
def test_ctrl_c_leaves_nothing(root: Path, tmp_path: Path) -> None:
    """Neither a worker that cannot end, nor what its test has started."""
    (tmp_path / "test_it.py").write_text(STUBBORN, encoding="utf-8")
    (tmp_path / "conftest.py").write_text(IMPATIENT, encoding="utf-8")
    session = Session(command(root, 1), tmp_path, PYTHONPATH=str(root))
    try:
        end = time.monotonic() + LIMIT_SECONDS
        while not (tmp_path / "pid").exists():
            assert time.monotonic() < end and session.process.poll() is None
            time.sleep(0.05)
        started = [psutil.Process(session.process.pid), psutil.Process(int((tmp_path / "pid").read_text()))]
        started += started[0].children(recursive=True)
        assert len(started) > 2
        os.killpg(session.process.pid, signal.SIGINT)  # as a terminal does
        session.finish()
        assert not [each for each in started if each.is_running() and each.status() != psutil.STATUS_ZOMBIE]
    finally:
        session.close()
