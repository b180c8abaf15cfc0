"""A temporary local cluster: what listens where, what is logged, whose configuration counts."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import dask.config
import distributed
import psutil
import pytest

from turgo_dask import DaskExecutor
from turgo_dask.cluster.local import PARENT_VARIABLE, configured, local_options
from turgo_dask.cluster.nanny import WorkerNanny

LOSING = """
import os, sys
from turgo_dask import DaskExecutor

if __name__ == "__main__":
    options = {"n_workers": 1, "threads_per_worker": 1}
    with DaskExecutor(cluster_kwargs=options, debug=sys.argv[1] == "debug").start() as executor:
        executor.submit(os._exit, 3).exception()
        executor.submit(abs, -1).result()
"""


def listening() -> set[tuple[str, int]]:
    """Where this process and those below it listen."""
    family = [psutil.Process(), *psutil.Process().children(recursive=True)]
    return {
        (connection.laddr.ip, connection.laddr.port)
        for process in family
        for connection in process.net_connections(kind="inet")
        if connection.status == psutil.CONN_LISTEN
    }


def test_a_temporary_cluster_listens_on_loopback_only() -> None:
    """Scheduler, dashboard, nannies, workers and their HTTP servers: none is reachable from outside."""
    before = listening()
    with DaskExecutor(cluster_kwargs={"n_workers": 1, "threads_per_worker": 1}).start():
        assert {host for host, _ in listening() - before} == {"127.0.0.1"}


def loads_bokeh() -> bool:
    """Whether the process that runs this has loaded it."""
    return "bokeh" in sys.modules


@pytest.mark.parametrize(
    ("options", "loads"), [({}, False), ({"worker_dashboard_address": "127.0.0.1:0"}, True)]
)
def test_workers_have_a_dashboard_if_one_asks_for_it(options: dict[str, str], loads: bool) -> None:
    """That of the scheduler shows them all; one of its own has each process load bokeh."""
    pytest.importorskip("bokeh")
    kwargs = {"n_workers": 1, "threads_per_worker": 1, **options}
    with DaskExecutor(cluster_kwargs=kwargs).start() as executor:
        assert executor.submit(loads_bokeh).result(timeout=60) is loads


def test_the_configuration_of_a_user_wins() -> None:
    """What is set for a temporary cluster gives way to what its user has set."""
    key = "distributed.scheduler.worker-saturation"
    with configured():
        assert dask.config.get(key) == float("inf")
    with dask.config.set({key: 1.5}), configured():
        assert dask.config.get(key) == 1.5


def test_calls_wait_at_the_scheduler_of_a_cluster_that_adapts() -> None:
    """It has many more of them than there are slots: those that come later are to have some, and no loss many."""
    key = "distributed.scheduler.worker-saturation"
    default = dask.config.get(key)
    with configured(local=True, adapts=True):
        assert dask.config.get(key) == default < float("inf")


@pytest.mark.parametrize("how", ["quiet", "debug"])
def test_a_local_cluster_is_quiet_unless_debug_asks_for_its_warnings(how: str, tmp_path: Path) -> None:
    """Also when it loses a worker."""
    script = tmp_path / "losing.py"
    script.write_text(LOSING)
    done = subprocess.run(
        [sys.executable, str(script), how], capture_output=True, text=True, timeout=60, check=True
    )
    assert ("distributed." in done.stderr) is (how == "debug"), done.stderr


def test_what_listens_on_loopback_is_up_to_the_user() -> None:
    """What the options of a local cluster say goes first, and a network interface is no host besides."""
    given = {"host": "0.0.0.0", "dashboard_address": ":8787", "worker_dashboard_address": ":0"}
    assert local_options(given) == {"worker_class": WorkerNanny, **given}
    assert local_options({**given, "worker_class": distributed.Nanny})["worker_class"] is distributed.Nanny
    assert "worker_class" not in local_options({"processes": False})
    assert "host" not in local_options({"interface": "eth0"})
    assert local_options({})["host"] == "127.0.0.1"


def test_no_variable_is_left() -> None:
    """A nanny sets one, for as long as the cluster is there."""
    before = os.environ.keys() - {PARENT_VARIABLE}
    with DaskExecutor(cluster_kwargs={"n_workers": 1, "threads_per_worker": 1}).start() as executor:
        assert executor.submit(abs, -1).result(timeout=60) == 1
    assert os.environ.keys() == before
