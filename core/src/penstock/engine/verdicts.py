"""Verdicts: whether a call may run, now that all that it waited for is over; and what a `merge` brings. Pure.

In this order: the `case` that it was recorded in, upstreams that were skipped, its trigger. Nobody asks where all is
well: a call is asked about if one of its upstreams did not simply succeed, or if its trigger is not the ordinary one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from penstock.engine.states import SKIPPED, SUCCESS
from penstock.errors import Skip, TaskPolicyError
from penstock.flows.graph import Node
from penstock.flows.templates import CONST, RESULT, RESULTS
from penstock.ledger import Failure
from penstock.states import STATES, TaskState
from penstock.triggers import all_successful

if TYPE_CHECKING:
    from penstock.engine.schedule import Schedule


def refused(schedule: Schedule, node: Node, index: int | None) -> bool:
    """Whether a call may not run; it is over then, in the state that says why."""
    guard = schedule.guards.get(node.id)
    if guard is not None and schedule.states[guard] != SUCCESS:
        state = TaskState.SKIPPED if schedule.states[guard] == SKIPPED else TaskState.TRIGGER_FAILED
        schedule.end((node.id, index), state, None)
        return True
    depends = [upstream for upstream in node.depends if upstream != guard]
    if not depends and not node.follows:
        return False
    try:
        verdict = _verdict(schedule, node, index, depends)
    except TaskPolicyError as error:  # from a trigger of the user's own
        schedule.ledger.failures[node.id, index] = Failure(TaskState.FAILED, error)
        schedule.end((node.id, index), TaskState.FAILED, error)
        return True
    if verdict is not None:
        schedule.end((node.id, index), verdict, None)
    return verdict is not None


def _verdict(schedule: Schedule, node: Node, index: int | None, depends: Sequence[int]) -> TaskState | None:
    """Why a call may not run, as the state that it then has; None if it may. Raises TaskPolicyError."""
    policy = node.task.policy
    whole = [STATES[schedule.states[upstream]] for upstream in depends]
    own: list[TaskState] = []
    if index is not None:
        own = [STATES[schedule.mapped[upstream].states[index]] for upstream in node.follows]
    if policy.skip_on_upstream_skip and TaskState.SKIPPED in (*whole, *own):
        return TaskState.SKIPPED
    if policy.trigger is all_successful:  # the state of a mapped node says whether any element failed
        states = whole + own
    else:
        states = [STATES[code] for upstream in depends for code in schedule.states_of(upstream)] + own
    return None if policy.trigger.lets_run(states, node.task.name) else TaskState.TRIGGER_FAILED


def merge(schedule: Schedule, node: Node) -> None:
    """All branches are over and none failed: the value is that of the first that was not skipped. It takes no call."""
    branches = [(RESULT, held) for held in node.args] if node.plan == RESULTS else node.args
    for kind, held in branches:
        if kind == CONST or schedule.states[held] != SKIPPED:
            value = held if kind == CONST else schedule.values[held]
            if kind != CONST and held in schedule.remote:
                schedule.remote.add(node.id)
            if schedule.uses[node.id]:  # the list of a map is copied, as a task may sort what it is given
                schedule.values[node.id] = list(value) if kind != CONST and held in schedule.mapped else value
            schedule.states[node.id] = SUCCESS
            schedule.tell(node.id, TaskState.SUCCESS)
            schedule.nodes_over.append(node.id)  # no further: merges may be a thousand deep
            return
    failure = Failure(TaskState.SKIPPED, Skip("all branches were skipped"))
    schedule.ledger.failures[node.id, None] = failure
    schedule.end((node.id, None), TaskState.SKIPPED, None)
