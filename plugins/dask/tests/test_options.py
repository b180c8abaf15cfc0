"""The options: defaults filled in, mistakes found before anything starts."""

from __future__ import annotations

import inspect
import logging
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import dask.config
import distributed
import pytest

from penstock.errors import ExecutorStartError, OptionError
from penstock_dask import DaskExecutor
from penstock_dask.cluster import local_options
from penstock_dask.finding import check_adapting
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


def test_a_module_of_ones_own_that_is_not_found_is_no_missing_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command `penstock` looks for modules where packages are installed, and not in the current folder."""
    monkeypatch.chdir(tmp_path)
    Path("clusters_of_mine.py").write_text("def make(): ...\n")
    with pytest.raises(OptionError, match=r"lies in this folder.*PYTHONPATH"):
        DaskExecutor(cluster_class="clusters_of_mine.make", debug=False)


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


class Elsewhere(distributed.LocalCluster):  # type: ignore[misc]  # distributed carries no types
    """As those of other packages: its `adapt` says what it takes, or passes on what it gets."""

    def adapt(self, *args: Any, minimum_jobs: int = 0, **kwargs: Any) -> Any:
        """Count jobs."""
        return super().adapt(*args, minimum=minimum_jobs, **kwargs)


class Strict(distributed.LocalCluster):  # type: ignore[misc]  # distributed carries no types
    """Passes on nothing."""

    def adapt(self, minimum: int = 0, maximum: int = 1) -> Any:
        """Count workers."""
        return super().adapt(minimum=minimum, maximum=maximum)


class Plain:
    """A cluster whose workers are what they are."""

    scheduler_address = "tcp://127.0.0.1:1"

    def close(self) -> None:
        """Nothing is open."""


@pytest.mark.parametrize(
    ("cluster_class", "adapt_kwargs", "message"),
    [
        (
            distributed.LocalCluster,
            {"minimun": 1},
            r"LocalCluster\.adapt takes no 'minimun'; did you mean 'minimum'",
        ),
        (distributed.SpecCluster, {"wait_cuont": 1}, "did you mean 'wait_count'"),
        (Strict, {"interval": "1s"}, r"Strict\.adapt takes no 'interval'"),
        (Plain, {"minimum": 1}, "Plain has no adapt"),
        (lambda: Plain(), {"minimum": 1}, "Plain has no adapt"),
    ],
)
def test_what_adapt_does_not_take_is_refused(
    cluster_class: Any, adapt_kwargs: dict[str, Any], message: str
) -> None:
    """With the nearest name. Distributed would pass it on to where nobody misses it."""
    executor = DaskExecutor(cluster_class=cluster_class, adapt_kwargs=adapt_kwargs, debug=False)
    with pytest.raises(OptionError, match=message), executor.start():
        pass


@pytest.mark.parametrize(
    ("cluster_class", "adapt_kwargs"),
    [
        (
            distributed.LocalCluster,
            {"minimum": 0, "maximum": 2, "interval": "1s", "wait_count": 2, "memory_ratio": 2},
        ),
        (
            distributed.SpecCluster,
            {"minimum_cores": 0, "maximum_memory": "1 GB", "Adaptive": distributed.Adaptive},
        ),
        (Elsewhere, {"minimum_jobs": 1, "anything": 2}),
    ],
)
def test_what_adapt_takes_is_let_through(cluster_class: Any, adapt_kwargs: dict[str, Any]) -> None:
    """What the classes behind it take too, and anything by those of other packages that pass things on."""
    check_adapting(cluster_class, adapt_kwargs)


def test_an_adapt_that_fails_says_so() -> None:
    """With its reason."""

    class Unable(Plain):
        def adapt(self, minimum: int) -> None:
            raise LookupError(f"there are no {minimum} machines")

    executor = DaskExecutor(cluster_class=Unable, adapt_kwargs={"minimum": 3}, debug=False)
    with pytest.raises(ExecutorStartError, match=r"adapt of Unable failed.*no 3 machines"), executor.start():
        pass


def test_what_listens_on_loopback_is_up_to_the_user() -> None:
    """What the options of a local cluster say goes first, and a network interface is no host besides."""
    given = {"host": "0.0.0.0", "dashboard_address": ":8787", "worker_dashboard_address": ":0"}
    assert local_options(given) == given
    assert "host" not in local_options({"interface": "eth0"})
    assert local_options({})["host"] == "127.0.0.1"
