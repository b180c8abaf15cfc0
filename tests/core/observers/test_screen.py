"""Where progress is shown, and who draws there."""

import io
import logging
import logging.handlers
import os
import queue
import sys
import types
from pathlib import Path
from typing import Any

import pytest

from turgo.observers import screen


class Terminal(io.StringIO):
    """A text in memory that says that it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("stream", "term", "kind"),
    [
        (Terminal(), "xterm", screen.TERMINAL),
        (Terminal(), "dumb", screen.NOWHERE),
        (io.StringIO(), "xterm", screen.NOWHERE),
        (None, "xterm", screen.NOWHERE),
    ],
)
def test_standard_error_decides(stream: Any, term: str, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal that can move its cursor, or nowhere."""
    monkeypatch.setenv("TERM", term)
    monkeypatch.setattr(sys, "stderr", stream)
    assert screen.kind() == kind


def test_a_closed_stream_is_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a daemon has it."""
    with open(os.devnull) as stream:
        pass
    monkeypatch.setattr(sys, "stderr", stream)
    assert screen.kind() == screen.NOWHERE


@pytest.mark.parametrize(("shell", "kind"), [({"kernel": object()}, screen.NOTEBOOK), ({}, screen.NOWHERE)])
def test_a_notebook_has_a_kernel(shell: dict[str, Any], kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """IPython on a terminal has none."""
    ipython: Any = types.ModuleType("IPython")
    ipython.get_ipython = lambda: types.SimpleNamespace(**shell)
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    assert screen.kind() == kind


def test_it_is_taken_by_one_at_a_time() -> None:
    """And free again afterwards."""
    assert screen.take()
    assert not screen.take()
    screen.give_back()
    assert screen.take()
    screen.give_back()


def test_a_bar_of_tqdm_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that is not switched off."""
    bar = types.SimpleNamespace(disable=False)
    tqdm: Any = types.ModuleType("tqdm.std")
    tqdm.tqdm = types.SimpleNamespace(_instances=[bar])
    monkeypatch.setitem(sys.modules, "tqdm.std", tqdm)
    assert not screen.take()
    bar.disable = True
    assert screen.take()
    screen.give_back()


def test_a_display_of_rich_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whosever it is."""
    from rich.console import Console
    from rich.live import Live

    monkeypatch.setattr(sys, "stderr", Terminal())
    console = Console(file=Terminal(), force_terminal=True)
    with Live("theirs", console=console, auto_refresh=False):
        assert not screen.take()
    assert screen.take()
    screen.give_back()


def test_what_is_logged_to_the_same_place_by_another_stream_is_known(tmp_path: Path) -> None:
    """A pipe or file may have several streams; a queue has its handlers at the other end."""
    logger = logging.getLogger("an_executor.of_a_test")
    logger.propagate = False
    with (tmp_path / "out").open("w") as one, open(one.fileno(), "w", closefd=False) as other:
        direct = logging.StreamHandler(other)
        queued = logging.handlers.QueueHandler(queue.SimpleQueue())
        queued.listener = logging.handlers.QueueListener(queued.queue, direct)  # type: ignore[attr-defined]
        for handler in (direct, queued):
            logger.addHandler(handler)
            assert screen.is_logged_to(one, logger.name, logging.WARNING)
            assert not screen.is_logged_to(sys.__stderr__, logger.name, logging.WARNING)
            logger.removeHandler(handler)
        assert not screen.is_logged_to(one, logger.name, logging.WARNING)


def test_without_handlers_warnings_stand_on_standard_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """As Python's last resort; news stands nowhere."""
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    assert screen.is_logged_to(stream, "nobody_set_this_up", logging.WARNING)
    assert not screen.is_logged_to(stream, "nobody_set_this_up", logging.INFO)
