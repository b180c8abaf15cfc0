"""Outlines: the forms that they have."""

from pathlib import Path

from turgo.outlines.shapes import Box
from turgo.registry.source_files import load_source

_drawn = load_source(Path(__file__).with_name("drawn_flows.py"))
outline = _drawn.outline


def test_an_outline_is_printed_as_a_tree() -> None:
    """And shown in a notebook, whatever is installed."""
    drawn = outline(Box("<mix>", "1", 1, False), Box("bake", "2", 1, False), arrows=((0, 1),))
    assert str(drawn) == "drawn\n  <mix>\n    bake"
    assert "<mix>" not in drawn._repr_html_() and "mix" in drawn._repr_html_()
