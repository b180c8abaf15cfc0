"""The plots of a report, by bokeh: the timeline of all workers, and how long the calls of each task took."""

from __future__ import annotations

import importlib.util
import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from turgo.errors import MissingPackageError
from turgo.install import pip_install
from turgo.records.amounts import duration
from turgo.run_report.bars import Bar, Timeline

LANE_HEIGHT_PIXELS = 20
MOST_HEIGHT_PIXELS = 900
LEGEND_TASKS = 20
"""So many tasks have a colour of their own, those with the most bars; the others share one."""

DURATION_TASKS = 40

OTHERS = "other tasks"
FAILED_LINE = "#c0392b"

_SHOW_CLICKED = """
const at = source.selected.indices[0];
if (at !== undefined) {
    const [words, took, attempt] = ["words", "took", "attempt"].map((name) => source.data[name][at]);
    document.getElementById("clicked").textContent = `${words}: ${took}${attempt ? `, attempt ${attempt}` : ""}`;
}
"""


def check_bokeh() -> None:
    """Raise MissingPackageError if bokeh is not installed."""
    if importlib.util.find_spec("bokeh") is None:
        raise MissingPackageError(
            f"a report is drawn by bokeh, which is not here: {pip_install('turgo[report]')}"
        )


def embedded(plots: Sequence[Any]) -> tuple[str, str, list[str]]:
    """What a page has to hold: bokeh's own script, that of the plots, and an element for each of them."""
    from bokeh.embed import components
    from bokeh.resources import Resources

    script, elements = components(tuple(plots))
    return Resources(mode="inline", components=["bokeh"]).render_js(), script, list(elements)


def timeline_plot(timeline: Timeline) -> Any:
    """A lane for each slot of a worker. Hover tells of a bar, a click writes it below, the legend hides tasks."""
    from bokeh.models import CustomJS, HoverTool, Range1d
    from bokeh.plotting import figure

    lanes = len(timeline.lanes)
    plot = figure(
        height=min(MOST_HEIGHT_PIXELS, 110 + LANE_HEIGHT_PIXELS * max(lanes, 2)),
        sizing_mode="stretch_width",
        tools="xpan,xwheel_zoom,box_zoom,reset,tap",
        active_drag="xpan",
        x_axis_label="seconds since the run began",
        y_range=Range1d(start=lanes - 0.4, end=-0.6),
        output_backend="canvas",
        name="timeline",
    )
    plot.toolbar.logo = None
    plot.yaxis.ticker = _some(range(lanes))
    plot.yaxis.major_label_overrides = dict(enumerate(timeline.lanes))
    plot.ygrid.visible = False
    for task, (colour, bars) in _coloured(timeline.bars).items():
        renderer = plot.hbar(
            y="lane",
            left="left",
            right="right",
            height=0.8,
            fill_color=colour,
            line_color="line",
            line_width="edge",
            source=_source(bars, colour),
            legend_label=task,
            hover_alpha=0.7,
        )
        tips = [("", "@words"), ("took", "@took"), ("began at", "@left{0.000} s"), ("attempt", "@attempt")]
        plot.add_tools(HoverTool(renderers=[renderer], tooltips=tips))
        source = renderer.data_source
        source.selected.js_on_change("indices", CustomJS(args={"source": source}, code=_SHOW_CLICKED))
    if plot.legend:
        plot.legend.click_policy = "hide"
        plot.add_layout(plot.legend[0], "right")
    return plot


def durations_plot(seconds: Mapping[str, Sequence[float]]) -> Any:
    """For each task a line from the shortest call to the longest, a box for the middle half, a stroke at the median."""
    from bokeh.models import ColumnDataSource, FactorRange, HoverTool
    from bokeh.plotting import figure

    tasks = sorted(seconds, key=lambda task: -sum(seconds[task]))[:DURATION_TASKS]
    rows = [(task, *_quartiles(seconds[task])) for task in tasks]
    names = ("task", "least", "low", "middle", "high", "most")
    data: dict[str, Any] = {name: [row[at] for row in rows] for at, name in enumerate(names)}
    data["calls"] = [f"{len(seconds[task]):,}" for task in tasks]
    for name in names[1:]:
        data[f"{name}_words"] = [duration(each) for each in data[name]]
    source = ColumnDataSource(data)
    plot = figure(
        height=110 + 26 * max(len(rows), 1),
        sizing_mode="stretch_width",
        y_range=FactorRange(factors=tasks[::-1]),
        x_axis_label="seconds of a call",
        tools="xpan,xwheel_zoom,reset",
        name="durations",
    )
    plot.toolbar.logo = None
    plot.segment("least", "task", "most", "task", source=source, line_color="#6b7280")
    boxes = plot.hbar("task", left="low", right="high", height=0.5, source=source, fill_color="#9ec5e8")
    plot.scatter("middle", "task", source=source, marker="dash", angle=1.5708, size=14, line_color="#1f2937")
    tips = [("", "@task"), ("calls", "@calls"), ("median", "@middle_words")]
    tips += [("middle half", "@low_words to @high_words"), ("all", "@least_words to @most_words")]
    plot.add_tools(HoverTool(renderers=[boxes], tooltips=tips))
    return plot


def _quartiles(values: Sequence[float]) -> tuple[float, ...]:
    low, middle, high = (
        statistics.quantiles(values, method="inclusive") if len(values) > 1 else [values[0]] * 3
    )
    return min(values), low, middle, high, max(values)


def _some(lanes: range) -> list[int]:
    """Those that have a label: as many as there is room for."""
    return list(lanes[:: -(-len(lanes) * 14 // MOST_HEIGHT_PIXELS) or 1])


def _coloured(bars: Iterable[Bar]) -> dict[str, tuple[str, list[Bar]]]:
    """The bars by task, each with its colour; from the twentieth on together."""
    from bokeh.palettes import Category20_20

    by_task: dict[str, list[Bar]] = {}
    for bar in bars:
        by_task.setdefault(bar.task, []).append(bar)
    found: dict[str, tuple[str, list[Bar]]] = {}
    for number, (task, held) in enumerate(sorted(by_task.items(), key=lambda each: -len(each[1]))):
        if number < LEGEND_TASKS - 1 or len(by_task) == LEGEND_TASKS:
            found[task] = (Category20_20[number], held)
        else:
            found.setdefault(OTHERS, ("#9ca3af", []))[1].extend(held)
    return found


def _source(bars: Sequence[Bar], colour: str) -> Any:
    from bokeh.models import ColumnDataSource

    return ColumnDataSource(
        {
            "lane": [bar.lane for bar in bars],
            "left": [bar.began for bar in bars],
            "right": [bar.began + bar.seconds for bar in bars],
            "words": [
                f"{bar.words} (failed)" if bar.failed and bar.calls == 1 else bar.words for bar in bars
            ],
            "took": [duration(bar.seconds) for bar in bars],
            "attempt": [bar.attempt for bar in bars],
            "line": [FAILED_LINE if bar.failed else colour for bar in bars],
            "edge": [2.0 if bar.failed else 0.5 for bar in bars],
        }
    )
