"""Three ways in, what listens where, and what is left behind."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path
from typing import Any

import dask.config
import distributed
import psutil
import pytest

from penstock.errors import ExecutorStartError
from penstock_dask import DaskExecutor
from penstock_dask.cluster import configured

DRIVER = """
import os, time
from penstock_dask import DaskExecutor

def main():
    options = {"n_workers": 2, "threads_per_worker": 1}
    with DaskExecutor(cluster_kwargs=options, debug=False).start() as executor:
        print(*executor.wait(executor.map(lambda _: (time.sleep(0.2), os.getpid())[1], range(4))), flush=True)
        executor.wait([executor.submit(time.sleep, 60) for _ in range(5)])

if __name__ == "__main__":
    main()
"""


def _alive(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def test_a_temporary_cluster_listens_on_loopback_only(cluster: DaskExecutor) -> None:
    """Scheduler, dashboard, nannies, workers and their HTTP servers: none is reachable from outside."""
    assert cluster.started
    family = [psutil.Process(), *psutil.Process().children(recursive=True)]
    listening = {
        connection.laddr.ip
        for process in family
        for connection in process.net_connections(kind="inet")
        if connection.status == psutil.CONN_LISTEN
    }
    assert listening == {"127.0.0.1"}


def test_slots_are_the_threads_of_the_workers(cluster: DaskExecutor) -> None:
    """One for each thread of each worker."""
    assert cluster.slots == 2


def test_leaving_ends_what_runs_and_begins_nothing_more(small: DaskExecutor, tmp_path: Any) -> None:
    """Within seconds nothing runs, futures are done, their callbacks called, no child or thread is left."""
    threads = {thread for thread in threading.enumerate() if not thread.daemon}
    children = set(multiprocessing.active_children())
    called: list[Any] = []
    with small.start() as executor:
        pids = executor.wait(executor.map(lambda _: (time.sleep(0.1), os.getpid())[1], range(4)))
        running = [executor.submit(time.sleep, 60) for _ in range(2)]
        waiting = [executor.submit((tmp_path / str(number)).touch) for number in range(10)]
        for future in waiting:
            future.add_done_callback(called.append)
        began = time.monotonic()
    assert time.monotonic() - began < 30
    assert all(future.done() for future in running + waiting)
    assert len(called) == 10
    assert list(tmp_path.iterdir()) == []
    assert not any(_alive(pid) for pid in pids)
    assert set(multiprocessing.active_children()) <= children
    assert {thread for thread in threading.enumerate() if not thread.daemon} == threads


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_no_worker_survives_its_driver(sign: signal.Signals, tmp_path: Path) -> None:
    """After Ctrl-C, SIGTERM and SIGKILL of the driver the workers of its temporary cluster end."""
    script = tmp_path / "driver.py"
    script.write_text(DRIVER)
    with subprocess.Popen(
        [sys.executable, str(script)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as driver:
        assert driver.stdout is not None
        pids = [int(word) for word in driver.stdout.readline().split()]
        driver.send_signal(sign)
        driver.wait(40)
    assert pids
    end = time.monotonic() + 20
    while any(_alive(pid) for pid in pids):
        assert time.monotonic() < end
        time.sleep(0.05)


def test_ctrl_c_while_a_cluster_starts_leaves_no_worker() -> None:
    """Nor if a thread of the program takes the signal that the main thread does not want just then."""
    begun = threading.Event()

    class Announced(distributed.LocalCluster):
        def __init__(self, **options: Any) -> None:
            begun.set()
            super().__init__(**options)

    def interrupt() -> None:
        begun.wait(60)
        os.kill(os.getpid(), signal.SIGINT)

    children = set(multiprocessing.active_children())
    thread = threading.Thread(target=interrupt)
    thread.start()
    with (
        pytest.raises(KeyboardInterrupt),
        DaskExecutor(
            cluster_class=Announced, cluster_kwargs={"n_workers": 1, "threads_per_worker": 1}, debug=False
        ).start(),
    ):
        raise AssertionError("it was to be left before it was open")
    thread.join()
    assert set(multiprocessing.active_children()) <= children


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_a_cluster_that_does_not_come_up_is_given_up_after_a_signal(sign: signal.Signals) -> None:
    """Within seconds, with the workers that it had begun and the thread of its loop."""
    begun = threading.Event()
    pids: list[int] = []

    class Hangs(distributed.LocalCluster):
        async def _correct_state_internal(self) -> None:
            await super()._correct_state_internal()
            pids.extend(nanny.pid for nanny in self.workers.values())
            begun.set()
            await asyncio.sleep(60)

    signalled: list[float] = []

    def interrupt() -> None:
        begun.wait(60)
        signalled.append(time.monotonic())
        os.kill(os.getpid(), sign)

    threads = set(threading.enumerate())
    thread = threading.Thread(target=interrupt)
    before = signal.signal(sign, signal.default_int_handler)
    thread.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            DaskExecutor(
                cluster_class=Hangs, cluster_kwargs={"n_workers": 1}, debug=False
            ).start().__enter__()
        assert time.monotonic() - signalled[0] < 30
    finally:
        signal.signal(sign, before)
        thread.join()
    assert len(pids) == 1 and not _alive(pids[0])
    assert not [each for each in set(threading.enumerate()) - threads if each.name == "IO loop"]


def test_a_cluster_that_runs_already_is_used_by_its_address() -> None:
    """Its workers run the calls, and it is there afterwards, without a key of ours."""
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=3, processes=False, dashboard_address="127.0.0.1:0", protocol="tcp"
    ) as theirs:
        with DaskExecutor(address=theirs.scheduler_address, debug=False).start() as executor:
            assert executor.slots == 3
            kept = executor.submit(abs, -1)
            assert kept.result() == 1
        end = time.monotonic() + 20
        while theirs.scheduler.tasks:  # it is told that they are no longer wanted
            assert time.monotonic() < end
            time.sleep(0.01)
        assert theirs.status == distributed.core.Status.running


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


def test_an_address_that_nobody_answers_is_an_error_that_names_it() -> None:
    """It ends after the client's timeout."""
    executor = DaskExecutor(address="tcp://127.0.0.1:9", client_kwargs={"timeout": 0.5}, debug=False)
    with pytest.raises(ExecutorStartError, match=r"tcp://127\.0\.0\.1:9"), executor.start():
        pass


