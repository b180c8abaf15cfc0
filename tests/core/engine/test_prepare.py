"""The preparation of a run: where tasks run, and that a flow is refused where its executor lacks what it requires."""

from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path

import pytest

from turgo import Executor, flow, task
from turgo.engine.prepare import place_tasks
from turgo.engine.site import Site
from turgo.errors import RequirementError, TaskPolicyError, UnknownExecutorError
from turgo.executor import CAPABILITIES
from turgo.registry.source_files import load_source

FILE = Path(__file__).parents[1] / "inline_executor.py"
InlineExecutor = load_source(FILE).InlineExecutor


@task
def one():
    return 1


def placed(*executors, own="mine"):
    """The sites of a run whose tasks name these executors, and the number of each task's site."""
    here = Site(InlineExecutor(), own)

    @flow
    def several():
        return [one.with_options(executor=each)() for each in executors]

    graph = several.record()
    sites, places, runs_here = place_tasks(graph, here, None)
    assert sites[0] is here
    return sites, [places[node.task].site if node.task in places else 0 for node in graph.nodes], runs_here


def test_tasks_that_name_none_run_on_the_own_one():
    """There is one site then."""
    sites, numbers, here = placed(None, None)
    assert (len(sites), numbers, here) == (1, [0, 0], True)


def test_the_same_executor_is_made_once():
    """By name, class path, class, mapping or object; each under the name by which it was asked for."""
    path, mine = f"{FILE}:InlineExecutor", InlineExecutor()
    mapping = {"use": path}
    sites, numbers, here = placed(path, mine, path, mapping, mine, dict(mapping))
    assert numbers == [1, 2, 1, 3, 2, 3] and not here
    assert [site.name for site in sites] == ["mine", path, "InlineExecutor", path]
    assert sites[2].executor is mine


def test_a_task_that_names_the_executor_of_the_run_runs_there():
    """By its name in any form, by its class, or as the object itself."""
    own = InlineExecutor()
    body = flow(lambda: [one.with_options(executor=each)() for each in ("Local-Mine", type(own), own)])
    sites, places, here = place_tasks(body.record(), Site(own, "local_mine"), None)
    assert len(sites) == 1 and here and {place.site for place in places.values()} == {0}


def test_an_executor_that_is_not_there_is_an_error_that_names_the_task():
    """Nothing has been started then."""
    with pytest.raises(UnknownExecutorError, match=r"'nowhere'.*executor of the task one"):
        placed("nowhere")


@pytest.mark.parametrize("executor", [3, "", ["local"], int])
def test_what_can_be_no_executor_is_refused_at_the_task(executor):
    """Where it is written, not when it runs."""
    with pytest.raises(TaskPolicyError, match=r"executor="):
        task(executor=executor)


def test_tasks_of_different_executors_share_no_batch():
    """A chain that changes executors is cut where it does."""

    class Counts(InlineExecutor):
        def __init__(self):
            self.submitted = 0

        def submit(self, fn, /, *args, extra_context=None, **kwargs):
            self.submitted += 1
            return super().submit(fn, *args, extra_context=extra_context, **kwargs)

    first, second = Counts(), Counts()
    add = task(lambda value: value + 1, name="add")
    there = add.with_options(executor=second)

    @flow
    def chain():
        value = add(0)
        for _ in range(20):
            value = there(add(value))
        return value

    run = chain.run(executor=first)
    assert run.result == 41
    assert (first.submitted, second.submitted) == (21, 20)


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
    able = ("parallel", "resources")
    site.install_plugin("wheel", capabilities=able)
    site.install_plugin("mill", capabilities=able)
    site.install_plugin("mill", distribution="rival", package="rival", capabilities=able)
    site.install_plugin("sail", capabilities=("parallel",))
    site.install("broken-oar", {"oar.py": "import no_such_thing"}, {"oar": "oar"})
    with pytest.raises(RequirementError) as caught:
        needy.run(executor=Plain())
    named = {"turgo-mill/mill", "rival/mill", "wheel"}
    assert named <= set(caught.value.offered_by)
    assert not {"sail", "oar", "mill"} & set(caught.value.offered_by)
    assert str(caught.value).endswith(
        f"executors that do, as they are set here: {', '.join(caught.value.offered_by)}"
    )


def test_the_refusal_says_so_where_no_installed_executor_offers_it(site):
    """Rather than to end in an empty list."""
    site.install_plugin("sail", capabilities=("parallel",))

    @flow(requires=set(CAPABILITIES))
    def everything():
        return one()

    with pytest.raises(RequirementError, match=r"does not offer; no installed executor does$") as caught:
        everything.run(executor=Plain())
    assert caught.value.offered_by == ()


class Knowing(Plain):
    """Knows what its workers offer once it is started."""

    capabilities = frozenset({"parallel", "resources"})

    def offers(self, requirement):
        return super().offers(requirement) and not (self.started and requirement == "resources:GPU")


def test_it_is_asked_again_once_it_is_started():
    """What only the started executor knows ends the run before any call, and the executor is left again."""
    executor = Knowing()
    with pytest.raises(
        RequirementError, match="requires resources:GPU, which the executor Knowing does not offer"
    ):
        needy.run(executor=executor)
    assert executor.was_started
    assert not executor.started


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
