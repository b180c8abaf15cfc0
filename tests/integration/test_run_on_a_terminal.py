"""`turgo run` on a terminal of its own: what somebody sees with 40 columns or 200, who resizes it, presses Ctrl-C, or
wants no colour.
"""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from turgo.registry.source_files import load_source

_terminal = load_source(Path(__file__).with_name("terminal_session.py"))

FLOW = """
import time
from pathlib import Path
from turgo import current, flow, task

@task(batch=False)
def knead(dough):
    end = time.monotonic() + 100
    while dough == "rye-07" and not Path("go").exists() and time.monotonic() < end:
        time.sleep(0.01)
    if dough == "rye-03":
        current().logger.warning("%s is too wet", dough)
        raise ValueError(f"{dough} does not hold together")
    return dough

@task
def shelve(loaves):
    return len(loaves)

@flow(executor="local_dask")
def bakery(count: int = 40):
    return shelve(knead.map([f"rye-{number:02}" for number in range(count)]))
"""

Open = Callable[..., Any]


@pytest.fixture
def bakery(tmp_path: Path) -> Iterator[Open]:
    """Run the flow on a terminal; it ends once there is a file `go`."""
    (tmp_path / "bakery.py").write_text(FLOW)
    sessions = []

    def run(*arguments: str, **settings: Any) -> Any:
        command = [sys.executable, "-m", "turgo", "run", "bakery.py", *arguments]
        settings.setdefault("XDG_STATE_HOME", str(tmp_path / "state"))
        sessions.append(_terminal.Session(command, tmp_path, lines=40, **settings))
        return sessions[-1]

    yield run
    for each in sessions:
        each.close()


def row(lines: list[str]) -> str:
    """The last row of bars of the map."""
    return next((line for line in reversed(lines) if line.startswith("knead")), "")


def at_work(session: Any) -> list[str]:
    """What is seen when all but one element are over."""
    shown: list[str] = session.until(lambda lines: "39/40" in row(lines))
    return shown


@pytest.mark.parametrize("columns", [40, 200])
def test_bars_give_way_to_a_summary_that_fits(bakery: Open, tmp_path: Path, columns: int) -> None:
    """It names the input that failed, shows the line and the log, and ends with what to type, whole."""
    session = bakery(columns=columns)
    lines = at_work(session)
    assert lines[-1] == "bakery on local_dask" and "shelve" in lines[-2]
    (tmp_path / "go").touch()
    text = "\n".join(session.finish())
    assert session.process.returncode == 1 and not session.screen.cursor.hidden
    assert "━" not in text and "39/40" not in text
    words = "".join(text.split())  # 40 columns break lines, and words that are longer
    for told in (
        "knead[3] (dough='rye-03') Failed on",
        "raise ValueError(f",
        "ValueError: rye-03 does not hold together",
        "rye-03 is too wet",
        "to make it again here: turgo replay bakery-",
        "To go on with the rest: turgo run bakery.py --resume=bakery-",
    ):
        assert "".join(told.split()) in words


def test_a_terminal_that_is_resized_has_bars_that_fit(bakery: Open, tmp_path: Path) -> None:
    """And a summary that does."""
    session = bakery(columns=120)
    assert len(row(at_work(session))) > 44
    session.resize(44, 40)
    session.until(lambda lines: 0 < len(row(lines)) <= 44 and lines[-1] == "bakery on local_dask")
    (tmp_path / "go").touch()
    assert "knead[3] (dough='rye-03') Failed" in "\n".join(session.finish())


def test_ctrl_c_takes_the_bars_away_and_says_how_to_go_on(bakery: Open) -> None:
    """The exit code is that of an interrupt."""
    session = bakery(columns=100)
    at_work(session)
    os.killpg(session.process.pid, signal.SIGINT)
    text = "\n".join(session.finish())
    assert session.process.returncode == 130 and not session.screen.cursor.hidden
    assert (
        "━" not in text and "interrupted" in text and "Traceback (most recent call last):\n  File" not in text
    )
    assert "To go on with the rest: turgo run bakery.py --resume=bakery-" in text


