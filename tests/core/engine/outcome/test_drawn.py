"""Drawing a run: at hand, pickled, while it is on, and from its journal."""

import pickle
from pathlib import Path

import pytest

from turgo import case, flow, merge, task
from turgo.config.load import load_config
from turgo.engine.outcome.drawn import outline_of_run
from turgo.engine.outcome.recorded import recorded_explanation
from turgo.errors import RunError
from turgo.hooks import hookimpl
from turgo.journal.runs import columns_of, run_named
from turgo.records.flow_run import FlowRun
from turgo.records.ledger import Ledger
from turgo.records.task_runs import TaskRuns

pytestmark = pytest.mark.usefixtures("inline_as_local")


@task
def weigh(parcel):
    return 1 / parcel


@task(executor="local")
def stamp(parcel):
    return parcel


@task
def send(parcels):
    return len(parcels)


@flow
def post(parcels):
    with case(stamp("letter"), "letter"):
        letter = stamp(2)
    return send.after(merge(letter, 0))(weigh.map(parcels))


def test_a_journal_has_all_that_is_drawn() -> None:
    """Conditions, orders, executors and states are those of the run itself."""
    run = post.run(parcels=[1, 0, 2], journal=True)
    folder = run_named(Path(load_config().journal["folder"].value), run.id).folder
    explanation = recorded_explanation(columns_of(folder), run.id, ended_by="", killed=False)
    assert outline_of_run(run.graph.title, explanation) == run.graph
    assert "after" in {str(arrow.kind) for arrow in run.graph.arrows}


def test_a_run_can_be_looked_at_while_it_is_on() -> None:
    """By an observer of its beginning; nothing has run yet."""
    seen = []

    class Watch:
        @hookimpl
        def turgo_flow_started(self, run):
            seen.append(run.graph)

    run = post.run(parcels=[1], observers=[Watch()])
    assert "weigh ×?  1 Pending" not in str(seen[0]) and "Pending" in str(seen[0])
    assert "Pending" not in str(run.graph) and "weigh ×1  1 Success" in str(run.graph)


def test_a_pickled_run_is_drawn() -> None:
    """In another process, say."""
    run = post.run(parcels=[1, 0])
    assert pickle.loads(pickle.dumps(run)).graph == run.graph


def test_a_run_that_has_not_begun_has_no_graph() -> None:
    """It says so."""
    with pytest.raises(RunError, match="it has not begun"):
        FlowRun("post-1", "post", "local", TaskRuns(Ledger([], []))).graph  # noqa: B018
