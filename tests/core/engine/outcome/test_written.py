"""The report of a run, and the inputs that it shows."""

import pickle
from pathlib import Path

import pytest

from turgo import flow, task
from turgo.engine.outcome.explain import Explanation
from turgo.records.task_run import INPUTS_TASK_RUNS

pytestmark = pytest.mark.usefixtures("inline_as_local")


@task
def paint(colour):
    return colour


def explanation_of(run) -> Explanation:
    """What the report of a run asks for inputs."""
    return run.reporter.keywords["explanation"]


def test_inputs_are_known_once_a_run_is_over() -> None:
    """Of constants, of what calls returned, and of a map over a result."""
    run = flow(name="house")(lambda: paint.map(paint(["red", "blue"]))).run(executor="local")
    kept = explanation_of(run)
    assert kept.input_of((0, None)) == "colour=['red', 'blue']" and kept.input_of((1, 1)) == "colour='blue'"


def test_a_run_that_keeps_no_values_keeps_no_inputs() -> None:
    """Nor does one of very many calls, which are let go of."""
    body = flow(name="house")(lambda count: paint.map(range(count)))
    assert explanation_of(body.run(count=2, executor="local", keep_values=False)).recorded is None
    assert explanation_of(body.run(count=INPUTS_TASK_RUNS + 1, executor="local")).recorded is None


def test_a_pickled_run_has_a_report(tmp_path: Path) -> None:
    """Without inputs."""
    pytest.importorskip("bokeh")
    run = pickle.loads(pickle.dumps(flow(name="house")(lambda: paint("red")).run(executor="local")))
    assert explanation_of(run).input_of((0, None)) == ""
    assert "house" in run.report(tmp_path / "run.html").read_text()
