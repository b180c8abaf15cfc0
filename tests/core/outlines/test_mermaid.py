"""The source for Mermaid."""

from pathlib import Path

from turgo.outlines.mermaid import mermaid
from turgo.outlines.shapes import Box
from turgo.registry.source_files import load_source

_drawn = load_source(Path(__file__).with_name("drawn_flows.py"))
bakery, outline = _drawn.bakery, _drawn.outline


def test_a_flow_is_a_flowchart() -> None:
    """Maps have double frames, cases are rhombs, orders are dashed."""
    source = bakery.record().to_mermaid()
    assert source.startswith('---\ntitle: "bakery"\n---\nflowchart TD\n')
    assert '[["bake ×?"]]' in source and '["deliver<br>on van"]' in source
    assert '{"case<br>== #39;feast#39;"}' in source
    assert "-. after .->" in source and "-. case .->" in source and " --> " in source
    assert "classDef" not in source


def test_states_are_classes() -> None:
    """A page may give them other colours."""
    source = mermaid(outline(Box("bake", "1", 1, False, (), {"Failed": 1})))
    assert 'n0["bake<br>Failed"]:::cc0392b' in source
    assert "classDef cc0392b fill:#fde2e1,stroke:#c0392b" in source


def test_a_name_ends_nothing() -> None:
    """Neither quotes, nor brackets, nor HTML, nor Markdown of it mean anything."""
    source = mermaid(outline(Box('a"]<script>`*b', "1", 1, False)))
    assert '"a#34;#93;#60;script#62;#96;#42;b"' in source
