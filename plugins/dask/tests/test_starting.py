"""Start-up that tells: what was tried, for how long, and what is likely wrong."""

from __future__ import annotations

import json
import logging
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import distributed
import pytest

from penstock.errors import ExecutorStartError, OptionError
from penstock_dask import DaskExecutor, watching
from penstock_dask.versions import differences

QUIET: dict[str, Any] = {
    "dashboard_address": "127.0.0.1:0",
    "silence_logs": logging.CRITICAL,
    "host": "127.0.0.1",
}


@pytest.fixture(scope="module")
def theirs() -> Iterator[distributed.LocalCluster]:
    """A cluster that runs already, in this process, with sockets as any other."""
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, processes=False, protocol="tcp", **QUIET
    ) as cluster:
        yield cluster


@pytest.fixture(scope="module")
def empty() -> Iterator[distributed.LocalCluster]:
    """One without a worker."""
    with distributed.LocalCluster(n_workers=0, processes=False, protocol="tcp", **QUIET) as cluster:
        yield cluster


def _failure(seconds: float = 50.0, **options: Any) -> str:
    """What the error says, which comes within so many seconds."""
    began = time.monotonic()
    with pytest.raises(ExecutorStartError) as caught, DaskExecutor(debug=False, **options).start():
        pass
    assert time.monotonic() - began < seconds
    return str(caught.value)


def test_the_port_of_the_dashboard_is_told_apart(theirs: distributed.LocalCluster) -> None:
    """At once, and with the address of the scheduler behind it."""
    port = theirs.scheduler.http_server.port
    told = _failure(address=f"tcp://127.0.0.1:{port}", start_timeout=60)
    assert "port of a dashboard" in told
    assert theirs.scheduler_address in told


def test_a_port_that_nothing_listens_on_is_told_so() -> None:
    """With the seconds that it was tried for, and the option that says so."""
    told = _failure(address="tcp://127.0.0.1:9", start_timeout=0.5)
    assert "nothing listens on port 9 of 127.0.0.1" in told
    assert "start_timeout" in told


def test_an_address_that_expects_no_tls_is_told_so(theirs: distributed.LocalCluster) -> None:
    """The error shows the address as it should be written."""
    address = theirs.scheduler_address.replace("tcp://", "tls://")
    assert f"write {theirs.scheduler_address}" in _failure(address=address, start_timeout=60)


def test_something_else_at_the_address_is_told_so() -> None:
    """A listener that says nothing is no scheduler."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        told = _failure(address=f"tcp://127.0.0.1:{port}", start_timeout=0.5)
    assert "no scheduler" in told


def test_a_cluster_without_workers_is_an_error_after_a_while(empty: distributed.LocalCluster) -> None:
    """It says that the scheduler is there, and how workers are started."""
    told = _failure(address=empty.scheduler_address, start_timeout=3)
    assert "no worker came within 3 s" in told
    assert "dask worker" in told


def test_a_cluster_that_was_asked_for_no_worker_says_so() -> None:
    """Rather than wait in silence for what nobody asked for."""
    told = _failure(cluster_kwargs={"n_workers": 0, "processes": False}, start_timeout=3)
    assert "was asked for none" in told


def test_a_scheduler_file_may_come_late(theirs: distributed.LocalCluster, tmp_path: Path) -> None:
    """As it is written by a job that is only about to start."""
    file = tmp_path / "scheduler.json"
    content = json.dumps({"address": theirs.scheduler_address})
    timer = threading.Timer(0.3, file.write_text, [content])
    timer.start()
    with DaskExecutor(scheduler_file=str(file), debug=False).start() as executor:
        assert executor.submit(abs, -1).result() == 1
    timer.join()


def test_a_scheduler_file_that_never_comes_is_an_error_that_names_it(tmp_path: Path) -> None:
    """After the deadline, instead of never."""
    told = _failure(scheduler_file=str(tmp_path / "none.json"), start_timeout=0.3)
    assert "none.json is not there" in told


def test_the_dashboard_is_in_the_log_and_in_an_event(
    theirs: distributed.LocalCluster, caplog: pytest.LogCaptureFixture
) -> None:
    """As soon as it is known."""
    with (
        caplog.at_level(logging.INFO, "penstock_dask"),
        DaskExecutor(address=theirs.scheduler_address, debug=False).start() as executor,
    ):
        (event,) = executor.events()
        assert event.kind in ("dashboard", "started")
        assert executor.dashboard_link == event.link
        assert "1 worker at tcp://127.0.0.1" in caplog.text
        assert not executor.events()
    assert executor.dashboard_link is None


def test_another_python_is_an_error_and_another_package_is_told_of() -> None:
    """What breaks pickling is told apart from the rest, place by place."""
    here = {"python": "3.12.3.final.0", "cloudpickle": "3.1.1", "dask": "2026.1.0", "numpy": "2.1"}
    there = {
        "the scheduler": {"python": "3.12.3.final.0", "cloudpickle": "3.1.1", "dask": "2026.1.0"},
        "the worker a": {**here, "python": "3.11.9.final.0"},
        "the worker b": {**here, "cloudpickle": "2.2.1"},
        "the worker c": {**here, "python": "3.12.9.final.0", "dask": "2025.1.0", "numpy": None},
    }
    broken, odd = differences(here, there, ["cloudpickle", "dask", "numpy"])
    assert broken == [
        "python is 3.12.3 here, 3.11.9 on the worker a",
        "cloudpickle is 3.1.1 here, 2.2.1 on the worker b",
    ]
    assert odd == [
        "dask is 2026.1.0 here, 2025.1.0 on the worker c",
        "numpy is 2.1 here, not installed on the worker c",
    ]


def test_versions_are_asked_of_every_worker(
    theirs: distributed.LocalCluster, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Those that are the same are not told of; a worker of another Python is refused before anything runs."""
    options: dict[str, Any] = {
        "address": theirs.scheduler_address,
        "debug": False,
        "check_packages": ["tornado"],
    }
    with DaskExecutor(**options).start():
        time.sleep(0.2)  # it is told of by another thread
    assert "here," not in caplog.text
    worker = theirs.workers[0]
    monkeypatch.setitem(
        worker.handlers,
        "versions",
        lambda packages=(): {"packages": {"python": "2.7.18", "cloudpickle": "3.0"}},
    )
    with pytest.raises(ExecutorStartError, match=r"2\.7\.18 on the worker"), DaskExecutor(**options).start():
        pass


