"""The colours of states, by which boxes are painted."""

from __future__ import annotations

from typing import NamedTuple

from turgo.outlines.shapes import Box


class Colour(NamedTuple):
    """terminal: as rich and click name it; fill, line: as pages write them."""

    terminal: str
    fill: str
    line: str


PLAIN = Colour("default", "#f4f5f7", "#6b7280")

STATE_COLOURS: dict[str, Colour] = {
    "Failed": Colour("red", "#fde2e1", "#c0392b"),
    "Crashed": Colour("red", "#fbd5e3", "#a61e5d"),
    "TimedOut": Colour("red", "#fde8d4", "#c05f12"),
    "TriggerFailed": Colour("magenta", "#f0e1f7", "#8e44ad"),
    "Cancelled": Colour("yellow", "#fdf3d0", "#a67c00"),
    "Retrying": Colour("yellow", "#fdf3d0", "#d4a017"),
    "Running": Colour("blue", "#dbeafe", "#2563eb"),
    "Pending": PLAIN,
    "Success": Colour("green", "#dcf5e3", "#1e8449"),
    "Cached": Colour("cyan", "#d6f1f5", "#117a8b"),
    "Skipped": Colour("bright_black", "#ececec", "#8a8a8a"),
}
"""The state that says most of a box comes first."""

TAKEN_OVER, TO_RUN, NOT_TO_RUN = "would be taken over", "would run", "would not run"
"""What is said of a call before a run, in the place of a state."""

_COLOURS = {
    **STATE_COLOURS,
    NOT_TO_RUN: STATE_COLOURS["Crashed"],
    TO_RUN: PLAIN,
    TAKEN_OVER: STATE_COLOURS["Cached"],
}


def colour_of(box: Box) -> Colour:
    """By the state of its task runs that says most; of a graph that did not run, plain."""
    return next((colour for state, colour in _COLOURS.items() if box.states.get(state)), PLAIN)
