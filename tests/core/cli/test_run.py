"""`turgo run` for real: a process of its own, a flow file, pipes, a terminal, signals."""

import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest

EXECUTOR = '''
from concurrent.futures import Future

from turgo.executor import Executor

class Serial(Executor):
    """Each call at once."""

    def __init__(self, *, label: str = "none", number: int = 0):
        self.label, self.number = label, number

    def submit(self, fn, /, *args, extra_context=None, **kwargs):
        future = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future

class Locked(Serial):
    """One that does not start."""

    def start(self):
        raise ValueError("the door is locked")

class Odd(Serial):
    """One whose `submit` returns no future."""

    def submit(self, fn, /, *args, extra_context=None, **kwargs):
        return 5

class Other(Serial):
    """Another one, that leaves a trace."""

    def submit(self, fn, /, *args, extra_context=None, **kwargs):
        open("other-was-here", "w").close()
        return super().submit(fn, *args, **kwargs)
'''

FLOWS = """
import time
from pathlib import Path

from turgo import flow, task

Path("loaded").touch()

@task
def double(x):
    return 2 * x

@task
def check(x, below):
    return judge(x, below)

def judge(x, below):
    if x >= below:
        raise ValueError(f"{x} is too much")
    return x

@task
def sleep(seconds):
    Path("sleeping").touch()
    time.sleep(seconds)

@task
def nap(seconds):
    time.sleep(seconds)
    return seconds

@flow
def doubles(limit: int, start: int = 0):
    return {"doubled": double.map(list(range(start, limit)))}

@flow
def text():
    return lines(1)

@task
def lines(times):
    return "line one\\nline two" * times

@task
def nothing_at_all():
    return None

@flow
def nothing():
    return nothing_at_all()

@flow
def much():
    return lines(200_000)

@flow
def checks(below: int = 3):
    return check.map(list(range(5)), below=below_as_list(below))

@task
def below_as_list(below):
    return [below] * 5

@flow
def refuses(limit: int = 1):
    raise RuntimeError("not today")
    return double(limit)

@flow
def sleeps(seconds: float = 60):
    return double(sleep(seconds))

@flow
def naps():
    return nap.map([0.2] * 10)

@flow(timeout=0.5)
def hurries():
    return double(sleep(60))

@task
def fails():
    raise ValueError("at once")

@flow
def breaks():
    return fails(), nap.map([0.5] * 400)

@flow(reference=[nothing_at_all])
def lenient():
    return nothing_at_all(), fails()

@flow(executor="./executors.py:Other")
def opinionated():
    return double(1)
"""

CONFIG = """
executor = "serial"

[executors.serial]
use = "./executors.py:Serial"
"""


@pytest.fixture(autouse=True)
def flows(project: Path) -> Path:
    """A project with a flow file, an executor in a file, and a profile of it as the default."""
    (project / "flows.py").write_text(FLOWS)
    (project / "executors.py").write_text(EXECUTOR)
    (project / "turgo.toml").write_text(CONFIG)
    return project


