"""What a flow requires of its executor, checked before anything starts."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from penstock.errors import OptionError, RequirementError
from penstock.executor import Executor
from penstock.flows.graph import Graph
from penstock.flows.task import AnyTask
from penstock.registry import Registry


def check_requirements(flow: str, requires: Iterable[str], executor: Executor, name: str) -> None:
    """Raise RequirementError if the executor does not offer all of `requires`; say which installed ones do."""
    missing = sorted(each for each in requires if not executor.offers(each))
    if not missing:
        return
    needed = {each.partition(":")[0] for each in requires}
    others = [
        f"{plugin.distribution}/{plugin.name}" if plugin.duplicate else plugin.name
        for plugin in Registry().plugins()
        if plugin.spec is not None and needed <= plugin.spec.capabilities
    ]
    hint = f"installed executors that do: {', '.join(others)}" if others else "no installed executor does"
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
