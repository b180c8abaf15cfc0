"""A start that does not end is ended, with all that it had begun."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import distributed
import pytest
from distributed.deploy.spec import ProcessInterface
from distributed.utils import LoopRunner

from turgo.errors import ExecutorStartError
from turgo_dask import DaskExecutor
from turgo_dask.cluster.start import ClusterStart

QUIET: dict[str, Any] = {"dashboard_address": "127.0.0.1:0", "host": "127.0.0.1"}


HANGING = "import time; time.sleep(600)"


class Program(ProcessInterface):  # type: ignore[misc]  # distributed carries no types
    """A process of its own, as a worker over ssh or in a queue is one; it never says that it is up."""

    pids: list[int] = []  # noqa: RUF012  (emptied by each test)
    begun = threading.Event()

    def __init__(self, scheduler: str, name: Any = None, hangs: bool = True) -> None:
        super().__init__(scheduler=scheduler, name=name)
        self.process: Any = None
        self.hangs = hangs

    async def start(self) -> None:
        """Begin it, and wait for what does not come."""
        self.process = subprocess.Popen([sys.executable, "-c", HANGING])
        self.pids.append(self.process.pid)
        if self.hangs:
            self.begun.set()
            await asyncio.sleep(600)
        await super().start()

    async def close(self) -> None:
        """End it."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
        await super().close()


def _specs() -> dict[str, Any]:
    """A scheduler, a worker that comes up as far as the cluster knows, and one that hangs."""
    return {
        "scheduler": {"cls": distributed.Scheduler, "options": {**QUIET, "port": 0}},
        "workers": {
            "up": {"cls": Program, "options": {"hangs": False}},
            "hangs": {"cls": Program, "options": {}},
        },
    }


def from_a_function() -> Any:
    """As `distributed.SSHCluster` is one."""
    return distributed.SpecCluster(**_specs(), silence_logs=logging.CRITICAL)


def from_a_scheduler_that_hangs() -> Any:
    """Before there is any worker."""
    return distributed.SpecCluster(scheduler={"cls": Program, "options": {"scheduler": ""}})


async def from_a_coroutine() -> Any:
    """Whose cluster lives in the loop that awaits it."""
    return await distributed.SpecCluster(**_specs(), asynchronous=True)


def from_a_function_that_waits() -> Any:
    """For something else than its cluster."""
    specs = {**_specs(), "workers": {"up": {"cls": Program, "options": {"hangs": False}}}}
    cluster = distributed.SpecCluster(**specs)
    Program.begun.set()
    cluster.wait_for_workers(3)
    return cluster


class Special(distributed.SpecCluster):  # type: ignore[misc]  # distributed carries no types
    """As the clusters of dask-jobqueue are."""

    def __init__(self) -> None:
        super().__init__(**_specs())


class Hangs(distributed.LocalCluster):  # type: ignore[misc]  # distributed carries no types
    """A local one whose worker is there, but that never says so."""

    def __init__(self, **options: Any) -> None:
        super().__init__(n_workers=1, threads_per_worker=1, **{**QUIET, **options})

    async def _correct_state_internal(self) -> None:
        await super()._correct_state_internal()
        Program.pids.extend(nanny.pid for nanny in self.workers.values())
        Program.begun.set()
        await asyncio.sleep(600)


@pytest.fixture(autouse=True)
def nothing_of_it_is_left(is_gone: Callable[[int], bool]) -> Iterator[None]:
    """No process, no thread that a loop runs in or that something starts in, and loggers as they were."""
    Program.pids.clear()
    Program.begun.clear()
    threads = set(threading.enumerate())
    levels = [handler.level for handler in logging.getLogger("distributed").handlers]
    yield
    assert Program.pids
    assert all(is_gone(pid) for pid in Program.pids)
    end = time.monotonic() + 40
    while left := [
        each.name
        for each in set(threading.enumerate()) - threads
        if each.name in ("IO loop", "turgo-dask-cluster")
    ]:
        assert time.monotonic() < end, left
        time.sleep(0.05)
    assert [handler.level for handler in logging.getLogger("distributed").handlers] == levels


