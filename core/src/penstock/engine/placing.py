"""Placing: on which executor of a run the calls of each task are made.

    @task                    the run's own executor
    @task(executor="gpu")    that one; the run's own, if it was asked for by the same name, class or object

All executors that tasks name are found and made before anything starts, so that a wrong name costs nothing; each is
started when a call is first to be sent there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from penstock.classpath import is_class_path
from penstock.config import Config
from penstock.engine.queues import Place
from penstock.engine.site import Site
from penstock.executor import Executor
from penstock.flows.graph import Graph
from penstock.flows.task import AnyTask
from penstock.names import normalise
from penstock.registry import Asked, Registry
from penstock.settings import Origin

Named = Asked | Executor


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
    known: list[tuple[Named, Site]] = []
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


def _found(asked: Named, registry: Registry, task: str) -> tuple[Executor, str]:
    """The executor and its name; as with `@flow(executor=…)`, variables go before options that are given with it."""
    if isinstance(asked, Executor):
        return asked, type(asked).__name__
    resolved = registry.resolve(asked, origin=Origin("flow", f"executor of the task {task}"))
    return resolved.build(), resolved.name


def _is_own(asked: Named, own: Site) -> bool:
    if isinstance(asked, str):
        return _name(asked) == own.name
    return asked is own.executor or asked is type(own.executor)


def _same(one: Named, other: Named) -> bool:
    """Whether both mean one executor: the same name, class, object or equal mappings."""
    if isinstance(one, str) and isinstance(other, str):
        return _name(one) == _name(other)
    mappings = isinstance(one, Mapping) and isinstance(other, Mapping)
    return one is other or (mappings and _plain(one) == _plain(other))


def _name(asked: str) -> str:
    return asked if is_class_path(asked) else normalise(asked)


def _plain(mapping: Any) -> str:
    return repr(sorted(mapping.items(), key=lambda item: str(item[0])))
