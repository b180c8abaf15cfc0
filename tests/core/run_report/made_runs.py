"""Runs whose times are made up: what is called ran when the test says, in seconds since its beginning."""

from turgo.outlines.structure import Structure
from turgo.records.ledger import Failure, Ledger, Stamp
from turgo.records.states import CODE, TaskState

BEGAN = 1_000_000.0


def ledger_of(*calls, failed=()):
    """One call of each task: `(name, began, ended, worker)`; None for one that never ran."""
    ledger = Ledger([call[0] for call in calls], [None] * len(calls))
    for node, (_, began, ended, worker) in enumerate(calls):
        ledger.states[node] = CODE[TaskState.SKIPPED if worker is None else TaskState.SUCCESS]
        if worker is not None:
            ledger.times[node] = (Stamp(worker, BEGAN, 0.0), began, ended)
    for node in failed:
        ledger.states[node] = CODE[TaskState.FAILED]
        ledger.failures[node, None] = Failure(TaskState.FAILED, ValueError("on purpose"))
    return ledger


def structure_of(*depends):
    """Which of those each depends on."""
    return Structure(list(depends), ["all_successful"] * len(depends), {})
