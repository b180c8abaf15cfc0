"""The bars of a terminal: which tasks have one, and what is printed above them."""

import io
import logging
import sys

import pytest
from rich.console import Console
from rich.text import Text

from turgo.observers.tally import TaskTally
from turgo.observers.terminal.bars import Bars, chosen


class Terminal(io.StringIO):
    """A text in memory that says that it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_the_display_shows_what_runs_when_not_all_fits() -> None:
    """With more tasks than rows, what runs comes before what failed, waits or is complete."""
    complete = TaskTally("complete", total=1, done=1, began=1.0)
    waiting = TaskTally("waiting", total=1)
    failed = TaskTally("failed", total=1, done=1, failed=1, began=1.0)
    running = TaskTally("running", total=2, done=1, began=1.0)
    assert chosen([complete, waiting, failed, running], 2) == [failed, running]
    assert chosen([complete, waiting], 5) == [complete, waiting]


def test_prints_and_logs_come_above_the_bars(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also by handlers that took the stream before; they have it back afterwards."""
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setattr(sys, "stdout", terminal)
    handler = logging.StreamHandler(terminal)
    other = logging.StreamHandler(io.StringIO())
    logger = logging.getLogger("a.mill")
    logger.addHandler(handler)
    logger.addHandler(other)
    console = Console(file=terminal, force_terminal=True, width=60, color_system=None)
    bars = Bars(console, lambda: Text("the bars"), per_second=0.1)
    try:
        print("the flow prints")
        logger.warning("the flow logs")
        assert handler.stream is not terminal
    finally:
        bars.stop()
        logger.removeHandler(handler)
        logger.removeHandler(other)
    assert handler.stream is terminal and sys.stderr is terminal
    assert isinstance(other.stream, io.StringIO) and other.stream is not terminal
    drawn = terminal.getvalue()
    for line in ("the flow prints", "the flow logs"):
        assert f"\x1b[2K{line}" in drawn, "the bars are taken away for the line"
