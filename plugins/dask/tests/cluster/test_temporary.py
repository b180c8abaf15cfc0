"""A temporary cluster: closed in limited time, with all that it has started."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import distributed
import psutil
import pytest

from turgo.errors import ExecutorStartError
from turgo_dask import DaskExecutor
from turgo_dask.cluster import temporary
from turgo_dask.cluster.local import worker_processes

DRIVER = """
import os, time
from turgo_dask import DaskExecutor

def main():
    options = {"n_workers": 2, "threads_per_worker": 1}
    with DaskExecutor(cluster_kwargs=options, debug=False).start() as executor:
        print(*executor.wait(executor.map(lambda _: (time.sleep(0.2), os.getpid())[1], range(4))), flush=True)
        executor.wait([executor.submit(time.sleep, 60) for _ in range(5)])

if __name__ == "__main__":
    main()
"""


def test_leaving_by_an_error_ends_what_runs_and_begins_nothing_more(
    is_gone: Callable[[int], bool], small: DaskExecutor, tmp_path: Any
) -> None:
    """Within seconds nothing runs, futures are done, their callbacks called, no child or thread is left."""
    threads = {thread for thread in threading.enumerate() if not thread.daemon}
    children = set(multiprocessing.active_children())
    called: list[Any] = []
    with pytest.raises(LookupError, match="no longer"), small.start() as executor:
        pids = executor.wait(executor.map(lambda _: (time.sleep(0.1), os.getpid())[1], range(4)))
        running = [executor.submit(time.sleep, 60) for _ in range(2)]
        waiting = [executor.submit((tmp_path / str(number)).touch) for number in range(10)]
        for future in waiting:
            future.add_done_callback(called.append)
        began = time.monotonic()
        raise LookupError("it is needed no longer")
    assert time.monotonic() - began < 30
    assert all(future.done() for future in running + waiting)
    assert len(called) == 10
    assert list(tmp_path.iterdir()) == []
    assert all(is_gone(pid) for pid in pids)
    assert set(multiprocessing.active_children()) <= children
    assert {thread for thread in threading.enumerate() if not thread.daemon} == threads


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_no_worker_survives_its_driver(
    is_gone: Callable[[int], bool], sign: signal.Signals, tmp_path: Path
) -> None:
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
    assert all(is_gone(pid) for pid in pids)


def test_a_cluster_that_cannot_be_started_is_an_error_that_says_why() -> None:
    """With the reason of its class, and the nearest of the keywords that it names."""
    executor = DaskExecutor(cluster_kwargs={"n_workerz": 1, "processes": False}, debug=False)
    told = r"LocalCluster could not be started: .*; did you mean cluster_kwargs\.n_workers\?$"
    with pytest.raises(ExecutorStartError, match=told), executor.start():
        pass


def test_a_factory_that_gives_no_cluster_is_told_so(start_error: Callable[..., str]) -> None:
    """And not later, by what then goes wrong."""
    assert "it gives no cluster, but None" in start_error(cluster_class=lambda: None)


def test_a_nannys_error_comes_with_its_cause(start_error: Callable[..., str]) -> None:
    """A keyword that no worker takes is named, although only the worker's own process noticed.

    Distributed gives the nanny a tenth of a second to read it, so a busy machine may need another try.
    """
    options = {"n_workers": 1, "threads_per_worker": 1, "no_such_keyword": 1}
    told = (start_error(cluster_kwargs=options, start_timeout=20) for _ in range(3))
    assert any("no_such_keyword" in each for each in told)


def test_leaving_just_after_a_worker_was_lost_is_quick(
    is_gone: Callable[[int], bool], small: DaskExecutor, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A nanny that is starting another one, which takes a minute here, is not waited for, and nothing of it stays."""
    monkeypatch.setattr(temporary, "CLUSTER_CLOSE_SECONDS", 60.0)
    (tmp_path / "sitecustomize.py").write_text("import time\ntime.sleep(60)\n")
    with small.start():
        (pid, other) = worker_processes(small._session.cluster)
        monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
        os.kill(pid, signal.SIGKILL)
        end = time.monotonic() + 20
        while not (processes := worker_processes(small._session.cluster)) - {pid, other}:
            assert time.monotonic() < end
            time.sleep(0.01)
        began = time.monotonic()
    assert time.monotonic() - began < 30
    assert all(is_gone(each) for each in processes | {other})


def test_two_temporary_clusters_in_one_process() -> None:
    """Neither takes the other's calls, and closing one leaves the other be."""
    options = {"n_workers": 1, "threads_per_worker": 1, "processes": False}
    one = DaskExecutor(cluster_kwargs=options, debug=False)
    other = DaskExecutor(cluster_kwargs=options, debug=False)
    with one.start():
        with other.start():
            assert one.dashboard_link != other.dashboard_link or one.dashboard_link is None
            assert one.submit(abs, -1).result() == other.submit(abs, -1).result() == 1
        assert one.wait(one.map(abs, [-1, -2])) == [1, 2]


