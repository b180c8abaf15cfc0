"""A client connects by address, scheduler file or cluster, or says what is wrong."""

from __future__ import annotations

import json
import logging
import os
import re
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import distributed
import pytest
from distributed.deploy import ProcessInterface

from turgo.errors import ExecutorStartError
from turgo_dask import DaskExecutor
from turgo_dask.cluster.deadline import Deadline
from turgo_dask.connection.connect import await_worker

QUIET: dict[str, Any] = {
    "dashboard_address": "127.0.0.1:0",
    "silence_logs": logging.CRITICAL,
    "host": "127.0.0.1",
}


@pytest.fixture(scope="module")
def empty() -> Iterator[distributed.LocalCluster]:
    """One without a worker."""
    with distributed.LocalCluster(n_workers=0, processes=False, protocol="tcp", **QUIET) as cluster:
        yield cluster


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


def test_an_address_that_nobody_answers_is_an_error_that_names_it() -> None:
    """It ends after the client's timeout."""
    executor = DaskExecutor(address="tcp://127.0.0.1:9", client_kwargs={"timeout": 0.5}, debug=False)
    with pytest.raises(ExecutorStartError, match=r"tcp://127\.0\.0\.1:9"), executor.start():
        pass


def test_a_cluster_without_workers_is_an_error_after_a_while(
    start_error: Callable[..., str], empty: distributed.LocalCluster
) -> None:
    """It says that the scheduler is there, and how workers are started."""
    told = start_error(address=empty.scheduler_address, start_timeout=3)
    assert "no worker came within 3 s" in told
    assert "dask worker" in told


class Job(ProcessInterface):  # type: ignore[misc]  # distributed has no types
    """A job that its queue keeps waiting; dask says that it runs, as it was submitted."""

    job_id = "17"

    def __init__(self, scheduler: str, name: str) -> None:
        super().__init__(scheduler, name)


def of_jobs() -> distributed.SpecCluster:
    """As the clusters of dask-jobqueue are."""
    scheduler = {"cls": distributed.Scheduler, "options": {"dashboard_address": "127.0.0.1:0"}}
    return distributed.SpecCluster(scheduler=scheduler, workers={"one": {"cls": Job}}, silence_logs=50)


def test_a_job_that_waits_in_its_queue_is_named() -> None:
    """While its worker is waited for, and in the error, so that one can ask the queue for it."""
    lines: list[str] = []
    with of_jobs() as cluster, distributed.Client(cluster, set_as_default=False) as client:
        deadline = Deadline(2.5, lambda line, urgent: lines.append(line))
        with pytest.raises(ExecutorStartError, match="one: submitted as job 17, which may still be queued"):
            await_worker(client, cluster, deadline)
    assert "waiting for a worker (jobs submitted: 17), for " in lines[0]


def test_a_scheduler_file_may_come_late(theirs: distributed.LocalCluster, tmp_path: Path) -> None:
    """As it is written by a job that is only about to start."""
    file = tmp_path / "scheduler.json"
    content = json.dumps({"address": theirs.scheduler_address})
    timer = threading.Timer(0.3, file.write_text, [content])
    timer.start()
    with DaskExecutor(scheduler_file=str(file), debug=False).start() as executor:
        assert executor.submit(abs, -1).result() == 1
    timer.join()


def test_a_scheduler_file_that_never_comes_is_an_error_that_names_it(
    start_error: Callable[..., str], tmp_path: Path
) -> None:
    """After the deadline, instead of never."""
    told = start_error(scheduler_file=str(tmp_path / "none.json"), start_timeout=0.3)
    assert "none.json is not there" in told


def test_what_no_scheduler_can_have_written_is_not_waited_for(
    start_error: Callable[..., str], tmp_path: Path
) -> None:
    """A pipe would be read for good; a loop of links and a name that is too long are not there."""
    os.mkfifo(tmp_path / "pipe.json")
    (tmp_path / "loop.json").symlink_to("loop.json")
    for name in ("pipe.json", "."):
        assert "is no file" in start_error(scheduler_file=str(tmp_path / name), start_timeout=30)
    for name in ("loop.json", "a" * 300, "nul\0"):
        assert "is not there" in start_error(scheduler_file=str(tmp_path / name), start_timeout=0.3)


def test_tls_by_object_files_and_temporary_credentials(
    start_error: Callable[..., str], tmp_path: Path
) -> None:
    """A cluster with temporary credentials; one that runs already, by its Security and by files."""
    pytest.importorskip("cryptography")
    local = {"n_workers": 1, "threads_per_worker": 1, "processes": False}
    with DaskExecutor(
        security=True, cluster_kwargs={**local, "protocol": "tls"}, debug=False
    ).start() as executor:
        assert executor.submit(abs, -1).result() == 1
    credentials = distributed.Security.temporary()
    files = {}
    for name in ("tls_ca_file", "tls_client_key", "tls_client_cert"):
        files[name] = str(tmp_path / name)
        Path(files[name]).write_text(getattr(credentials, name))
    with distributed.LocalCluster(**local, protocol="tls", security=credentials, **QUIET) as theirs:
        address = theirs.scheduler_address
        for security in (credentials, {**files, "require_encryption": True}):
            with DaskExecutor(address=address, security=security, debug=False).start() as executor:
                assert executor.submit(abs, -1).result() == 1
        plain = address.replace("tls://", "tcp://")
        assert "expects TLS" in start_error(address=plain, start_timeout=60)


def test_the_address_of_a_worker_is_told_apart(
    start_error: Callable[..., str], theirs: distributed.LocalCluster
) -> None:
    """It speaks as a scheduler does, and is none."""
    (worker,) = [each.address for each in theirs.workers.values()][:1]
    assert "is no scheduler, but a worker" in start_error(address=worker, start_timeout=20)


def test_a_closed_cluster_is_told_so(start_error: Callable[..., str]) -> None:
    """As any other that does not answer."""
    with distributed.LocalCluster(n_workers=0, processes=False, protocol="tcp", **QUIET) as closed:
        pass
    assert "closed" in start_error(cluster_class=closed)


def test_a_wait_for_a_scheduler_is_told_from_its_first_second(
    start_error: Callable[..., str], caplog: pytest.LogCaptureFixture
) -> None:
    """What is missing, since when, and how long it is waited for."""
    with caplog.at_level(logging.WARNING, "turgo_dask"):
        start_error(address="tcp://127.0.0.1:9", start_timeout=1.5)
    assert re.search(
        r"no scheduler at tcp://127.0.0.1:9 yet: nothing listens on port 9 of 127.0.0.1, for 1 s so far; "
        r"start_timeout is 1.5 s",
        caplog.text,
    )


def test_a_wait_for_a_worker_says_what_is_requested(
    start_error: Callable[..., str], caplog: pytest.LogCaptureFixture
) -> None:
    """As a queue may be long."""

    class Queue(distributed.SpecCluster):  # type: ignore[misc]  # distributed has no types
        requested = frozenset({1, 2, 3})

    def make() -> Any:
        return Queue(
            scheduler={
                "cls": distributed.Scheduler,
                "options": {"host": "127.0.0.1", "port": 0, "dashboard_address": "127.0.0.1:0"},
            }
        )

    with caplog.at_level(logging.WARNING, "turgo_dask"):
        start_error(cluster_class=make, start_timeout=4)
    assert "waiting for a worker (requested: 3), for " in caplog.text