def test_a_worker_of_another_python_that_comes_later_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    """As with an adaptive cluster, which has none at the start."""
    monkeypatch.setattr(watching, "INTERVAL", 0.2)
    with (
        distributed.LocalCluster(n_workers=1, processes=False, protocol="tcp", **QUIET) as cluster,
        DaskExecutor(address=cluster.scheduler_address, debug=False).start() as executor,
    ):
        other = {"packages": {"python": "2.7.18", "cloudpickle": "3.0"}}
        monkeypatch.setattr(distributed.node, "get_versions", lambda packages=(): other)
        cluster.scale(2)
        told: list[str] = []
        end = time.monotonic() + 60
        while not any("2.7.18 on the worker" in each for each in told):
            assert time.monotonic() < end
            told += [event.message for event in executor.events() if event.kind == "versions_differ"]
            time.sleep(0.1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"address": "tcp://a:1", "scheduler_file": "b"}, "say the same twice"),
        ({"scheduler_file": "b", "adapt_kwargs": {}}, "runs already"),
        ({"address": "tcp://a:1", "client_kwargs": {"address": "tcp://b:1"}}, "give it once"),
        ({"client_kwargs": {"asynchronous": True}}, "to_thread"),
        ({"address": "tcp://a:1", "security": True}, "temporary credentials"),
        ({"address": "tcp://a:1", "security": {"tls_ca_fil": "x"}}, "tls_ca_fil"),
        (
            {"address": "tcp://a:1", "security": {"tls_ca_file": "/no/such.pem"}},
            "there is no file /no/such.pem",
        ),
        ({"start_timeout": 0}, "above 0"),
        ({"check_packages": "numpy"}, "a list of names"),
        ({"client_kwargs": {"timout": 3}}, "did you mean 'timeout'"),
    ],
)
def test_options_that_make_no_sense_are_refused_before_anything_starts(
    options: dict[str, Any], message: str
) -> None:
    """When the executor is built, with the remedy."""
    with pytest.raises(OptionError, match=message):
        DaskExecutor(debug=False, **options)


def test_a_keyword_that_the_cluster_does_not_take_is_refused_before_it_starts() -> None:
    """With the nearest one; an executor that is only described, as in a list of profiles, may still be wrong."""
    executor = DaskExecutor(cluster_class=distributed.SpecCluster, cluster_kwargs={"wokers": {}})
    with pytest.raises(OptionError, match="did you mean 'workers'"), executor.start():
        pass


def test_tls_by_object_files_and_temporary_credentials(tmp_path: Path) -> None:
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
        assert "expects TLS" in _failure(address=plain, start_timeout=60)


def test_the_address_of_a_worker_is_told_apart(theirs: distributed.LocalCluster) -> None:
    """It speaks as a scheduler does, and is none."""
    (worker,) = [each.address for each in theirs.workers.values()][:1]
    assert "is no scheduler, but a worker" in _failure(address=worker, start_timeout=20)


def test_a_factory_that_gives_no_cluster_is_told_so() -> None:
    """And not later, by what then goes wrong."""
    assert "it gives no cluster, but None" in _failure(cluster_class=lambda: None)


def test_a_closed_cluster_is_told_so() -> None:
    """As any other that does not answer."""
    with distributed.LocalCluster(n_workers=0, processes=False, protocol="tcp", **QUIET) as closed:
        pass
    assert "closed" in _failure(cluster_class=closed)


def test_a_nannys_error_comes_with_its_cause() -> None:
    """A keyword that no worker takes is named, although only the worker's own process noticed.

    Distributed gives the nanny a tenth of a second to read it, so a busy machine may need another try.
    """
    options = {"n_workers": 1, "threads_per_worker": 1, "no_such_keyword": 1}
    told = (_failure(cluster_kwargs=options, start_timeout=20) for _ in range(3))
    assert any("no_such_keyword" in each for each in told)