STARTS_TOGETHER = """
import sys, threading
from turgo_dask import DaskExecutor

ONE = {"n_workers": 1, "threads_per_worker": 1}
KINDS = {
    "processes": {"cluster_kwargs": ONE},
    "threads": {"cluster_kwargs": {**ONE, "processes": False}},
    "adaptive": {"cluster_kwargs": {**ONE, "n_workers": 0}, "adapt_kwargs": {"minimum": 1, "maximum": 1}},
    "class": {
        "cluster_class": "distributed.LocalCluster",
        "cluster_kwargs": {**ONE, "dashboard_address": "127.0.0.1:0"},
    },
}

def start(number):
    gate.wait()
    try:
        kind = sys.argv[1 + number]
        with DaskExecutor(**KINDS[kind], debug=False).start() as executor:
            said[number] = executor.submit(abs, -number).result()
    except Exception as error:
        said[number] = f"{type(error).__name__}: {error}"

if __name__ == "__main__":
    gate, said = threading.Barrier(3), [None] * 3
    threads = [threading.Thread(target=start, args=(number,)) for number in range(3)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    from dask import config
    print(*said, config.get("distributed.scheduler.allowed-failures"), sep="\\n")
"""


@pytest.mark.parametrize(
    "kinds",
    [
        pytest.param(["processes"] * 3, marks=pytest.mark.matrix),
        ["threads"] * 3,
        pytest.param(["adaptive"] * 3, marks=pytest.mark.matrix),
        ["processes", "threads", "class"],
    ],
    ids=lambda kinds: " ".join(dict.fromkeys(kinds)),
)
def test_clusters_that_start_at_the_same_moment(kinds: list[str], tmp_path: Path) -> None:
    """In threads of one fresh process; afterwards dask's configuration is what it was."""
    script = tmp_path / "together.py"
    script.write_text(STARTS_TOGETHER)
    done = subprocess.run(
        [sys.executable, str(script), *kinds], capture_output=True, text=True, timeout=200, check=True
    )
    assert done.stdout.splitlines() == ["0", "1", "2", "3"]
    assert [line for line in done.stderr.splitlines() if not line.startswith("dask: ")] == []


class LateCluster(distributed.LocalCluster):
    """As one that adapts: the number of workers that was decided on before comes after that it is to have none."""

    late = False

    def scale(self, *args: Any, **kwargs: Any) -> Any:
        """Once, one more worker afterwards."""
        if self.status is distributed.Status.running and not self.late and (args and args[0] == 0):
            self.late = True
            self.loop.call_later(0.05, super().scale, 1)
        return super().scale(*args, **kwargs)


def test_a_worker_that_begins_while_its_cluster_is_left_is_ended(tmp_path: Path) -> None:
    """However long its start takes: nobody would know of it afterwards."""
    slow, begun = tmp_path / "slow.py", tmp_path / "begun"
    slow.write_text(f"import os, time; open({str(begun)!r}, 'a').write(f'{{os.getpid()}} '); time.sleep(30)")
    before = set(psutil.Process().children(recursive=True))
    options = {"n_workers": 0, "dashboard_address": ":0", "preload": [str(slow)], "silence_logs": 50}
    with DaskExecutor(
        cluster_class=LateCluster, cluster_kwargs=options, adapt_kwargs={"minimum": 0, "maximum": 1}
    ).start():
        pass
    end = time.monotonic() + 20
    while left := [each for each in set(psutil.Process().children(recursive=True)) - before if works(each)]:
        assert time.monotonic() < end, [each.cmdline() for each in left]
        time.sleep(0.05)


def works(process: psutil.Process) -> bool:
    """Whether it is the process of a worker, and alive."""
    with suppress(psutil.Error):
        return process.status() != psutil.STATUS_ZOMBIE and "spawn_main" in " ".join(process.cmdline())
    return False


LEFT_OPEN = """
from turgo_dask import DaskExecutor

if __name__ == "__main__":
    executor = DaskExecutor(cluster_kwargs={"n_workers": 1, "threads_per_worker": 1}, debug=False)
    started = executor.start()
    started.__enter__()
    print(executor.submit(abs, -1).result(), flush=True)
"""


def test_an_executor_that_is_never_left_is_quiet_at_the_end(tmp_path: Path) -> None:
    """Of the program, which has the exit code of its own."""
    script = tmp_path / "open.py"
    script.write_text(LEFT_OPEN)
    done = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, timeout=100, check=True
    )
    assert done.stdout == "1\n"
    assert [line for line in done.stderr.splitlines() if not line.startswith("dask: starting")] == []