@contextmanager
def _signalled(sign: signal.Signals) -> Iterator[list[float]]:
    """This process is signalled once a worker hangs; says when."""
    told: list[float] = []

    def interrupt() -> None:
        if Program.begun.wait(60):
            told.append(time.monotonic())
            os.kill(os.getpid(), sign)

    before = signal.signal(sign, signal.default_int_handler)
    thread = threading.Thread(target=interrupt)
    thread.start()
    try:
        yield told
    finally:
        signal.signal(sign, before)
        thread.join()


WAYS = [
    from_a_function,
    from_a_scheduler_that_hangs,
    from_a_coroutine,
    from_a_function_that_waits,
    Special,
    Hangs,
]


@pytest.mark.parametrize("make", WAYS)
@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_what_had_begun(make: Callable[..., Any], sign: signal.Signals) -> None:
    """Within seconds, however the cluster is made."""
    with _signalled(sign) as told, pytest.raises(KeyboardInterrupt):
        DaskExecutor(cluster_class=make, debug=False).start().__enter__()
    assert time.monotonic() - told[0] < 30


def test_ctrl_c_as_the_thread_begins_that_starts_it_ends_what_had_begun(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """On a busy machine that thread is far ahead before it is known that it runs."""
    start = threading.Thread.start

    def interrupted(thread: threading.Thread) -> None:
        start(thread)
        if thread.name == "turgo-dask-cluster":
            assert Program.begun.wait(60)
            raise KeyboardInterrupt

    monkeypatch.setattr(threading.Thread, "start", interrupted)
    with pytest.raises(KeyboardInterrupt):
        DaskExecutor(cluster_class=from_a_scheduler_that_hangs, debug=False).start().__enter__()


@pytest.mark.parametrize("make", [each for each in WAYS if each is not Hangs])
def test_a_start_that_never_ends_is_an_error(make: Callable[..., Any]) -> None:
    """After `start_timeout`; it names the class or function."""
    began = time.monotonic()
    with pytest.raises(
        ExecutorStartError, match=rf"{make.__name__} did not come up within 5 s.*start_timeout"
    ) as caught:
        DaskExecutor(cluster_class=make, start_timeout=5, debug=False).start().__enter__()
    assert "asked for none" not in str(caught.value)  # it has not come to its workers, or has asked for some
    assert time.monotonic() - began < 60


def test_a_cluster_that_comes_too_late_is_closed() -> None:
    """As soon as it comes; one that its factory only knew of, and that was there before, is left alone."""
    Program.pids.append(0)
    options: dict[str, Any] = {"n_workers": 0, "processes": False, "dashboard_address": "127.0.0.1:0"}
    made: list[Any] = []
    with distributed.LocalCluster(**options) as theirs:

        def slow() -> Any:
            known = theirs
            time.sleep(4)
            made.append(distributed.LocalCluster(**options))
            return made[0] if known is theirs else None

        with pytest.raises(ExecutorStartError, match=r"slow did not come up within 0\.5 s"):
            DaskExecutor(cluster_class=slow, start_timeout=0.5, debug=False).start().__enter__()
        assert not made
        end = time.monotonic() + 60
        while not made or made[0].status is not distributed.Status.closed:
            assert time.monotonic() < end
            time.sleep(0.05)
        assert theirs.status is distributed.Status.running


@pytest.mark.parametrize(("plan", "told"), [({}, ""), ({0, 1}, "was asked for 2 and has requested 0")])
def test_a_cluster_that_has_not_come_to_its_workers_is_not_blamed_for_having_none(
    plan: Any, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While it starts; once it is up it is."""
    Program.pids.append(0)
    cluster = SimpleNamespace(plan=plan, requested=())
    monkeypatch.setattr(ClusterStart, "begun", lambda _: [cluster])
    announced: list[str] = []
    gate = threading.Event()

    def waiting(text: str, *, urgent: bool) -> None:
        announced.append(text)
        gate.set()

    starting: Any = ClusterStart(gate.wait, LoopRunner())
    assert starting.wait(SimpleNamespace(over=False, waiting=waiting), "LocalCluster") is True
    assert announced and (told in announced[0] if told else "asked" not in announced[0])