def test_a_cluster_that_cannot_be_started_is_an_error_that_says_why() -> None:
    """With the reason of its class."""
    executor = DaskExecutor(cluster_kwargs={"n_workerz": 1, "processes": False}, debug=False)
    with pytest.raises(ExecutorStartError, match="LocalCluster could not be started"), executor.start():
        pass


def test_the_configuration_of_a_user_wins() -> None:
    """What is set for a temporary cluster gives way to what its user has set."""
    key = "distributed.scheduler.worker-saturation"
    with configured():
        assert dask.config.get(key) == float("inf")
    with dask.config.set({key: 1.5}), configured():
        assert dask.config.get(key) == 1.5


def test_no_default_client_is_left_or_made(cluster: DaskExecutor) -> None:
    """Dask collections of the driver compute as they did."""
    assert cluster.started
    with pytest.raises(ValueError, match="No global client"):
        distributed.get_client()


def test_the_client_is_as_its_keywords_say() -> None:
    """It becomes the default of the process only if that is asked for, and has its name."""
    options: dict[str, Any] = {"cluster_kwargs": {"n_workers": 1, "processes": False}, "debug": False}
    with DaskExecutor(client_kwargs={"set_as_default": True, "name": "mine"}, **options).start():
        assert "-mine-" in distributed.get_client().id
    with pytest.raises(ValueError, match="No global client"):
        distributed.get_client()


LOSING = """
import os, sys
from penstock_dask import DaskExecutor

if __name__ == "__main__":
    options = {"n_workers": 1, "threads_per_worker": 1}
    with DaskExecutor(cluster_kwargs=options, debug=sys.argv[1] == "debug").start() as executor:
        executor.submit(os._exit, 3).exception()
        executor.submit(abs, -1).result()
"""


@pytest.mark.parametrize("how", ["quiet", "debug"])
def test_a_local_cluster_is_quiet_unless_debug_asks_for_its_warnings(how: str, tmp_path: Path) -> None:
    """Also when it loses a worker."""
    script = tmp_path / "losing.py"
    script.write_text(LOSING)
    done = subprocess.run(
        [sys.executable, str(script), how], capture_output=True, text=True, timeout=60, check=True
    )
    assert ("distributed." in done.stderr) is (how == "debug"), done.stderr


def test_a_script_without_a_guard_is_told_so(tmp_path: Path) -> None:
    """It ends at once with an error that shows the remedy, instead of hanging."""
    script = tmp_path / "bare.py"
    script.write_text(
        textwrap.dedent("""
            from penstock_dask import DaskExecutor

            with DaskExecutor(debug=False).start() as executor:
                print(executor.submit(abs, -1).result())
        """)
    )
    done = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1
    assert 'if __name__ == "__main__"' in done.stderr
