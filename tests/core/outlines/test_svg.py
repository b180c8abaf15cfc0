"""The picture, by Graphviz."""

import re
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from turgo.errors import MissingPackageError, RunError
from turgo.outlines.shapes import Box
from turgo.outlines.svg import svg
from turgo.registry.source_files import load_source

_drawn = load_source(Path(__file__).with_name("drawn_flows.py"))
bakery, outline = _drawn.bakery, _drawn.outline


def texts(picture: str) -> list[str]:
    """What is written in a picture, which is well-formed."""
    root = ElementTree.fromstring(picture)
    return [str(each.text) for each in root.iter("{http://www.w3.org/2000/svg}text")]


def test_a_flow_is_a_picture(capfd: pytest.CaptureFixture[str]) -> None:
    """Each box is written in it; nothing is said beside it."""
    pytest.importorskip("pygraphviz")
    written = texts(bakery.record().to_svg())
    assert {"bakery", "bake ×?", "on van", "== 'feast'", "after", "trigger always_run"} <= set(written)
    assert capfd.readouterr() == ("", "")


def test_a_name_is_neither_html_nor_an_escape() -> None:
    """What looks like a label in HTML, like an escape of Graphviz, or holds what no XML may hold."""
    pytest.importorskip("pygraphviz")
    written = texts(svg(outline(Box("<b>&\\N \x1b[1m", "1", 1, False), Box("ünter—日本", "1", 1, False))))
    assert "ünter—日本" in written and any(each.startswith("‹b›&\\N") for each in written)


def test_states_are_painted() -> None:
    """The colour of what failed fills the box."""
    pytest.importorskip("pygraphviz")
    assert 'fill="#fde2e1"' in svg(outline(Box("bake", "1", 1, False, (), {"Failed": 1})))


def test_a_picture_that_takes_too_long_is_an_error_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """The process that draws it is ended."""
    pytest.importorskip("pygraphviz")
    monkeypatch.setattr("turgo.outlines.svg.DRAWING_SECONDS", 0.001)
    with pytest.raises(RunError, match="has not drawn drawn in"):
        svg(outline(Box("bake", "1", 1, False)))


def test_without_the_package_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """In one sentence with the line to type; a notebook gets the tree."""
    monkeypatch.setitem(sys.modules, "pygraphviz", None)
    drawn = outline(Box("<b>", "1", 1, False))
    with pytest.raises(MissingPackageError, match=re.escape("-m pip install 'turgo[graph]'")):
        svg(drawn)
    assert drawn._repr_html_() == "<pre>drawn\n  &lt;b&gt;</pre>"
