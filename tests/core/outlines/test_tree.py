"""The tree: on a terminal and in a pipe."""

import re
from pathlib import Path

from turgo.outlines.shapes import Box
from turgo.outlines.tree import plain_lines, terminal_text
from turgo.registry.source_files import load_source

_drawn = load_source(Path(__file__).with_name("drawn_flows.py"))
bakery, outline = _drawn.bakery, _drawn.outline

TREE = """
bakery
  orders
    bake ×?
  kind
    case #1  == 'feast'
      cake
    case #2  == 'workday'
      bread
        merge  also needs cake
          deliver  on van, also needs bake
            sweep  trigger always_run, after deliver
"""


def test_what_a_task_makes_possible_stands_below_it() -> None:
    """A task that needs several stands below the last of them; of a name that occurs twice each has a number."""
    assert "\n".join(plain_lines(bakery.record().outline)) == TREE.strip()


def test_a_terminal_gets_lines_between_branches() -> None:
    """No line is wider than it; without colour there is no escape."""
    for width in (40, 200):
        text = terminal_text(bakery.record().outline, width, colour=False)
        assert "├── " in text and "└── " in text and "\x1b" not in text
        assert max(map(len, text.splitlines())) <= width


def test_states_have_colours() -> None:
    """What failed is red."""
    failed = outline(
        Box("bake", "1", 1, False, (), {"Failed": 1}), Box("rest", "1", 1, False, (), {"Success": 1})
    )
    text = terminal_text(failed, 80, colour=True)
    assert re.search(r"\x1b\[31mbake", text) and re.search(r"\x1b\[32mrest", text)


def test_a_name_is_no_markup() -> None:
    """Rich reads `[red]` in what it prints; a name is a name."""
    assert "[red]x[/red]" in terminal_text(outline(Box("[red]x[/red]", "1", 1, False)), 80, colour=False)


def test_a_deep_graph_is_a_line_for_each_level() -> None:
    """As a tree it would leave the terminal."""
    boxes = [Box("step", f"{level + 1}", 1, False) for level in range(30)]
    lines = list(plain_lines(outline(*boxes, arrows=tuple((at, at + 1) for at in range(29)))))
    assert lines[1] == "  step  level 1" and lines[-1] == "  step  level 30"
