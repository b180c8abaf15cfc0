"""What an executor tells of itself: tags that it cannot make sense of, and events for those who watch a run."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from rich.console import Console

from turgo import Executor, flow, task
from turgo.errors import OptionError
from turgo.executor import ExecutorEvent
from turgo.hooks import hookimpl
from turgo.observers import dispatch
from turgo.observers.lines import LinesObserver
from turgo.observers.progress import ProgressObserver


class Eventful(Executor):
    """Something happens to it, each time that it is asked."""

    def __init__(self) -> None:
        self.asked = 0

    @contextmanager
    def start(self) -> Any:
        """Open a thread."""
        with ThreadPoolExecutor(1) as self._pool:
            yield self

    def submit(self, fn: Any, /, *args: Any, extra_context: Any = None, **kwargs: Any) -> Any:
        """In the thread."""
        return self._pool.submit(fn, *args, **kwargs)

    def check_tags(self, tags: Sequence[str]) -> None:
        """One of them makes no sense."""
        if "odd" in tags:
            raise OptionError("the tag 'odd' is odd", option="odd")

    def events(self) -> Sequence[ExecutorEvent]:
        """A worker arrives; then calls wait for one."""
        self.asked += 1
        if self.asked == 1:
            return [ExecutorEvent("dashboard", "to be watched", link="http://here")]
        return [
            ExecutorEvent("waiting", "calls wait for a GPU"),
            ExecutorEvent("worker_arrived", "w", worker="w"),
        ]


class Listener:
    """Keeps what it hears, and lets the run go on once it heard enough."""

    def __init__(self) -> None:
        self.heard: list[ExecutorEvent] = []
        self.enough = threading.Event()

    @hookimpl
    def turgo_executor_event(self, event: ExecutorEvent) -> None:
        """Keep it."""
        self.heard.append(event)
        if len(self.heard) >= 3:
            self.enough.set()


@pytest.fixture
def curious(monkeypatch: pytest.MonkeyPatch) -> None:
    """Executors are asked ten times a second."""
    monkeypatch.setattr(dispatch, "EXECUTOR_EVENTS_SECONDS", 0.1)


@task(tags=["odd"])
def odd() -> int:
    """Has a tag that makes no sense."""
    return 1


@flow
def odd_flow() -> Any:
    """One of those."""
    return odd()


def test_a_tag_that_makes_no_sense_is_found_before_the_executor_is_opened() -> None:
    """The error names the task."""
    executor = Eventful()
    with pytest.raises(OptionError, match="task odd: the tag 'odd' is odd"):
        odd_flow.run(executor=executor)
    assert "_pool" not in vars(executor)


@pytest.mark.usefixtures("curious")
def test_observers_hear_of_events_while_a_call_runs() -> None:
    """Although nothing arrives meanwhile; lines and progress show what a user may act on."""
    listener, stream, screen = Listener(), io.StringIO(), io.StringIO()
    progress = ProgressObserver(console=Console(file=screen, force_terminal=True, width=100))

    @task
    def wait() -> bool:
        end = time.monotonic() + 20  # bars begin a moment late
        while "http://here" not in screen.getvalue() and time.monotonic() < end:
            time.sleep(0.01)
        return listener.enough.wait(20)

    @flow
    def main() -> Any:
        return wait()

    run = main.run(executor=Eventful(), observers=[LinesObserver(stream=stream), progress, listener])
    assert run.result is True
    assert [event.kind for event in listener.heard[:3]] == ["dashboard", "waiting", "worker_arrived"]
    assert "calls wait for a GPU" in stream.getvalue()
    assert "to be watched" in stream.getvalue()
    assert "http://here" in screen.getvalue()
    assert "calls wait for a GPU" in screen.getvalue()


def test_a_run_that_nobody_watches_asks_no_executor() -> None:
    """It costs nothing then."""

    @task
    def one() -> int:
        return 1

    @flow
    def main() -> Any:
        return one()

    executor = Eventful()
    assert main.run(executor=executor).result == 1
    assert executor.asked == 0