def run(*args: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """`turgo run …`, to its end."""
    line = [sys.executable, "-m", "turgo", "run", *args]
    return subprocess.run(line, capture_output=True, text=True, timeout=60, check=False, **options)


def test_the_result_goes_to_stdout_and_all_else_to_stderr() -> None:
    """A pipe gets the result alone; the lines and the summary are beside it, without colours."""
    done = run("flows.py:doubles", "-p", "limit=3")
    assert (done.returncode, done.stdout) == (0, "{'doubled': [0, 2, 4]}\n")
    assert "doubles runs on serial" in done.stderr
    assert ": double 3/3\n" in done.stderr
    assert re.search(r"^doubles: Success in .* on serial \(run .*\), 3 task runs$", done.stderr, re.MULTILINE)
    assert re.search(r"^double +3 ", done.stderr, re.MULTILINE)
    assert "\x1b" not in done.stderr


def test_a_text_is_printed_as_it_is_and_none_not_at_all() -> None:
    """No quotes around a text, no `None`."""
    assert run("flows.py:text").stdout == "line one\nline two\n"
    done = run("flows.py:nothing")
    assert (done.returncode, done.stdout) == (0, "")


def test_quiet_prints_the_result_alone() -> None:
    """`--quiet` says nothing on standard error if all goes well, and why if it does not."""
    done = run("flows.py:doubles", "-p", "limit=3", "--quiet")
    assert (done.stdout, done.stderr) == ("{'doubled': [0, 2, 4]}\n", "")
    done = run("flows.py:checks", "-q")
    assert done.returncode == 1
    assert done.stderr.startswith("check[3] (x=3, below=3) Failed")


def test_a_failed_flow_is_1_with_the_users_frames() -> None:
    """Failures with the frames of the flow file, none of turgo's, one that is alike below, and the counts by state."""
    done = run("flows.py:checks")
    assert (done.returncode, done.stdout) == (1, "")
    assert "checks: Failed in" in done.stderr
    assert re.search(r"^check +3 +2 ", done.stderr, re.MULTILINE)
    assert "check[3] (x=3, below=3) Failed" in done.stderr and "ValueError: 3 is too much" in done.stderr
    assert "  1 like it:\n    check[4] (x=4, below=3): 4 is too much\n" in done.stderr
    frames = re.findall(r'File "([^"]+)", line \d+, in (\w+)', done.stderr)
    assert {(Path(file).name, name) for file, name in frames} == {
        ("flows.py", "check"),
        ("flows.py", "judge"),
    }


def test_a_flow_that_raises_while_it_is_recorded_is_1() -> None:
    """The flow's own function failed: its frames, and that no task ran."""
    done = run("flows.py:refuses")
    assert (done.returncode, done.stdout) == (1, "")
    assert "Error: flow 'refuses' failed before its first task ran" in done.stderr
    assert done.stderr.rstrip().endswith("RuntimeError: not today")
    assert "turgo/flows" not in done.stderr


def test_an_executor_that_does_not_start_is_2_in_one_line() -> None:
    """Whatever its `start` raises: the reason is told, and not where in whose code it came up."""
    done = run("flows.py:doubles", "-p", "limit=1", "-e", "./executors.py:Locked")
    assert done.returncode == 2
    told = [line for line in done.stderr.splitlines() if line.startswith("Error: ")]
    assert len(told) == 1 and told[0].endswith("could not be started: ValueError: the door is locked")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("how", [[], ["--quiet"]])
def test_an_executor_that_breaks_its_contract_is_told_of_once(how: list[str]) -> None:
    """In one line, below the summary of what was left undone."""
    done = run("flows.py:doubles", "-p", "limit=1", "-e", "./executors.py:Odd", *how)
    assert done.returncode == 1
    assert done.stderr.count("Odd.submit returned int, which is no future") == 1
    assert done.stderr.splitlines()[-1].startswith("Error: Odd.submit")


def test_a_mistyped_executor_is_2_before_the_file_is_loaded(flows: Path) -> None:
    """What was asked, where, what exists, the nearest; and nothing of the flow's file was executed."""
    for args, environ in ((["-e", "seral"], {}), ([], {"TURGO_EXECUTOR": "seral"})):
        done = run("flows.py:text", *args, env={**os.environ, **environ})
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith("Error: there is no executor 'seral'")
        assert ("--executor" if args else "TURGO_EXECUTOR") in done.stderr
        assert "did you mean 'serial'" in done.stderr
        assert "Traceback" not in done.stderr
    assert not (flows / "loaded").exists()


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (
            ["flows.py:doubles", "-p", "limit=ten"],
            "parameter 'limit' of flow 'doubles': expected int, got 'ten'",
        ),
        (["flows.py:doubles", "-p", "limt=1"], "did you mean 'limit'"),
        (["flows.py:doubles"], "needs limit (int)"),
        (["flows.py:doubles", "-p", "executor=dask"], "write --executor NAME"),
        (["flows.py:text", "-o", "nubmer=3"], "did you mean 'number'"),
        (["flows.py:text", "-o", "number=three"], "number"),
        (["flows.py:txet"], "txet"),
        (["flows.py"], "text"),
        (["nowhere.py"], "nowhere.py"),
    ],
)
def test_a_mistake_is_2_and_one_message(args: list[str], words: str) -> None:
    """Bad parameters, options, flows and files: nothing ran, one message, no traceback."""
    done = run(*args)
    assert (done.returncode, done.stdout) == (2, "")
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.count("Error: ") == 1


