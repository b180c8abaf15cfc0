"""Which display a run in code has: asked for, or by the configuration alone."""

import asyncio
import threading
import types
from typing import Any

import pytest

from turgo import flow, task
from turgo.config.settings import Origin, Setting
from turgo.observers import display as module
from turgo.observers import screen
from turgo.observers.display import display, of_command
from turgo.observers.lines import LinesObserver
from turgo.observers.progress import ProgressObserver
from turgo.registry.precedence import get_executor


@pytest.fixture
def on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody looks, and pytest is not noticed."""
    monkeypatch.setattr(screen, "kind", lambda: screen.TERMINAL)
    monkeypatch.setattr(module, "os", types.SimpleNamespace(environ={}))


def configured(kind: str, value: bool) -> Setting:
    """The setting, from a file, a variable, or the default."""
    return Setting(("progress", "enabled"), value, Origin(kind, "here"))


def test_who_asks_has_bars_on_a_terminal_and_else_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a pipe as on the command line."""
    monkeypatch.setattr(screen, "kind", lambda: screen.TERMINAL)
    assert isinstance(display(unasked=False), ProgressObserver)
    monkeypatch.setattr(screen, "kind", lambda: screen.NOWHERE)
    assert isinstance(display(unasked=False), LinesObserver)


def test_the_configuration_alone_shows_bars_to_somebody_who_looks(
    on_a_terminal: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And nothing in a pipe."""
    assert isinstance(display(unasked=True), ProgressObserver)
    monkeypatch.setattr(screen, "kind", lambda: screen.NOWHERE)
    assert display(unasked=True) is None


def test_in_a_test_of_pytest_nothing_is_shown(on_a_terminal: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also with `pytest -s`."""
    monkeypatch.undo()
    monkeypatch.setattr(screen, "kind", lambda: screen.TERMINAL)
    assert display(unasked=True) is None


def test_in_a_thread_or_an_event_loop_nothing_is_shown(on_a_terminal: None) -> None:
    """As in a server."""
    found: list[Any] = ["nothing"]

    def look() -> None:
        found[0] = display(unasked=True)

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert found == [None]

    async def serve() -> object | None:
        return display(unasked=True)

    assert asyncio.run(serve()) is None


def test_in_a_task_nothing_is_shown(on_a_terminal: None, project: Any, inline_as_local: None) -> None:
    """The run that it is of may have a display."""

    @task
    def inner() -> bool:
        return display(unasked=True) is None

    @flow
    def outer() -> Any:
        return inner()

    assert outer.run(executor=get_executor("local")).result is True


def test_in_a_process_that_another_one_started_nothing_is_shown(
    on_a_terminal: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has the terminal of its parent."""
    import multiprocessing.process

    monkeypatch.setattr(multiprocessing.process, "parent_process", object)
    assert display(unasked=True) is None


@pytest.mark.parametrize(
    ("kind", "value", "shown"),
    [("default", False, True), ("user file", False, False), ("variable", True, True)],
)
def test_the_command_shows_it_unless_it_is_switched_off(kind: str, value: bool, shown: bool) -> None:
    """By a file or a variable."""
    assert (of_command(configured(kind, value)) is not None) is shown


def test_without_a_word_nothing_is_loaded_that_shows(
    monkeypatch: pytest.MonkeyPatch, project: Any, inline_as_local: None
) -> None:
    """A run in code asks for no display unless somebody wants one."""
    monkeypatch.setattr(module, "display", lambda unasked: pytest.fail("asked for"))

    @flow
    def one() -> Any:
        return task(int)()

    assert one.run(executor=get_executor("local")).ok
    assert one.run(executor=get_executor("local"), progress=False).ok
    monkeypatch.setenv("TURGO_PROGRESS", "1")
    assert one.run(executor=get_executor("local"), progress=False).ok
    monkeypatch.setattr(module, "display", lambda unasked: [][0] if not unasked else None)
    assert one.run(executor=get_executor("local")).ok
