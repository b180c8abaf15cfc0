"""Which tasks return what nobody can change in place."""

from array import array

from turgo import flow, task
from turgo.engine.kept.plain_tasks import PlainTasks
from turgo.engine.schedule.progress import Progress
from turgo.records.ledger import Ledger
from turgo.worker.outcomes import CallOutcome, MapOutcome


@task
def one(value):
    return value


@task
def other(value):
    return value


def test_a_task_is_plain_until_it_returns_what_can_be_changed() -> None:
    """And never after that; what did not run says nothing."""
    graph = flow(lambda: [one(1), other.map([1, 2])]).record()
    progress = Progress(graph, Ledger(["one", "other"], [None, None]))
    plain = PlainTasks(progress)
    pieces = [(0, -1, -1), (1, 0, 2)]

    def learn(value, *values):
        mapped = MapOutcome(list(values), {}, 0.0, array("d", (0.0,) * len(values)))
        plain.learn(pieces, [CallOutcome(value, None, 0.0, 0.0), mapped])
        return {each.name for each in progress.plain}

    assert learn(1, "a", None) == {"one", "other"}
    assert learn(b"1", "a", [1]) == {"one"}
    assert learn(1.5, 1, 2) == {"one"}
    plain.learn(pieces, [None])
    assert learn((1,), 1) == set()
