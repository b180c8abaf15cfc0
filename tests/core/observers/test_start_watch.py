"""The start of an executor is watched: something is said while it lasts, and nothing if it is quick."""

import io
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any

import pytest
from rich.console import Console

from turgo import Executor, flow, task
from turgo.errors import ExecutorStartError
from turgo.executor import ExecutorEvent
from turgo.hooks import hookimpl
from turgo.observers import start_watch
from turgo.observers.lines import LinesObserver
from turgo.observers.progress import ProgressObserver
from turgo.observers.tally import Tally


class Slow(Executor):
    """Starts once it was seen twice that it does; fails if it is to."""

    def __init__(self, *, fails: bool = False, reports: bool = True) -> None:
        self.fails = fails
        self.reports = reports
        self.asked = False
        self._seen = threading.Semaphore(0)
        self._open = False

    @contextmanager
    def start(self) -> Iterator[Any]:
        """Wait until somebody saw it."""
        for _ in range(2):
            assert self._seen.acquire(timeout=20)
        if self.fails:
            raise ValueError("the door is locked")
        self._open = True
        yield self

    def events(self) -> list[ExecutorEvent]:
        """What it waits for, once somebody saw that it starts."""
        if self._open or not self.reports or not self.asked:
            self.asked = True
            return []
        return [ExecutorEvent("waiting", "waiting for a worker (queued jobs: 3)")]

    def submit(self, fn: Any, /, *args: Any, extra_context: Any = None, **kwargs: Any) -> Any:
        """At once."""
        future: Future[Any] = Future()
        future.set_result(fn(*args, **kwargs))
        return future


class Seen:
    """Notes what is said, in which thread, and lets the executor go on."""

    def __init__(self, executor: Slow) -> None:
        self.executor = executor
        self.said: list[tuple[str, str]] = []
        self.threads: set[int] = set()

    @hookimpl
    def turgo_executor_event(self, run: Any, event: ExecutorEvent) -> None:
        self.said.append((event.kind, event.message))
        self.threads.add(threading.get_ident())
        if event.kind in ("starting", "waiting"):
            self.executor._seen.release()

    @hookimpl
    def turgo_flow_started(self, run: Any) -> None:
        self.said.append(("flow", f"{run.start_seconds > 0} {Tally(run).elapsed >= run.start_seconds}"))


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Say something at once and often."""
    monkeypatch.setattr(start_watch, "FIRST_NOTICE_SECONDS", 0.01)
    monkeypatch.setattr(start_watch, "NOTICE_SECONDS", 0.01)


one = flow(lambda: task(lambda: 1)())


def test_a_start_that_takes_its_time_says_so_and_what_it_waits_for() -> None:
    """Until it is over; the clock of the run began with it."""
    executor = Slow()
    seen = Seen(executor)
    assert one.run(executor=executor, observers=[seen]).ok
    kinds = [kind for kind, _ in seen.said]
    assert kinds[:2] == ["starting", "waiting"] and kinds.count("starting") == 1
    assert kinds[-2:] == ["start_over", "flow"]
    assert seen.said[0][1].startswith("starting Slow, 0 s so far")
    assert seen.said[-1][1] == "True True"
    assert not any(thread.name == "turgo-start-watch" for thread in threading.enumerate())


class Late(Slow):
    """Reports what it waited for, and where its dashboard is, as it has started."""

    def events(self) -> list[ExecutorEvent]:
        """Those two, once."""
        if not self._open or not self.reports:
            return super().events()
        self.reports = False
        return [
            ExecutorEvent("starting", "asked for 2 workers, for 1 s so far"),
            ExecutorEvent("dashboard", "the dashboard is there"),
        ]


def test_what_a_start_waited_for_is_not_told_of_once_it_is_over() -> None:
    """A display would show it until the run ends; other news are told of."""
    executor = Late()
    seen = Seen(executor)
    assert one.run(executor=executor, observers=[seen]).ok
    assert ("starting", "asked for 2 workers, for 1 s so far") not in seen.said
    assert [kind for kind, _ in seen.said][-3:] == ["dashboard", "start_over", "flow"]


def test_an_executor_that_says_nothing_is_spoken_for() -> None:
    """Again and again, for as long as its start takes."""
    executor = Slow(reports=False)
    seen = Seen(executor)
    assert one.run(executor=executor, observers=[seen]).ok
    assert [kind for kind, _ in seen.said][:2] == ["starting", "starting"]


def test_a_start_that_fails_is_over_too() -> None:
    """So that a display that has begun goes away."""
    executor = Slow(fails=True)
    seen = Seen(executor)
    with pytest.raises(ExecutorStartError, match="the door is locked"):
        one.run(executor=executor, observers=[seen])
    assert [kind for kind, _ in seen.said][-1] == "start_failed"


def test_nothing_is_said_of_a_start_that_is_quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """As most are."""
    monkeypatch.setattr(start_watch, "FIRST_NOTICE_SECONDS", 60.0)
    executor = Slow()
    executor._seen.release(2)
    seen = Seen(executor)
    assert one.run(executor=executor, observers=[seen]).ok
    assert [kind for kind, _ in seen.said if kind.startswith("start")] == []


def test_lines_say_it_at_once_and_then_now_and_then() -> None:
    """A start of a minute is a dozen lines; what the executor reports is said each time."""
    stream, executor = io.StringIO(), Slow()
    lines = LinesObserver(stream=stream, interval=1_000.0)
    assert one.run(executor=executor, observers=[Seen(executor), lines]).ok
    said = stream.getvalue().splitlines()
    assert said[:2] == ["starting Slow, 0 s so far", "waiting for a worker (queued jobs: 3)"]
    assert sum(line.startswith("starting") for line in said) == 1
    assert any(line.startswith("Slow has started, after") for line in said)


@pytest.mark.parametrize("fails", [False, True])
def test_the_display_shows_it_and_goes_away(fails: bool) -> None:
    """Also if the start fails, when no end of the run is announced."""
    console = Console(file=io.StringIO(), force_terminal=True, width=80, color_system=None)
    display, executor = ProgressObserver(console=console), Slow(fails=fails)
    watching = [display, Seen(executor)]
    if fails:
        with pytest.raises(ExecutorStartError):
            one.run(executor=executor, observers=watching)
    else:
        assert one.run(executor=executor, observers=watching).ok
    assert display._bars is None
    assert isinstance(console.file, io.StringIO)
    assert "starting Slow" in console.file.getvalue() and "\x1b[?25h" in console.file.getvalue()
