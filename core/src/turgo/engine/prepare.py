"""Decides on which executor each task of a run runs. Checks that it offers what is required.

    @task                    the run's own executor
    @task(executor="gpu")    that one; the run's own, if it was asked for by the same name, class or object

All executors that tasks name are found and made before anything starts, so that a wrong name costs nothing; each is
started when a call is first to be sent there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from turgo.config.load import Config
from turgo.config.settings import Origin
from turgo.engine.schedule.ready import Place
from turgo.engine.site import Site
from turgo.errors import OptionError, RequirementError
from turgo.executor import Executor, ExecutorLike
from turgo.flows.graph import Graph
from turgo.flows.task import AnyTask
from turgo.registry.asked import Asked
from turgo.registry.offers import executors_that_offer
from turgo.registry.resolve import Registry


def place_tasks(
    graph: Graph, own: Site, config: Config | None
) -> tuple[list[Site], dict[AnyTask, Place], bool]:
    """All sites of a run, the own one first; where tasks run that name an executor; whether any runs on the own one.

    Raises a UsageError for an executor that cannot be had.
    """
    named = {
        node.task: node.task.policy.executor for node in graph.nodes if node.task.policy.executor is not None
    }
    if not named:
        return [own], {}, True
    registry = Registry(config)
    known: list[tuple[ExecutorLike, Site]] = []
    places: dict[AnyTask, Place] = {}
    for task, asked in named.items():
        site = (
            own if _is_own(asked, own) else next((site for other, site in known if _same(asked, other)), None)
        )
        if site is None:
            site = Site(*_found(asked, registry, task.name), len(known) + 1)
            known.append((asked, site))
        places[task] = Place(site.number, site.hard_timeouts)
    here = any(places.get(node.task, Place()).site == own.number for node in graph.nodes)
    return [own, *(site for _, site in known)], places, here


def _found(asked: ExecutorLike, registry: Registry, task: str) -> tuple[Executor, str]:
    """The executor and its name; as with `@flow(executor=…)`, variables go before options that are given with it."""
    if isinstance(asked, Executor):
        return asked, type(asked).__name__
    resolved = registry.resolve(asked, origin=Origin("flow", f"executor of the task {task}"))
    return resolved.build(), resolved.name


def _is_own(asked: ExecutorLike, own: Site) -> bool:
    if isinstance(asked, str):
        return Asked(asked).label == own.name
    return asked is own.executor or asked is type(own.executor)


def _same(one: ExecutorLike, other: ExecutorLike) -> bool:
    """Whether both mean one executor: the same name, class, object or equal mappings."""
    if isinstance(one, str) and isinstance(other, str):
        return Asked(one).label == Asked(other).label
    mappings = isinstance(one, Mapping) and isinstance(other, Mapping)
    return one is other or (mappings and _plain(one) == _plain(other))


def _plain(mapping: Any) -> str:
    return repr(sorted(mapping.items(), key=lambda item: str(item[0])))


def check_requirements(
    flow: str, requires: Iterable[str], executor: Executor, name: str, config: Config | None
) -> None:
    """Raise RequirementError if the executor does not offer all of `requires`; say which others do, as they are set.

    Asked before `start()` and inside it, where an executor may know more.
    """
    missing = sorted(each for each in requires if not executor.offers(each))
    if not missing:
        return
    others = [each for each in executors_that_offer(requires, Registry(config)) if each != name]
    hint = (
        f"executors that do, as they are set here: {', '.join(others)}"
        if others
        else "no installed executor does"
    )
    raise RequirementError(
        f"the flow {flow} requires {', '.join(missing)}, which the executor {name} does not offer; {hint}",
        missing=missing,
        offered_by=others,
    )


def check_tags(graph: Graph, executor_of: Callable[[AnyTask], Executor]) -> None:
    """Raise OptionError for a tag that its executor cannot make sense of; it says which task has it."""
    checked = set()
    for node in graph.nodes:
        tags = node.task.policy.tags
        if not tags or node.task in checked:
            continue
        checked.add(node.task)
        try:
            executor_of(node.task).check_tags(tags)
        except OptionError as error:
            error.args = (f"the task {node.task.name}: {error}",)
            raise
