"""Options that make no sense are refused before anything starts."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import dask.config
import distributed
import pytest

from turgo.errors import OptionError
from turgo_dask import DaskExecutor


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


def test_debug_lets_a_local_cluster_log_its_warnings() -> None:
    """`debug` chooses the level of a LocalCluster, unless `silence_logs` does."""
    assert DaskExecutor(debug=True).cluster_kwargs == {"silence_logs": logging.WARNING}
    chosen = DaskExecutor(debug=True, cluster_kwargs={"silence_logs": 10})
    assert chosen.cluster_kwargs == {"silence_logs": 10}


def test_debug_is_the_configurations_by_default(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without the option, turgo's own `debug` decides."""
    monkeypatch.chdir(tmp_path)
    assert DaskExecutor().debug is False
    monkeypatch.setenv("TURGO_DEBUG", "true")
    assert DaskExecutor().debug is True


@pytest.mark.parametrize(
    "options",
    [
        {"cluster_class": "distributed.LocalCluster"},
        {"cluster_kwargs": {"n_workers": 1}},
        {"adapt_kwargs": {"maximum": 2}},
    ],
)
def test_an_address_excludes_cluster_options(options: dict[str, Any]) -> None:
    """A cluster that runs already is not described; the error says why."""
    with pytest.raises(
        OptionError, match=f"runs already.*{next(iter(options))}|{next(iter(options))}.*change"
    ):
        DaskExecutor(address="tcp://127.0.0.1:1", debug=False, **options)


def test_the_address_may_come_from_dasks_configuration() -> None:
    """`DASK_SCHEDULER_ADDRESS` counts, unless a cluster is described."""
    with dask.config.set({"scheduler-address": "tcp://127.0.0.1:9"}):
        executor = DaskExecutor(debug=False)
        described = DaskExecutor(cluster_kwargs={"n_workers": 1}, debug=False)
    assert (executor.address, executor.cluster_class) == ("tcp://127.0.0.1:9", None)
    assert (described.address, described.cluster_class) == (None, distributed.LocalCluster)


def test_an_empty_address_in_the_environment_says_nothing() -> None:
    """As in a shell that unsets a variable by giving it no value."""
    with dask.config.set({"scheduler-address": ""}):
        assert DaskExecutor(debug=False).cluster_class is distributed.LocalCluster


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"start_timeout": None}, "start_timeout is a number of seconds above 0"),
        ({"scheduler_timeout": None}, "scheduler_timeout is a number of seconds above 0"),
        ({"start_timeout": float("inf")}, "a year"),
        ({"resources_timeout": 0}, "resources_timeout is a number of seconds above 0"),
        ({"start_timeout": "60"}, "not '60'"),
        ({"cluster_kwargs": ["n_workers"]}, "cluster_kwargs maps names to values"),
        ({"client_kwargs": "timeout"}, "client_kwargs maps names to values"),
        ({"adapt_kwargs": {1: 2}}, "adapt_kwargs maps names to values"),
        ({"client_kwargs": {"timeout": "soon"}}, "a text like '5s', not 'soon'"),
        ({"address": 8786}, "address is a text"),
        ({"adapt_kwargs": {"maximum": 0}}, "maximum is 0: it is at least 1"),
        (
            {"adapt_kwargs": {"minimum_jobs": 3, "maximum_jobs": 2}},
            "maximum_jobs is 2.*no less than minimum_jobs",
        ),
        ({"adapt_kwargs": {"minimum": "1"}}, "'1' is no number of workers"),
        ({"performance_report": "/no/such/folder/report.html"}, "/no/such/folder"),
    ],
)
def test_values_that_make_no_sense_are_found_when_the_executor_is_built(
    options: dict[str, Any], message: str
) -> None:
    """And not by a wait that never ends, or an error of python's that names no option."""
    with pytest.raises(OptionError, match=message):
        DaskExecutor(debug=False, **options)


def test_calls_may_wait_for_ever_for_a_worker() -> None:
    """None is that for `resources_timeout`, and for no other option."""
    assert DaskExecutor(resources_timeout=None, debug=False).resources_timeout is None