def test_the_executor_is_that_of_option_variable_flow_and_file(flows: Path) -> None:
    """`--executor` before the variable before the flow's own before the file's."""
    trace = flows / "other-was-here"

    def other_ran(*args: str, **variables: str) -> bool:
        trace.unlink(missing_ok=True)
        done = run(*args, env={**os.environ, **variables})
        assert done.returncode == 0, done.stderr
        return trace.exists()

    assert not other_ran("flows.py:text")
    assert other_ran("flows.py:opinionated")
    assert not other_ran("flows.py:opinionated", TURGO_EXECUTOR="serial")
    assert not other_ran("flows.py:opinionated", "-e", "serial")
    assert other_ran("flows.py:text", "-e", "./executors.py:Other", TURGO_EXECUTOR="serial")


def test_a_reader_that_stops_reading_is_no_error() -> None:
    """`turgo run … | head -1` prints the line, says nothing of the pipe, and the run counts as done."""
    line = f"{sys.executable} -m turgo run flows.py:much -q | head -1; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "line one\n", "")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_is_130(flows: Path, number: signal.Signals) -> None:
    """Ctrl-C and SIGTERM end the run long before its task, with a summary and without a traceback."""
    line = [sys.executable, "-m", "turgo", "run", "flows.py:sleeps"]
    # A shell lets what it runs in the background ignore Ctrl-C, and that would be handed down.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    process = subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    signal.signal(signal.SIGINT, before)
    try:
        wait_for((flows / "sleeping").exists)
        process.send_signal(number)
        out, err = process.communicate(timeout=40)
    finally:
        process.kill()
        process.wait()
    assert (process.returncode, out) == (130, "")
    assert "sleeps: Cancelled" in err and "failed" not in err
    assert "Traceback" not in err


def test_a_run_that_takes_too_long_is_1() -> None:
    """The summary says so, with the seconds."""
    done = run("flows.py:hurries")
    assert (done.returncode, done.stdout) == (1, "")
    assert "the run of hurries took longer than its 0.5 s" in done.stderr
    assert "Traceback" not in done.stderr


def test_fail_fast_ends_the_run_with_its_first_failure() -> None:
    """As `@flow(fail_fast=True)` does, for one run, which would take minutes otherwise."""
    done = run("flows.py:breaks", "--fail-fast")
    assert (done.returncode, done.stdout) == (1, "")
    assert "ValueError: at once" in done.stderr and "Cancelled" in done.stderr


def test_a_run_that_succeeds_without_its_result_is_0_and_says_so() -> None:
    """Other tasks decide than the one that is returned and failed."""
    done = run("flows.py:lenient")
    assert (done.returncode, done.stdout) == (0, "")
    assert "there is no result: fails is Failed: ValueError: at once" in done.stderr


def test_a_file_that_fails_on_import_is_2_with_the_users_traceback(flows: Path) -> None:
    """From the line of the file on, without the frames that led to it."""
    (flows / "broken.py").write_text("from turgo import flow\n\nnumber = 1 / 0\n")
    done = run("broken.py")
    assert (done.returncode, done.stdout) == (2, "")
    assert "broken.py fails on import" in done.stderr and "line 3" in done.stderr
    assert "ZeroDivisionError" in done.stderr and "turgo/flows" not in done.stderr


def test_several_flows_in_a_file_have_to_be_named() -> None:
    """The error lists them as they are to be written."""
    done = run("flows.py")
    assert done.returncode == 2
    for name in ("doubles", "text", "sleeps"):
        assert f"flows.py:{name}" in done.stderr


