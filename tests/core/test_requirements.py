"""A flow that requires a capability is refused on an executor without it, before anything starts."""

from concurrent.futures import Future
from contextlib import contextmanager

import pytest

from penstock import Executor, flow, task
from penstock.errors import RequirementError, TaskPolicyError
from penstock.executor import CAPABILITIES


class Plain(Executor):
    """Offers nothing, and must not be started by a run that is refused."""

    @contextmanager
    def start(self):
        self.was_started = True
        yield self

    def submit(self, fn, /, *args, extra_context=None, **kwargs):
        done = Future()
        done.set_result(fn(*args, **kwargs))
        return done


class Able(Plain):
    """Offers two capabilities, and of resources only GPU."""

    capabilities = frozenset({"parallel", "resources"})

    def offers(self, requirement):
        return super().offers(requirement) and requirement in ("parallel", "resources", "resources:GPU")


@task
def one():
    return 1


@flow(requires={"parallel", "resources:GPU"})
def needy():
    return one()


@flow
def outer():
    return needy()


def test_it_runs_where_all_is_offered():
    """Nothing stands in the way of an executor that has the capabilities."""
    assert needy.run(executor=Able()).result == 1


@pytest.mark.parametrize("chosen", [needy, outer], ids=["the flow", "a flow within the flow"])
def test_it_is_refused_where_something_is_missing(chosen):
    """The error names what is missing and the executor, which was never started."""
    executor = Plain()
    with pytest.raises(
        RequirementError, match=r"requires parallel, resources:GPU.* Plain does not"
    ) as caught:
        chosen.run(executor=executor)
    assert caught.value.missing == ("parallel", "resources:GPU")
    assert not hasattr(executor, "was_started")


def test_the_refusal_names_the_installed_executors_that_offer_all_of_it(site):
    """By the names that pick them; those with a part of it, and those that are broken, are none of them."""
    offers = "capabilities={'parallel', 'resources'}"
    site.install_plugin("wheel", more=offers)
    site.install_plugin("mill", more=offers)
    site.install_plugin("mill", distribution="rival", package="rival", more=offers)
    site.install_plugin("sail", more="capabilities={'parallel'}")
    site.install("broken-oar", {"oar.py": "import no_such_thing"}, {"oar": "oar"})
    with pytest.raises(RequirementError) as caught:
        needy.run(executor=Plain())
    named = {"penstock-mill/mill", "rival/mill", "wheel"}
    assert named <= set(caught.value.offered_by)
    assert not {"sail", "oar", "mill"} & set(caught.value.offered_by)
    assert str(caught.value).endswith(f"installed executors that do: {', '.join(caught.value.offered_by)}")


def test_the_refusal_says_so_where_no_installed_executor_offers_it(site):
    """Rather than to end in an empty list."""
    site.install_plugin("sail", more="capabilities={'parallel'}")

    @flow(requires=set(CAPABILITIES))
    def everything():
        return one()

    with pytest.raises(RequirementError, match=r"does not offer; no installed executor does$") as caught:
        everything.run(executor=Plain())
    assert caught.value.offered_by == ()


def test_an_executor_may_look_at_the_detail():
    """`offers` is told what stands behind the colon."""

    @flow(requires={"resources:TPU"})
    def tpu():
        return one()

    with pytest.raises(RequirementError, match="resources:TPU"):
        tpu.run(executor=Able())


def test_one_requirement_may_be_a_string():
    """`requires="parallel"` is the set of that one."""

    @flow(requires="parallel")
    def spread():
        return one()

    assert spread.requires == {"parallel"}


@pytest.mark.parametrize("wrong", ["paralel", "parallel:2", "resources:", "gpu", 3])
def test_an_unknown_requirement_is_an_error_of_the_flow(wrong):
    """A word that is no capability is refused when the flow is defined, with the nearest one."""
    with pytest.raises(TaskPolicyError, match=r"no capability.*There are parallel"):
        flow(requires=[wrong])(lambda: one())


def test_requirements_may_come_from_a_generator():
    """What can be gone through only once is checked and kept all the same."""
    assert flow(requires=(each for each in ["parallel"]))(lambda: one()).requires == {"parallel"}
