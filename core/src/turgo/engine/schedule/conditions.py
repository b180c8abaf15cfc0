"""Decides whether a call runs, once all that it waits for is over. Gives `merge` and `mapped[key]` their values. Pure.

They are checked in this order: the `case` that the call was recorded in, skipped upstreams, its trigger. They are not
checked at all in the ordinary case: only if an upstream did not simply succeed, or if the trigger is another one.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

from turgo.engine.schedule.progress import Progress
from turgo.engine.schedule.remote import RemoteValue
from turgo.errors import Skip, TaskPolicyError
from turgo.flows.graph import Node
from turgo.flows.policy.triggers import all_successful
from turgo.flows.task import picking
from turgo.records.ledger import Failure
from turgo.records.states import PRESENT, SKIPPED, STATES, SUCCESS, TaskState
from turgo.worker.arguments import CONST, RESULT, RESULTS, TEMPLATES, fill, results_in


def refused(progress: Progress, node: Node, index: int | None) -> bool:
    """Whether a call may not run; it is ended then, in the state that says why."""
    if barred(progress, node, index):
        return True
    guard = progress.guards.get(node.id)
    depends = [upstream for upstream in node.depends if upstream != guard]
    if not depends and not node.follows:
        return False
    try:
        state_instead = _state_instead(progress, node, index, depends)
    except TaskPolicyError as error:  # from a trigger of the user's own
        progress.ledger.failures[node.id, index] = Failure(TaskState.FAILED, error)
        progress.end((node.id, index), TaskState.FAILED, error)
        return True
    if state_instead is not None:
        progress.end((node.id, index), state_instead, None)
    return state_instead is not None


def barred(progress: Progress, node: Node, index: int | None) -> bool:
    """Whether the `case` that a call was recorded in was not taken; the call is ended then."""
    guard = progress.guards.get(node.id)
    if guard is None or progress.states[guard] in PRESENT:
        return False
    state = TaskState.SKIPPED if progress.states[guard] == SKIPPED else TaskState.TRIGGER_FAILED
    progress.end((node.id, index), state, None)
    return True


def _state_instead(
    progress: Progress, node: Node, index: int | None, depends: Sequence[int]
) -> TaskState | None:
    """The state in which a call ends that may not run; None if it may. Raises TaskPolicyError."""
    policy = node.task.policy
    whole = [STATES[progress.states[upstream]] for upstream in depends]
    own: list[TaskState] = []
    if index is not None:
        own = [STATES[progress.mapped[upstream].states[index]] for upstream in node.follows]
    if policy.skip_on_upstream_skip and TaskState.SKIPPED in (*whole, *own):
        return TaskState.SKIPPED
    if policy.trigger is all_successful:  # the state of a mapped node says whether any element failed
        states = whole + own
    else:
        states = [STATES[code] for upstream in depends for code in progress.states_of(upstream)] + own
    return None if policy.trigger.lets_run(states, node.task.name) else TaskState.TRIGGER_FAILED


def merge(progress: Progress, node: Node) -> None:
    """End a merge, all of whose branches are over and none failed: it has the value of the first not skipped.

    No call is made for it.
    """
    branches = [(RESULT, held) for held in node.args] if node.plan == RESULTS else node.args
    for kind, held in branches:
        if kind == CONST or progress.states[held] != SKIPPED:
            value = held if kind == CONST else progress.values[held]
            if kind != CONST and held in progress.remote:
                progress.remote.add(node.id)
            # the list of a map is copied, as a task may sort what it is given
            _give(progress, node, list(value) if kind != CONST and held in progress.mapped else value)
            return
    failure = Failure(TaskState.SKIPPED, Skip("all branches were skipped"))
    progress.ledger.failures[node.id, None] = failure
    progress.end((node.id, None), TaskState.SKIPPED, None)


def pick(progress: Progress, node: Node) -> None:
    """End `mapped[key]`: it has the value of that element, and is skipped with it; a slice leaves out those skipped.

    No call is made for it, and what became of other elements does not matter.
    """
    templates = [(RESULT, held) for held in node.args] if node.plan == RESULTS else node.args
    source, mapped = templates[0][1], progress.mapped.get(templates[0][1])
    missing = [each for each in results_in(templates[1]) if progress.states[each] not in PRESENT]
    if mapped is None or missing:
        _follow(progress, node, progress.states[missing[0] if missing else source])
        return
    key = fill(templates[1], progress.values.__getitem__)
    try:
        chosen = range(mapped.width)[key if type(key) is slice else operator.index(key)]
    except (IndexError, TypeError, ValueError) as error:
        _fail(progress, node, type(error)(_no_element(progress.ledger.names[source], mapped.width, key)))
        return
    several = isinstance(chosen, range)
    places = [at for at in chosen if mapped.states[at] != SKIPPED] if isinstance(chosen, range) else [chosen]
    absent = next((at for at in places if mapped.states[at] not in PRESENT), None)
    if absent is not None:
        progress.ledger.picked[node.id] = (source, absent)
        _follow(progress, node, mapped.states[absent])
        return
    values = [mapped.values[at] for at in places]
    if any(type(value) is RemoteValue for value in values):
        progress.remote.add(node.id)
    _give(progress, node, values if several else values[0])


def waiting_picks(progress: Progress, node: int, width: int) -> dict[int, list[Node]] | None:
    """The `mapped[key]` of one mapped node that wait for nothing but an element, by the index of that; None if none do.

    width: how many elements there are. A key that is a result, a slice or no index waits until all of them are over.
    """
    found: dict[int, list[Node]] = {}
    for consumer in progress.consumers[node]:
        pick = progress.nodes[consumer]
        if pick.task is picking and pick.plan == TEMPLATES and progress.missing[consumer] == 1:
            kind, key = pick.args[1][:2]
            if kind == CONST and isinstance(key, int) and -width <= key < width:
                found.setdefault(key % width, []).append(pick)
    return found or None


def _no_element(name: str, width: int, key: Any) -> str:
    from turgo.flows.shown_values import shown_value  # late, with all that shows values

    return f"{name} has {width:,} elements, and no [{shown_value(key)}]"


def _fail(progress: Progress, node: Node, error: Exception) -> None:
    """End a node that no call is made for with an error."""
    progress.ledger.failures[node.id, None] = Failure(TaskState.FAILED, error)
    progress.end((node.id, None), TaskState.FAILED, error)


def _give(progress: Progress, node: Node, value: Any) -> None:
    """End a node that no call is made for with a value."""
    if progress.uses[node.id]:
        progress.values[node.id] = value
    progress.states[node.id] = SUCCESS
    progress.report(node.id, TaskState.SUCCESS)
    progress.nodes_over.append(node.id)  # not followed up here: merges may be a thousand deep


def _follow(progress: Progress, node: Node, code: int) -> None:
    """End a node as what it takes was skipped, or is not there."""
    state = TaskState.SKIPPED if code == SKIPPED else TaskState.TRIGGER_FAILED
    progress.end((node.id, None), state, None)
