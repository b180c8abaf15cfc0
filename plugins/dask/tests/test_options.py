"""The options: defaults filled in, mistakes found before anything starts."""

from __future__ import annotations

import logging
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import dask.config
import distributed
import pytest

from penstock.errors import OptionError
from penstock_dask import DaskExecutor
from penstock_dask.plugin import penstock_executors
from penstock_dask.tags import wish_of


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


def test_the_address_may_be_given_without_its_name() -> None:
    """As may those that Prefect 1.x takes, in its order."""
    assert DaskExecutor("tcp://127.0.0.1:1", debug=False).address == "tcp://127.0.0.1:1"
    given = DaskExecutor(
        None, distributed.LocalCluster, {"n_workers": 1}, {"maximum": 2}, {"timeout": 3}, True
    )
    assert given.cluster_kwargs == {"silence_logs": logging.WARNING, "n_workers": 1}
    assert given.adapt_kwargs == {"maximum": 2}
    assert given.client_kwargs == {"set_as_default": False, "timeout": 3}


def test_debug_lets_a_local_cluster_log_its_warnings() -> None:
    """`debug` chooses the level of a LocalCluster, unless `silence_logs` does."""
    assert DaskExecutor(debug=True).cluster_kwargs == {"silence_logs": logging.WARNING}
    chosen = DaskExecutor(debug=True, cluster_kwargs={"silence_logs": 10})
    assert chosen.cluster_kwargs == {"silence_logs": 10}


def test_debug_is_the_configurations_by_default(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without the option, penstock's own `debug` decides."""
    monkeypatch.chdir(tmp_path)
    assert DaskExecutor().debug is False
    monkeypatch.setenv("PENSTOCK_DEBUG", "true")
    assert DaskExecutor().debug is True


@pytest.mark.parametrize("path", ["distributed.LocalCluster", "distributed:LocalCluster"])
def test_cluster_class_may_be_a_path(path: str) -> None:
    """Both forms lead to the class when the executor is built."""
    assert DaskExecutor(cluster_class=path, debug=False).cluster_class is distributed.LocalCluster


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("distributed.LocalClutser", "has no LocalClutser.*LocalCluster"),
        ("no_such_package.Cluster", "pip install no-such-package"),
        ("distributed.no_such_module.Cluster", "there is no module 'distributed.no_such_module'"),
        ("LocalCluster", "is no path"),
        (3, "must be a path"),
        ("distributed.deploy", "is no class, function or cluster, but a module"),
    ],
)
def test_a_wrong_cluster_class_is_found_when_the_executor_is_built(path: Any, message: str) -> None:
    """A typo fails before anything starts, and a missing package is named."""
    with pytest.raises(OptionError, match=message):
        DaskExecutor(cluster_class=path, debug=False)


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


def test_options_survive_pickling() -> None:
    """What comes back has the same options."""
    executor = DaskExecutor(cluster_kwargs={"n_workers": 3}, adapt_kwargs={"maximum": 4}, debug=False)
    assert vars(pickle.loads(pickle.dumps(executor))) == vars(executor)


def test_tags_become_resources() -> None:
    """`dask-resource:KEY=NUM` is a number of KEY; other tags are nothing to it."""
    wish = wish_of(["dask-resource:GPU=1", "big", "dask-resource:MEM=2e9"])
    assert wish.options == {"resources": {"GPU": 1.0, "MEM": 2e9}}
    assert wish_of(["big"]).options == {}
    assert wish_of(None).options == {}


@pytest.mark.parametrize(
    "tag", ["dask-resource:GPU", "dask-resource:=1", "dask-resource:GPU=x", "dask-resource:GPU=-1"]
)
def test_an_ill_formed_resource_shows_the_right_form(tag: str) -> None:
    """The error shows how it is written."""
    with pytest.raises(OptionError, match="dask-resource:GPU=1"):
        wish_of([tag])


def test_the_plugin_module_imports_no_dask() -> None:
    """Asking the plugin for its spec costs no import of dask."""
    code = (
        "import sys, penstock_dask.plugin as plugin\n"
        "(spec,) = plugin.penstock_executors()\n"
        "assert spec.name == 'dask'\n"
        "assert not {'dask', 'distributed'} & sys.modules.keys()\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_the_spec_says_what_the_executor_says() -> None:
    """Capabilities are listed without importing dask, and are those of the class."""
    (spec,) = penstock_executors()
    assert spec.capabilities == DaskExecutor().capabilities
