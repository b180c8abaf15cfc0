"""Tags choose the worker of a call and its turn."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import distributed
import pytest

from turgo import flow, task
from turgo.errors import (
    OptionError,
)
from turgo_dask import DaskExecutor
from turgo_dask.calls.tags import placement_of

ONE = {"n_workers": 1, "threads_per_worker": 1, "processes": False}


@task(tags=["dask-resource:GPU"])
def misspelt() -> int:
    """Asks for no number."""
    return 1


@flow
def wrong() -> Any:
    """A tag that makes no sense."""
    return misspelt()


def _not_to_be_started() -> Any:
    raise AssertionError("nothing was to be started")


def test_resources_choose_the_worker() -> None:
    """Calls run where the resource that their tag asks for is."""
    options = {"n_workers": 1, "threads_per_worker": 1, "resources": {"GPU": 1}}
    with DaskExecutor(cluster_kwargs=options, debug=False).start() as executor:
        context: Any = {"task_name": "train", "task_tags": ["dask-resource:GPU=1"]}
        assert executor.submit(abs, -1, extra_context=context).result(timeout=30) == 1
        context = {"task_name": "train", "task_tags": ["dask-resource:GPU=2"]}
        impossible = executor.submit(abs, -1, extra_context=context)
        with pytest.raises(TimeoutError):
            impossible.result(timeout=0.5)


def test_tags_become_resources() -> None:
    """`dask-resource:KEY=NUM` is a number of KEY; other tags are nothing to it."""
    placement = placement_of(["dask-resource:GPU=1", "big", "dask-resource:MEM=2e9"])
    assert placement.options == {"resources": {"GPU": 1.0, "MEM": 2e9}}
    assert placement_of(["big"]).options == {}
    assert placement_of(None).options == {}


@pytest.mark.parametrize(
    "tag", ["dask-resource:GPU", "dask-resource:=1", "dask-resource:GPU=x", "dask-resource:GPU=-1"]
)
def test_an_ill_formed_resource_shows_the_right_form(tag: str) -> None:
    """The error shows how it is written."""
    with pytest.raises(OptionError, match="dask-resource:GPU=1"):
        placement_of([tag])


def test_an_ill_formed_tag_is_found_before_anything_starts() -> None:
    """The error names the task and shows the right form; no cluster was started for it."""
    executor = DaskExecutor(cluster_class=_not_to_be_started, debug=False)
    with pytest.raises(OptionError, match=r"task misspelt: .*dask-resource:GPU=1"):
        wrong.run(executor=executor)


def test_priority_decides_who_is_next(tmp_path: Path) -> None:
    """Of calls that wait, the one with the highest priority begins first."""
    gate = tmp_path / "gate"

    def hold() -> None:
        while not gate.exists():
            time.sleep(0.01)

    def note(name: str) -> None:
        with (tmp_path / "order").open("a") as file:
            file.write(f"{name}\n")

    with DaskExecutor(cluster_kwargs=ONE, debug=False).start() as executor:
        first = executor.submit(hold)
        calls = []
        for name, priority in (("low", -5), ("middle", 0), ("high", 7)):
            context: Any = {"task_name": name, "task_tags": [f"dask-priority:{priority}"] if priority else []}
            calls.append(executor.submit(note, name, extra_context=context))
        (worker,) = executor._session.cluster.workers.values()
        end = time.monotonic() + 20
        while len(worker.state.tasks) < 4:  # until it has all that it is to choose from
            assert time.monotonic() < end
            time.sleep(0.01)
        gate.touch()
        executor.wait([first, *calls])
    assert (tmp_path / "order").read_text().split() == ["high", "middle", "low"]


def test_workers_are_chosen_by_name_or_address() -> None:
    """Strictly, or as a preference."""
    with (
        distributed.LocalCluster(**{**ONE, "n_workers": 2}, dashboard_address="127.0.0.1:0") as cluster,
        DaskExecutor(cluster_class=cluster, debug=False).start() as executor,
    ):

        def where() -> str:
            return str(distributed.get_worker().address)

        addresses = [worker.address for worker in cluster.workers.values()]
        for tags in ([f"dask-workers:{addresses[1]}"], ["dask-workers:1"]):
            context: Any = {"task_name": "where", "task_tags": tags}
            found = executor.wait([executor.submit(where, extra_context=context) for _ in range(5)])
            assert set(found) == {addresses[1]}
        context = {"task_name": "where", "task_tags": ["dask-workers:nobody", "dask-allow-other-workers"]}
        assert executor.submit(where, extra_context=context).result(timeout=30) in addresses


@pytest.mark.parametrize(
    ("tags", "message"),
    [
        (["dask-priority:high"], "whole number: write dask-priority:10"),
        (["dask-priority:99999999999999999999"], "beyond the priorities, which end at 1,000,000,000"),
        (["dask-workers:"], "names no workers"),
        (["dask-allow-other-workers"], "without workers"),
        (["dask-resources:GPU=1"], "write dask-resource:GPU=1"),
        (["Dask-Resources:GPU=1"], "write dask-resource:GPU=1"),
        (["dask-resource:GPU=1", "dask-resource:GPU=2"], "GPU a second time"),
        (["dask-resource:GPU=1", "DASK-resource: GPU=1"], "GPU a second time"),
    ],
)
def test_a_tag_that_means_nothing_shows_the_right_form(tags: list[str], message: str) -> None:
    """Misspelt ones too; tags that only resemble them in their first word are left alone."""
    with pytest.raises(OptionError, match=message):
        placement_of(tags)
    assert placement_of(["dask-team:blue"]) == placement_of([])


@pytest.mark.parametrize("head", ["dask-resource", "Dask-Resource", "DASK-RESOURCE"])
def test_a_tag_may_be_written_in_any_case(head: str) -> None:
    """The name of the resource keeps its own, as workers give it."""
    assert placement_of([f"{head}:Gpu=1"]).options == {"resources": {"Gpu": 1.0}}
    assert placement_of([f"{head}:Gpu=1", "DASK-PRIORITY:3"]).options["priority"] == 3


def test_two_resources_may_be_asked_for() -> None:
    """Names that differ in their case are different resources."""
    assert placement_of(["dask-resource:gpu=1", "dask-resource:GPU=2"]).options == {
        "resources": {"GPU": 2.0, "gpu": 1.0}
    }


def test_only_digits_that_everybody_writes_are_the_number_of_a_worker() -> None:
    """`²` is a digit to Python, and no number."""
    assert placement_of(["dask-workers:1,²,٣"]).options["workers"] == ["1", "²", "٣", 1]
    assert placement_of([f"dask-workers:{'9' * 5000}"]).options["workers"] == ["9" * 5000]
