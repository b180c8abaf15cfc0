"""What workers offer: known from keywords, from a live cluster, or from those that are there."""

import dask.config
import distributed
import pytest

from turgo import flow, task
from turgo.errors import OptionError, RequirementError
from turgo_dask import DaskExecutor
from turgo_dask.supervision.resources import expected_resources, planned_resources, present_resources

TWO = {"n_workers": 1, "threads_per_worker": 1, "processes": False, "dashboard_address": "127.0.0.1:0"}


def test_the_keywords_of_a_local_cluster_say_what_its_workers_will_offer():
    """Before anything is started, and dask's own configuration counts as well."""
    assert expected_resources(distributed.LocalCluster, {"resources": {"GPU": 1}}) == {"GPU"}
    assert expected_resources(distributed.LocalCluster, {}) == frozenset()
    with dask.config.set({"distributed.worker.resources": {"TPU": 2}}):
        assert expected_resources(distributed.LocalCluster, {}) == {"TPU"}


def test_of_an_address_and_of_another_class_nobody_knows_before():
    """Nothing is refused for a resource that may turn out to be there."""
    assert expected_resources(None, None) is None
    assert expected_resources(distributed.SpecCluster, {"resources": {}}) is None


def test_the_workers_that_are_there_offer_what_the_scheduler_says():
    """Of each worker, those of any amount."""
    assert present_resources({"a": {"resources": {"GPU": 1}}, "b": {"resources": {}}, "c": {}}) == {"GPU"}


@task
def one():
    return 1


@flow(requires={"resources:GPU"})
def needs_a_gpu():
    return one()


def test_a_flow_that_requires_what_no_worker_will_offer_is_refused_before_the_start():
    """The cluster is not even started."""
    executor = DaskExecutor(cluster_kwargs=TWO)
    with pytest.raises(
        RequirementError, match="requires resources:GPU, which the executor DaskExecutor does not"
    ):
        needs_a_gpu.run(executor=executor)
    assert executor.offers("resources")
    assert executor.offers("parallel")


@pytest.mark.cluster
def test_a_flow_runs_where_the_workers_offer_what_it_requires():
    """A resource among cluster_kwargs is one that the workers have."""
    executor = DaskExecutor(cluster_kwargs={**TWO, "resources": {"GPU": 1}})
    assert needs_a_gpu.run(executor=executor).result == 1


@pytest.mark.cluster
@pytest.mark.parametrize("resources", [{}, {"GPU": 1}], ids=["without", "with"])
def test_a_live_cluster_and_an_address_are_asked_for_what_their_workers_offer(resources):
    """By the object it is known before the start, by the address once the executor is open."""
    with distributed.LocalCluster(**TWO, resources=resources) as cluster:
        assert planned_resources(cluster) == frozenset(resources)
        for executor in (
            DaskExecutor(cluster_class=cluster),
            DaskExecutor(address=cluster.scheduler_address),
        ):
            if resources:
                assert needs_a_gpu.run(executor=executor).result == 1
            else:
                with pytest.raises(RequirementError, match="does not offer"):
                    needs_a_gpu.run(executor=executor)


def test_a_tag_that_asks_for_a_resource_twice_is_refused():
    """Neither of the two amounts can be meant to be ignored."""
    with pytest.raises(OptionError, match="asks for GPU a second time"):
        DaskExecutor(cluster_kwargs=TWO).check_tags(["dask-resource:GPU=1", "dask-resource:GPU=2"])
