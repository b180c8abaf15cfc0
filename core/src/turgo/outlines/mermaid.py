"""The outline as the source of a Mermaid flowchart."""

from __future__ import annotations

from collections.abc import Iterator

from turgo.outlines.colours import Colour, colour_of
from turgo.outlines.shapes import Box, Kind, Shapes

_LINKS = {Kind.VALUE: "-->", Kind.AFTER: "-. after .->", Kind.CASE: "-. case .->"}


def mermaid(shapes: Shapes) -> str:
    """Its lines. Colours are classes, so that a page can change them."""
    return "\n".join(_lines(shapes)) + "\n"


def _lines(shapes: Shapes) -> Iterator[str]:
    yield "---"
    yield f'title: "{_yaml(shapes.heading)}"'
    yield "---"
    yield "flowchart TD"
    classes: dict[str, Colour] = {}
    for number, box in enumerate(shapes.boxes):
        colour = colour_of(box)
        name = next((state for state in box.states if box.states[state]), "")
        painted = f":::{_class(colour)}" if name else ""
        if name:
            classes[_class(colour)] = colour
        yield f"    n{number}{_shaped(box)}{painted}"
    for arrow in shapes.arrows:
        yield f"    n{arrow.source} {_LINKS[arrow.kind]} n{arrow.target}"
    for name, colour in classes.items():
        yield f"    classDef {name} fill:{colour.fill},stroke:{colour.line},color:#1f2937"


def _yaml(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


def _class(colour: Colour) -> str:
    return f"c{colour.line.removeprefix('#')}"


def _shaped(box: Box) -> str:
    """A rhombus for a case, a double frame for a map, a box for anything else."""
    text = "<br>".join(_escaped(part) for part in (box.label, *box.words, box.counts) if part)
    if box.words and box.words[0].startswith("== "):
        return f'{{"{text}"}}'
    return f'[["{text}"]]' if box.mapped else f'["{text}"]'


def _escaped(text: str) -> str:
    """What stands between quotes: Mermaid reads it as Markdown and HTML, with `#…;` for characters."""
    return "".join(each if each.isalnum() or each in " ×?,.=_-" else f"#{ord(each)};" for each in text)
