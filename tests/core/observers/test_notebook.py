"""The table of a notebook, as IPython is given it; `tests/integration` executes a real one."""

import sys
import types
from pathlib import Path
from typing import Any

import pytest

from turgo.executor import ExecutorEvent
from turgo.observers import notebook
from turgo.observers.notebook import NotebookObserver
from turgo.records.states import RunState, TaskState
from turgo.records.task_run import TaskEvent
from turgo.registry.source_files import load_source

_written = load_source(Path(__file__).parent / "written_runs.py")
run_of = _written.run_of


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What is displayed, the latest last."""
    found: list[Any] = []

    def display(drawing: Any, *, display_id: bool) -> Any:
        assert display_id
        found.append(drawing)
        return types.SimpleNamespace(update=found.append)

    module: Any = types.ModuleType("IPython.display")
    module.display = display
    monkeypatch.setitem(sys.modules, "IPython.display", module)
    return found


def test_the_table_counts_and_stays(shown: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """A row for each task, with a bar; at the end it says how the run ended."""
    monkeypatch.setattr(notebook, "DRAWN_EVERY_SECONDS", 0.0)
    observer = NotebookObserver()
    run, _ = run_of(find=None, measure=4)
    observer.turgo_executor_event(run, ExecutorEvent("starting", "starting hpc, 3 s so far"))
    assert "starting hpc" in shown[-1]._repr_html_()
    observer.turgo_flow_started(run)
    observer.turgo_task_events(run, [TaskEvent("measure", TaskState.FAILED, 2, 1, 0, 2)])
    html = shown[-1]._repr_html_()
    assert "<td" in html and "2/4" in html and "width:50.0%" in html
    run.end(RunState.FAILED)
    observer.turgo_flow_finished(run)
    assert "census on local: Failed" in shown[-1]._repr_html_()
    assert repr(shown[-1]).startswith("census on local: Failed")


def test_a_browser_gets_few_messages(shown: list[Any]) -> None:
    """Not one for each bunch of events."""
    observer = NotebookObserver()
    run, _ = run_of(measure=1000)
    observer.turgo_flow_started(run)
    for at in range(500):
        observer.turgo_task_events(run, [TaskEvent("measure", TaskState.SUCCESS, 1, 0, at, at + 1)])
    observer.turgo_flow_finished(run)
    assert len(shown) < 100
    assert "500/1,000" in shown[-1]._repr_html_()


def test_many_tasks_have_fifty_rows(shown: list[Any]) -> None:
    """The others are counted, and names are no HTML."""
    observer = NotebookObserver()
    run, _ = run_of(**{f"<b>{number}": None for number in range(60)})
    observer.turgo_flow_started(run)
    html = shown[-1]._repr_html_()
    assert html.count("<tr>") == 51
    assert "10 more tasks" in html
    assert "&lt;b&gt;7" in html and "<b>7" not in html
