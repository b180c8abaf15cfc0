"""A cluster is started by a class or a factory, or is used as it is."""

from __future__ import annotations

import logging
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import distributed
import pytest

from turgo.errors import ExecutorStartError, OptionError
from turgo_dask import DaskExecutor
from turgo_dask.cluster.live import adapts


class Plain:
    """A cluster whose workers are what they are."""

    scheduler_address = "tcp://127.0.0.1:1"

    def close(self) -> None:
        """Nothing is open."""


def test_a_live_cluster_is_used_and_not_closed() -> None:
    """A cluster object is another way to say where."""
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, processes=False, dashboard_address="127.0.0.1:0"
    ) as theirs:
        with DaskExecutor(cluster_class=theirs, debug=False).start() as executor:
            assert executor.submit(abs, -1).result() == 1
        assert theirs.status == distributed.core.Status.running


@pytest.mark.parametrize("kind", ["function", "coroutine"])
def test_a_cluster_may_come_from_a_factory(kind: str) -> None:
    """A function that makes one, or a coroutine function that does."""
    made: list[Any] = []
    options: dict[str, Any] = {"n_workers": 1, "processes": False, "dashboard_address": "127.0.0.1:0"}

    def function(threads: int) -> Any:
        made.append(distributed.LocalCluster(threads_per_worker=threads, **options))
        return made[0]

    async def coroutine(threads: int) -> Any:
        made.append(await distributed.LocalCluster(threads_per_worker=threads, asynchronous=True, **options))
        return made[0]

    factory = {"function": function, "coroutine": coroutine}[kind]
    with DaskExecutor(cluster_class=factory, cluster_kwargs={"threads": 2}, debug=False).start() as executor:
        assert executor.slots == 2
        assert executor.submit(abs, -1).result() == 1
    assert made[0].status == distributed.core.Status.closed


def test_adapt_kwargs_reach_the_cluster() -> None:
    """Workers come when there is work."""
    options = {"n_workers": 0, "threads_per_worker": 1, "processes": False}
    executor = DaskExecutor(cluster_kwargs=options, adapt_kwargs={"minimum": 0, "maximum": 2}, debug=False)
    with executor.start():
        assert executor.submit(abs, -1).result(timeout=30) == 1
        assert executor.slots >= 1


def test_a_script_without_a_guard_is_told_so(tmp_path: Path) -> None:
    """It ends at once with an error that shows the remedy, instead of hanging."""
    script = tmp_path / "bare.py"
    script.write_text(
        textwrap.dedent("""
            from turgo_dask import DaskExecutor

            with DaskExecutor(debug=False).start() as executor:
                print(executor.submit(abs, -1).result())
        """)
    )
    done = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1
    assert 'if __name__ == "__main__"' in done.stderr


def test_an_adapt_that_fails_says_so() -> None:
    """With its reason."""

    class Unable(Plain):
        def adapt(self, minimum: int) -> None:
            raise LookupError(f"there are no {minimum} machines")

    executor = DaskExecutor(cluster_class=Unable, adapt_kwargs={"minimum": 3}, debug=False)
    with pytest.raises(ExecutorStartError, match=r"adapt of Unable failed.*no 3 machines"), executor.start():
        pass


class InProcess(distributed.LocalCluster):  # type: ignore[misc]  # distributed has no types
    """Passes on what it gets, and gives some of it itself."""

    def __init__(self, **options: Any) -> None:
        super().__init__(n_workers=1, processes=False, dashboard_address="127.0.0.1:0", **options)


class Sized(distributed.LocalCluster):  # type: ignore[misc]  # distributed has no types
    """Takes nothing but its own."""

    def __init__(self, size: int = 1) -> None:
        super().__init__(n_workers=size, processes=False, dashboard_address="127.0.0.1:0")


class Named(distributed.LocalCluster):  # type: ignore[misc]  # distributed has no types
    """Takes one keyword of those that a local cluster gets from us."""

    given: str | None = None

    def __init__(self, dashboard_address: str | None = None) -> None:
        type(self).given = dashboard_address
        super().__init__(n_workers=1, processes=False, dashboard_address=dashboard_address)


class Loud(distributed.LocalCluster):  # type: ignore[misc]  # distributed has no types
    """Says how it logs, and passes on the rest."""

    def __init__(self, size: int = 1, **options: Any) -> None:
        super().__init__(
            n_workers=size, processes=False, silence_logs=False, dashboard_address="127.0.0.1:0", **options
        )


@pytest.mark.parametrize("cluster_class", [InProcess, Sized, Named, Loud])
def test_what_starts_by_itself_starts_here(cluster_class: Any) -> None:
    """A class that is made from LocalCluster gets no keyword of ours that its signature does not name."""
    with DaskExecutor(cluster_class=cluster_class, debug=False).start() as executor:
        assert executor.submit(abs, -1).result(timeout=30) == 1
        assert "hard_timeouts" not in executor.capabilities
        assert "distributed" not in executor.capabilities
    assert Named.given in (None, "127.0.0.1:0")


def test_a_keyword_that_the_user_gives_goes_first() -> None:
    """Over the one that we would have given."""
    with DaskExecutor(
        cluster_class=Named, cluster_kwargs={"dashboard_address": "127.0.0.1:0"}, debug=False
    ).start() as executor:
        assert executor.started
    assert Named.given == "127.0.0.1:0"


def test_security_is_refused_by_a_class_that_does_not_take_it() -> None:
    """By an error that names the option, before anything starts."""
    pytest.importorskip("cryptography")
    with (
        pytest.raises(OptionError, match="security: Sized takes no 'security'"),
        DaskExecutor(cluster_class=Sized, security=True, debug=False).start(),
    ):
        pass


@pytest.mark.parametrize("adapts_before", [False, True])
def test_a_live_cluster_scales_afterwards_as_before(adapts_before: bool) -> None:
    """It has its workers again, and adapts as it did, or does not."""
    quiet: dict[str, Any] = {"dashboard_address": "127.0.0.1:0", "silence_logs": logging.CRITICAL}
    with distributed.LocalCluster(n_workers=2, processes=False, **quiet) as theirs:
        if adapts_before:
            theirs.adapt(minimum=2, maximum=3)
        handlers = list(logging.getLogger("distributed").handlers)
        executor = DaskExecutor(
            cluster_class=theirs, adapt_kwargs={"minimum": 1, "maximum": 1, "interval": "50ms"}, debug=False
        )
        with executor.start():
            assert executor.submit(abs, -1).result(timeout=30) == 1
            wait_until(lambda: len(theirs.plan) == 1)
        assert adapts(theirs) is adapts_before
        wait_until(lambda: len(theirs.plan) == 2)
        if adapts_before:
            assert (theirs._adaptive.minimum, theirs._adaptive.maximum) == (2, 3)
        assert logging.getLogger("distributed").handlers == handlers


def wait_until(happened: Callable[[], bool]) -> None:
    """Wait until it has."""
    end = time.monotonic() + 60
    while not happened():
        assert time.monotonic() < end
        time.sleep(0.02)
