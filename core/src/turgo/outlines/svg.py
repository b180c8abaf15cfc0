"""The outline as SVG, laid out by the Graphviz that pygraphviz brings along."""

from __future__ import annotations

import importlib.util
import subprocess
import sys

from turgo.errors import MissingPackageError, RunError
from turgo.install import pip_install
from turgo.outlines.colours import colour_of
from turgo.outlines.shapes import Box, Kind, Shapes

_DRAW = (
    "import sys, pygraphviz; graph = pygraphviz.AGraph(sys.stdin.buffer.read().decode()); "
    "sys.stdout.buffer.write(graph.draw(format='svg', prog='dot'))"
)
"""A process of its own draws: what the libraries of fonts say of a machine goes to its standard error."""

DRAWING_SECONDS = 120.0

_LINES = {Kind.VALUE: "solid", Kind.AFTER: "dashed", Kind.CASE: "dotted"}
_FONT = {"fontname": "sans-serif", "fontsize": "12"}


def installed() -> bool:
    """Whether pygraphviz is there."""
    return importlib.util.find_spec("pygraphviz") is not None


def svg(shapes: Shapes) -> str:
    """The element `<svg>`. Raises MissingPackageError without pygraphviz, RunError if Graphviz fails."""
    if not installed():
        raise MissingPackageError(
            f"SVG is drawn by pygraphviz, which is not here: {pip_install('turgo[graph]')}"
        )
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-c", _DRAW],
            input=_dot(shapes).encode(),
            capture_output=True,
            timeout=DRAWING_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise RunError(f"Graphviz has not drawn {shapes.title} in {DRAWING_SECONDS:g} s") from error
    drawn = done.stdout.decode(errors="replace")
    if done.returncode or "<svg" not in drawn:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise RunError(f"Graphviz could not draw {shapes.title}: {said[-1] if said else 'it said nothing'}")
    return drawn[drawn.index("<svg") :]


def _dot(shapes: Shapes) -> str:
    """The graph in Graphviz's own language."""
    import pygraphviz

    graph = pygraphviz.AGraph(directed=True, strict=False)
    graph.graph_attr.update(
        label=_text(shapes.heading), labelloc="t", bgcolor="transparent", tooltip=" ", **_FONT
    )
    for number, box in enumerate(shapes.boxes):
        colour = colour_of(box)
        graph.add_node(
            number,
            label=_text("\n".join(filter(None, (box.label, *box.words, box.counts)))),
            tooltip=_text(f"{box.label}, level {box.level}"),
            shape=_shape(box),
            peripheries="2" if box.mapped else "1",
            style="filled" if _shape(box) == "diamond" else "rounded,filled",
            fillcolor=colour.fill,
            color=colour.line,
            **_FONT,
        )
    for arrow in shapes.arrows:
        label = "" if arrow.kind is Kind.VALUE else str(arrow.kind)
        graph.add_edge(
            arrow.source, arrow.target, style=_LINES[arrow.kind], label=label, color="#6b7280", **_FONT
        )
    return str(graph.to_string())


def _shape(box: Box) -> str:
    return "diamond" if box.words and box.words[0].startswith("== ") else "box"


def _text(text: str) -> str:
    """A label that Graphviz takes as it is: neither as HTML nor with escapes of its own."""
    plain = "".join(each if each.isprintable() or each == "\n" else " " for each in text)
    return plain.replace("\\", "\\\\").replace("\n", "\\n").replace("<", "‹").replace(">", "›")