def wait_for(true: Callable[[], bool], seconds: float = 60) -> None:
    """Wait until something is so."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)


def on_a_terminal(*args: str, columns: int = 100, **variables: str) -> tuple[int, str, str]:
    """Run with standard error on a terminal: exit code, standard output, what was drawn."""
    ours, theirs = pty.openpty()
    environ = {**os.environ, "TERM": "xterm-256color", "COLUMNS": f"{columns}", "LINES": "30", **variables}
    line = [sys.executable, "-m", "turgo", "run", *args]
    process = subprocess.Popen(line, stdout=subprocess.PIPE, stderr=theirs, text=True, env=environ)
    os.close(theirs)
    try:
        drawn = read_all(ours)
        out, _ = process.communicate(timeout=60)
    finally:
        process.kill()
        process.wait()
        os.close(ours)
    return process.returncode, out, drawn


@pytest.mark.parametrize(
    ("columns", "title", "end"),
    [
        (
            40,
            "check[3] (x=3, below=3) Failed on\r\n    ",
            "  to make it again here: turgo replay\r\n    checks-",
        ),
        (200, "check[3] (x=3, below=3) Failed on ", "  to make it again here: turgo replay checks-"),
    ],
)
def test_failures_are_readable_on_terminals_of_any_width_and_without_colour(
    columns: int, title: str, end: str
) -> None:
    """Lines are broken between words, and what is to be copied is whole."""
    code, _, drawn = on_a_terminal("flows.py:checks", columns=columns, NO_COLOR="1")
    shown = drawn[drawn.index("\n\r\ncheck[3]") :]
    assert code == 1 and title in shown and end in shown and "\x1b[" not in shown
    assert "\r\n  ValueError: 3 is too much\r\n" in shown


def read_all(descriptor: int, seconds: float = 60) -> str:
    """What is written to a terminal until the last writer is gone."""
    found = b""
    end = time.monotonic() + seconds
    while select.select([descriptor], [], [], max(0.0, end - time.monotonic()))[0]:
        try:
            part = os.read(descriptor, 65536)
        except OSError:  # how Linux says that nobody holds the other side any more
            break
        if not part:
            break
        found += part
    return found.decode()


def test_a_terminal_shows_live_progress() -> None:
    """Rows that count up, drawn over each other and taken away at the end; the result stays in its pipe."""
    code, out, drawn = on_a_terminal("flows.py:naps")
    assert (code, out) == (0, f"{[0.2] * 10}\n")
    text = click.unstyle(drawn)
    counts = {int(count) for count in re.findall(r"nap[^\n]*?(\d+)/10", text)}
    assert len(counts) > 2
    assert "\x1b[?25l" in drawn and "\x1b[?25h" in drawn, "the cursor is hidden, and shown again"
    assert "naps: Success in" in text
    assert "runs on" not in text


def test_a_terminal_shows_failures_in_colour() -> None:
    """The summary follows the display, with the states coloured."""
    code, out, drawn = on_a_terminal("flows.py:checks")
    assert (code, out) == (1, "")
    assert "\x1b[31mcheck[3] (x=3, below=3) Failed" in drawn
    assert "ValueError: 3 is too much" in drawn


OBSERVER = """
from pathlib import Path

from turgo.hooks import hookimpl

@hookimpl
def turgo_flow_finished(run):
    Path("heard").write_text(f"{run.flow} {run.state}")
"""


def test_observers_of_other_packages_hear_of_the_run(flows: Path, tmp_path: Path) -> None:
    """One that is installed hears; one that does not load is a warning with its distribution."""
    info = tmp_path / "turgo_bell-2.1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: turgo-bell\nVersion: 2.1\n")
    (info / "entry_points.txt").write_text("[turgo.observers]\nbell = bell\ncracked = not_there\n")
    (tmp_path / "bell.py").write_text(OBSERVER)
    done = run("flows.py:text", env={**os.environ, "PYTHONPATH": str(tmp_path)})
    assert (done.returncode, done.stdout) == (0, "line one\nline two\n")
    assert (flows / "heard").read_text() == "text Success"
    assert "Warning: the observer 'cracked' of turgo-bell 2.1 is left out: ModuleNotFound" in done.stderr
