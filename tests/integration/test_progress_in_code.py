"""Progress of runs in code, on a real terminal: `python flow.py` with `progress=True`, or by the configuration.

The terminal is emulated by pyte, so that what is checked is what somebody sees.
"""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from turgo.registry.source_files import load_source

_terminal = load_source(Path(__file__).with_name("terminal_session.py"))
LONG, Session = _terminal.LONG, _terminal.Session

SCRIPT = """
import logging, sys, time
from pathlib import Path
from turgo import flow, task

logging.basicConfig(level=logging.WARNING, format="%(message)s")

@task(batch=False)
def catch(number):
    end = time.monotonic() + 100
    while number == 7 and not Path("go").exists() and time.monotonic() < end:
        time.sleep(0.01)
    if number == 3:
        print("a print of the fisher")
        logging.warning("a line of the log")
    return number

@task
def weigh(fish):
    return sum(fish)

@flow(executor="local_dask")
def fishing(count=40):
    return weigh(catch.map(range(count)))

@task
def nested(fish):
    return fishing.run(8, progress=True).result

@flow
def fleet():
    return nested(weigh([1]))

if __name__ == "__main__":
    print("result", {call}.result)
"""


@pytest.fixture
def script(tmp_path):
    """Write the script, which calls its flow in some way."""

    def write(call="fishing.run(progress=True)"):
        (tmp_path / "fish.py").write_text(SCRIPT.replace("{call}", call))

    return write


@pytest.fixture
def terminal(tmp_path, script):
    """Run the script, or another command, on a terminal."""
    sessions = []

    def run(call="fishing.run(progress=True)", command=None, **settings):
        script(call)
        sessions.append(Session(command or [sys.executable, "fish.py"], tmp_path, **settings))
        return sessions[-1]

    yield run
    for each in sessions:
        each.close()


def row(lines, name="catch"):
    """The row of a task."""
    return next((line for line in lines if line.startswith(name)), "")


@pytest.mark.parametrize("columns", [40, 200])
def test_bars_are_there_while_it_runs_and_gone_afterwards(terminal, tmp_path, columns):
    """Prints and logs stand above them; what is left is what the script says."""
    session = terminal(columns=columns)
    lines = session.until(lambda lines: "39/40" in row(lines))
    assert lines[:2] == ["a print of the fisher", "a line of the log"]
    assert lines[-1] == "fishing on local_dask"
    assert ("━" in row(lines)) and ("0/1" in row(lines, "weigh"))
    (tmp_path / "go").touch()
    assert session.finish() == ["a print of the fisher", "a line of the log", f"result {sum(range(40))}"]
    assert session.process.returncode == 0
    assert not session.screen.cursor.hidden


def test_a_terminal_that_is_resized_has_rows_that_fit(terminal, tmp_path):
    """The next drawing has the new width."""
    session = terminal(columns=120)
    session.until(lambda lines: "39/40" in row(lines))
    broad = len(row(session.shown()))
    session.resize(44)
    session.until(
        lambda lines: 0 < len(lines and next((x for x in lines[::-1] if x.startswith("catch")), "")) <= 44
    )
    assert broad > 44
    (tmp_path / "go").touch()
    assert session.finish()[-1] == f"result {sum(range(40))}"


def test_ctrl_c_takes_the_bars_away_and_shows_the_cursor(terminal):
    """The traceback of the script follows, as without bars."""
    session = terminal()
    session.until(lambda lines: "39/40" in row(lines))
    os.killpg(session.process.pid, signal.SIGINT)
    lines = session.finish()
    assert session.process.returncode in (-signal.SIGINT, 130)
    assert "KeyboardInterrupt" in lines[-1]
    assert not session.screen.cursor.hidden
    assert not row(lines)


def test_without_colour_there_is_none(terminal, tmp_path):
    """As NO_COLOR asks."""
    session = terminal(NO_COLOR="1")
    session.until(lambda lines: "39/40" in row(lines))
    (tmp_path / "go").touch()
    session.finish()
    assert b"\x1b[32m" not in session.raw and b"\x1b[31m" not in session.raw


@pytest.mark.parametrize("asked", [True, False])
def test_a_pipe_has_lines_if_they_are_asked_for(script, tmp_path, asked):
    """None by the configuration alone."""
    script("fishing.run(progress=True)" if asked else "fishing.run()")
    (tmp_path / "go").touch()
    done = subprocess.run(
        [sys.executable, "fish.py"],
        cwd=tmp_path,
        env={**os.environ, "TURGO_PROGRESS": "1"},
        capture_output=True,
        text=True,
        timeout=LONG,
        check=True,
    )
    if asked:
        assert "fishing runs on local_dask" in done.stderr and "catch 40/40" in done.stderr
    else:
        assert done.stderr == "a line of the log\n"


