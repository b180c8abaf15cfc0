"""Docstrings as Sphinx reads them: from the form of this house to reStructuredText.

`name`, in backticks            code, by `default_role` in docs/conf.py
name: text, also name, other:   an item of a list, with the lines that go on with it
a block that is indented        code
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any

ITEM = re.compile(r"(\w+(?:, \w+)*): (?=\S)")
"""The beginning of a line that says what an option or an attribute is."""

NO_ITEM = re.compile(r"(?:Raises|Remedy|Returns|Note)\b")
MARKED = re.compile(r"[*|\\]|(?<=\w)_(?!\w)")
"""What reStructuredText would take for a mark."""

PAGE = re.compile(r"\bdocs/([a-z-]+)\.md\b")
"""A page of the site by the name of its file."""

QUOTED = re.compile(r"(``?[^`]+``?)")


def restructured(lines: Iterable[str]) -> Iterator[str]:
    """The lines of a docstring, for Sphinx."""
    empty, block, item = True, False, False
    for line in lines:
        text = line.strip()
        indented = line.startswith("    ")
        if not text:
            empty, item = True, False
            yield ""
            continue
        if indented and (block or empty):
            if not block:
                yield from ([".. code-block:: text", ""] if drawn(text) else [".. code-block:: python", ""])
            block = True
            yield line
        elif ITEM.match(text) and not NO_ITEM.match(text) and not indented:
            if not item and not empty:
                yield ""
            names, _, rest = text.partition(": ")
            yield f"- {', '.join(f'`{name}`' for name in names.split(', '))}: {escaped(rest)}"
            block, item = False, True
        elif item and NO_ITEM.match(text):
            yield from ("", escaped(text))
            block = item = False
        else:
            yield f"  {escaped(text)}" if item else escaped(text)
            block = False
        empty = False


def drawn(text: str) -> bool:
    """Whether the first line of a block is of a drawing or a list of words, and not of a program."""
    return not re.match(
        r"(from|import|class|def|with|async|for|raise|return|@|#|\w+\s*=|\w+(\.\w+)*\()", text
    )


def escaped(text: str) -> str:
    """The text with all marks but backticks taken literally, and a page that is named by its file as a link to it."""
    parts = QUOTED.split(text.removesuffix(":") if text.endswith("::") else text)
    return "".join(
        spaced(part) if part.startswith("`") else linked(MARKED.sub(r"\\\g<0>", part)) for part in parts
    )


def linked(text: str) -> str:
    """The text with `docs/runs.md` as a link to that page, which has its title."""
    return PAGE.sub(r":doc:`/\1`", text)


def spaced(code: str) -> str:
    """Code in backticks, so that what follows may be a letter; no backslash in it is lost."""
    return f"``{code.strip('`')}``\\ " if code.strip("`") else code


def on_docstring(app: Any, what: str, name: str, thing: Any, options: Any, lines: list[str]) -> None:
    """Sphinx hands over the lines of a docstring and takes what is left in the list."""
    lines[:] = restructured(lines)
