"""A cluster class is found by its path, and takes the keywords that it is given."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import distributed
import pytest

from turgo.errors import OptionError
from turgo_dask import DaskExecutor
from turgo_dask.cluster.class_path import check_adapting


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


def test_a_keyword_that_the_cluster_does_not_take_is_refused_before_it_starts() -> None:
    """With the nearest one; an executor that is only described, as in a list of profiles, may still be wrong."""
    executor = DaskExecutor(cluster_class=distributed.SpecCluster, cluster_kwargs={"wokers": {}})
    with pytest.raises(OptionError, match="did you mean 'workers'"), executor.start():
        pass


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
    """The command `turgo` looks for modules where packages are installed, and not in the current folder."""
    monkeypatch.chdir(tmp_path)
    Path("clusters_of_mine.py").write_text("def make(): ...\n")
    with pytest.raises(OptionError, match=r"lies in this folder.*PYTHONPATH"):
        DaskExecutor(cluster_class="clusters_of_mine.make", debug=False)


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