@pytest.mark.parametrize("where", ["variable", "file"])
def test_the_configuration_shows_bars_for_every_script(terminal, tmp_path, where):
    """By a variable, or by `[progress]`."""
    if where == "file":
        (tmp_path / "turgo.toml").write_text("[progress]\nenabled = true\n")
    session = terminal(call="fishing.run()", **({"TURGO_PROGRESS": "1"} if where == "variable" else {}))
    session.until(lambda lines: "39/40" in row(lines))
    (tmp_path / "go").touch()
    session.finish()


@pytest.mark.parametrize(
    "call",
    [
        "fishing.run()",
        "__import__('concurrent.futures').futures.ThreadPoolExecutor(1).submit(fishing.run).result()",
        "__import__('asyncio').run(__import__('asyncio').to_thread(fishing.run))",
    ],
)
def test_nothing_is_shown_unasked(terminal, tmp_path, call):
    """Not without a word; and with the variable not in threads, as servers have them."""
    (tmp_path / "go").touch()
    variables = {} if call == "fishing.run()" else {"TURGO_PROGRESS": "1"}
    session = terminal(call=call, **variables)
    session.finish()
    assert b"\x1b[" not in session.raw


def test_a_test_of_pytest_shows_nothing(terminal, tmp_path):
    """Also with `-s`, where it has the terminal."""
    (tmp_path / "test_fish.py").write_text(
        "import threading\nfrom pathlib import Path\nfrom fish import fishing\n"
        "def test_fishing():\n"
        "    threading.Timer(1.0, Path('go').touch).start()\n"
        "    assert fishing.run(8).ok\n"
    )
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-s",
        "-q",
        "-p",
        "no:cacheprovider",
        "--color=no",
        "test_fish.py",
    ]
    session = terminal(command=command, TURGO_PROGRESS="1")
    lines = session.finish()
    assert "1 passed" in lines[-1]
    assert not row(lines) and b"\x1b[?25l" not in session.raw


def test_a_run_within_a_run_leaves_the_outer_bars(terminal, tmp_path):
    """Also if both ask for bars."""
    session = terminal(call="fleet.run(executor='local', progress=True)")
    lines = session.until(lambda lines: any("fleet on local" in line for line in lines))
    assert not row(lines)
    (tmp_path / "go").touch()
    assert session.finish()[-1] == f"result {sum(range(8))}"
    assert b"fishing on" not in session.raw


def test_a_display_of_the_script_itself_is_left_alone(terminal, tmp_path):
    """Rich allows one at a time, and it was there first."""
    call = (
        "__import__('contextlib').ExitStack().enter_context("
        "__import__('rich.live').live.Live('the own display of the script')) and fishing.run(8, progress=True)"
    )
    session = terminal(call=call)
    session.until(lambda lines: any("the own display" in line for line in lines))
    (tmp_path / "go").touch()
    session.finish()
    assert session.process.returncode == 0
    assert b"fishing on" not in session.raw


def test_a_run_that_was_started_shows_its_bars(terminal, tmp_path):
    """From a thread of its own, as it was asked to."""
    session = terminal(call="fishing.start(progress=True).wait()")
    session.until(lambda lines: "39/40" in row(lines))
    (tmp_path / "go").touch()
    assert session.finish()[-1] == f"result {sum(range(40))}"


NOTEBOOK = (
    """
from turgo import flow, task

@task
def catch(number):
    return number

@task
def weigh(fish):
    return 1 / (len(fish) - 3)

@flow
def fishing(count: int = 3):
    "Catches fish."
    return weigh(catch.map(range(count)))
""",
    "fishing.run(4, progress=True, executor='local')",
    "fishing",
    "fishing.run(executor='local')",
    "with fishing.start(4, progress=True, executor='local') as running:\n    run = running.wait()\nrun.result",
)


def test_a_notebook_shows_a_table_and_runs(tmp_path, monkeypatch):
    """A real one is executed: a live table below the cell, and runs and flows as HTML."""
    import nbclient
    import nbformat

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONWARNINGS", "ignore")
    cells = [nbformat.v4.new_code_cell(each) for each in NOTEBOOK]
    notebook = nbformat.v4.new_notebook(cells=cells)
    nbclient.NotebookClient(notebook, timeout=LONG, kernel_name="python3").execute()
    _, shown, described, failed, started = (cell.outputs for cell in notebook.cells)
    live, run = shown
    assert live["output_type"] == "display_data"
    assert "fishing on local: Success" in live["data"]["text/html"] and "4/4" in live["data"]["text/html"]
    assert "fishing: Success" in run["data"]["text/html"]
    assert (
        "Catches fish." in described[0]["data"]["text/html"] and "count" in described[0]["data"]["text/html"]
    )
    assert len(failed) == 1, "without being asked for, no table"
    assert "weigh (fish=[0, 1, 2]): ZeroDivisionError" in failed[0]["data"]["text/html"]
    assert "fishing on local: Success" in started[0]["data"]["text/html"]
    assert started[-1]["data"]["text/plain"] == "1.0"