def test_without_colour_there_is_none(bakery: Open, tmp_path: Path) -> None:
    """As NO_COLOR asks, neither in bars nor in the summary; else what failed is red."""
    (tmp_path / "go").touch()
    for variables, red in (({}, True), ({"NO_COLOR": "1"}, False)):
        session = bakery(columns=80, **variables)
        session.finish()
        assert (b"\x1b[31m" in session.raw) == red
        assert (b"\x1b[32m" in session.raw) <= red


def test_quiet_shows_no_bars_and_what_failed(bakery: Open, tmp_path: Path) -> None:
    """The result and failures alone."""
    (tmp_path / "go").touch()
    session = bakery("--quiet", columns=80)
    logged, failed, *_ = session.finish()
    assert logged == "rye-03 is too wet" and failed.startswith("knead[3] (dough='rye-03') Failed")
    assert "━" not in session.raw.decode() and "bakery: Failed" not in session.raw.decode()
    session = bakery("-q", "-p", "count=3", columns=80)
    assert session.finish() == ["3"] and session.process.returncode == 0


SAYS = """
import logging, time
import click
from pathlib import Path
from turgo import flow, task

log = logging.getLogger("chat")

@task(batch=False)
def say(number):
    end = time.monotonic() + 100
    while not Path(f"say-{number}").exists() and time.monotonic() < end:
        time.sleep(0.01)
    log.info("word %02d is said", number)
    click.echo(f"word {number:02} is echoed", err=number % 2 == 1)
    return number

@flow
def chat():
    return say.map(range(5))
"""


def test_what_is_logged_from_a_level_on_comes_above_the_bars(bakery: Open, tmp_path: Path) -> None:
    """Each line of it, and what click echoes, while the bars stand below, once."""
    (tmp_path / "bakery.py").write_text(SAYS)
    session = bakery("--log-level", "info", "-e", "local_dask", columns=100)
    for number in range(4):
        session.until(lambda lines: f"{number}/5" in "".join(lines[-2:-1]))  # noqa: B023  (called at once)
        (tmp_path / f"say-{number}").touch()
    lines = session.until(lambda lines: "4/5" in "".join(lines[-2:-1]) and lines[-1].startswith("chat on"))
    for number in range(4):
        assert lines.count(f"INFO chat: word {number:02} is said") == 1
        assert lines.count(f"word {number:02} is echoed") == 1
    assert len([line for line in lines if line.startswith("say ")]) == 1
    (tmp_path / "say-4").touch()
    lines = session.finish()
    assert "INFO chat: word 04 is said" in lines and not any("━" in line for line in lines)


STUBBORN = """
import time
from turgo import flow, task

@task(batch=False)
def nap(number):
    try:
        time.sleep(100)
    except KeyboardInterrupt:
        print("still asleep", flush=True)
        time.sleep(100)

@flow
def naps():
    return nap.map(range(3))
"""


def test_a_second_ctrl_c_leaves_the_terminal_as_it_was(bakery: Open, tmp_path: Path) -> None:
    """Its cursor is there, the bars are not, and the last line says that something was left behind."""
    (tmp_path / "bakery.py").write_text(STUBBORN)
    session = bakery("-e", "local", columns=100)
    session.until(lambda lines: "0/3" in "".join(lines))
    os.killpg(session.process.pid, signal.SIGINT)
    session.until(lambda lines: any("still asleep" in line for line in lines))
    os.killpg(session.process.pid, signal.SIGINT)
    lines = session.finish()
    assert session.process.returncode == 130 and not session.screen.cursor.hidden
    assert lines[-1] == "interrupted; what could not be stopped was left behind"
    assert not any("━" in line for line in lines) and b"\x1b\x1b" not in session.raw
