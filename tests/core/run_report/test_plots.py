"""The plots, as bokeh has them; how they look and act is seen in a browser."""

import re
import sys

import pytest

from turgo.errors import MissingPackageError
from turgo.run_report.bars import Bar, Timeline
from turgo.run_report.plots import check_bokeh, durations_plot, embedded, timeline_plot


def bar(task: str, lane: int = 0, *, failed: bool = False) -> Bar:
    """Of a second."""
    return Bar(lane, task, 0.0, 1.0, 1, f"{task}[0]", failed, "1")


def test_without_the_package_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """In one sentence with the line to type."""
    monkeypatch.setitem(sys.modules, "bokeh", None)
    with pytest.raises(MissingPackageError, match=re.escape("-m pip install 'turgo[report]'")):
        check_bokeh()


def test_each_task_has_a_colour_and_a_line_in_the_legend() -> None:
    """From the twentieth on they share one."""
    pytest.importorskip("bokeh")
    plot = timeline_plot(Timeline(("a",), tuple(bar(f"task{number}") for number in range(30))))
    labels = [item.label.value for item in plot.legend[0].items]
    assert len(labels) == 20 and labels[-1] == "other tasks"


def test_what_failed_has_a_red_edge() -> None:
    """And the word."""
    pytest.importorskip("bokeh")
    plot = timeline_plot(Timeline(("a",), (bar("dig"), bar("dig", failed=True))))
    data = plot.renderers[0].data_source.data
    assert data["line"][1] == "#c0392b" != data["line"][0] and data["words"][1] == "dig[0] (failed)"


def test_nothing_is_loaded_from_elsewhere() -> None:
    """Bokeh's script stands in the page."""
    pytest.importorskip("bokeh")
    bokeh, script, elements = embedded(
        [timeline_plot(Timeline(("a",), (bar("dig"),))), durations_plot({"dig": [1, 2]})]
    )
    assert len(bokeh) > 500_000 and "src=" not in bokeh[:1000] and len(elements) == 2 and "dig" in script


def test_durations_of_one_call_and_of_many() -> None:
    """Tasks that took most come first."""
    pytest.importorskip("bokeh")
    plot = durations_plot({"dig": [1.0], "rest": [1.0, 2.0, 3.0, 4.0, 5.0]})
    data = plot.renderers[0].data_source.data
    assert data["task"] == ["rest", "dig"] and data["middle"] == [3.0, 1.0] and data["most"] == [5.0, 1.0]
