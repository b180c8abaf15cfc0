"""The options: defaults, attributes, pickling, capabilities."""

from __future__ import annotations

import inspect
import logging
import pickle
from typing import Any

import distributed
import pytest

from turgo_dask import DaskExecutor


def test_defaults_are_filled_in() -> None:
    """Each option is a public attribute of its own name."""
    executor = DaskExecutor(debug=False)
    assert executor.address is None
    assert executor.cluster_class is distributed.LocalCluster
    assert executor.cluster_kwargs == {"silence_logs": logging.CRITICAL}
    assert executor.adapt_kwargs == {}
    assert executor.client_kwargs == {"set_as_default": False}
    assert executor.debug is False
    assert executor.slots == 1
    assert not [name for name in inspect.signature(DaskExecutor).parameters if not hasattr(executor, name)]
    assert DaskExecutor(client_kwargs={"timeout": "500ms"}, debug=False).client_kwargs["timeout"] == 0.5


def test_the_address_may_be_given_without_its_name() -> None:
    """As may those that Prefect 1.x takes, in its order."""
    assert DaskExecutor("tcp://127.0.0.1:1", debug=False).address == "tcp://127.0.0.1:1"
    given = DaskExecutor(
        None, distributed.LocalCluster, {"n_workers": 1}, {"maximum": 2}, {"timeout": 3}, True
    )
    assert given.cluster_kwargs == {"silence_logs": logging.WARNING, "n_workers": 1}
    assert given.adapt_kwargs == {"maximum": 2}
    assert given.client_kwargs == {"set_as_default": False, "timeout": 3}


def test_options_survive_pickling() -> None:
    """What comes back has the same options."""
    executor = DaskExecutor(cluster_kwargs={"n_workers": 3}, adapt_kwargs={"maximum": 4}, debug=False)
    assert vars(pickle.loads(pickle.dumps(executor))) == vars(executor)


@pytest.mark.parametrize(
    ("options", "hard"),
    [
        ({}, True),
        ({"cluster_kwargs": {"n_workers": 1, "threads_per_worker": 2}}, True),
        ({"cluster_kwargs": {"processes": False}}, False),
        ({"cluster_kwargs": {"worker_class": distributed.Worker}}, False),
        ({"cluster_class": "distributed.SSHCluster"}, False),
        ({"address": "tcp://127.0.0.1:1"}, False),
    ],
)
def test_hard_timeouts_are_declared_where_they_are_true(options: dict[str, Any], hard: bool) -> None:
    """On a cluster of our own on this machine, with processes and nannies, and nowhere else."""
    assert ("hard_timeouts" in DaskExecutor(**options).capabilities) is hard


@pytest.mark.parametrize(
    ("options", "distributed_there"),
    [
        ({}, True),
        ({"cluster_kwargs": {"processes": False}}, False),
        ({"cluster_class": "distributed.SSHCluster"}, True),
        ({"address": "tcp://127.0.0.1:1"}, True),
    ],
)
def test_threads_of_this_process_are_nothing_distributed(
    options: dict[str, Any], distributed_there: bool
) -> None:
    """Nor is there a worker to lose: what is declared follows from the options."""
    declared = DaskExecutor(**options).capabilities
    assert {"parallel", "keeps_results_remote", "resources"} <= declared
    assert ("distributed" in declared) is distributed_there
    assert ("survives_worker_loss" in declared) is distributed_there
