"""Finds the variables that a function changes: a list that it appends to, a table that it enters something into.

What a function changes is a record of its calls, and no input of theirs: else a counter of calls would keep each call
from being the same as the last.
"""

from __future__ import annotations

import dis
from collections.abc import Iterator
from types import CodeType

_OUTER = ("LOAD_GLOBAL", "LOAD_NAME", "LOAD_DEREF")
_CHANGING = frozenset(
    {"append", "extend", "insert", "remove", "pop", "clear", "sort", "reverse", "add", "discard", "update"}
    | {"setdefault", "popitem", "appendleft", "put", "put_nowait", "write"}
)
_ENTRIES = ("STORE_SUBSCR", "DELETE_SUBSCR", "COPY")
"""What follows the key where an entry is set, or read to be set anew."""

_FIELDS = ("STORE_ATTR", "DELETE_ATTR", "COPY")
_METHODS = ("LOAD_ATTR", "LOAD_METHOD")
_PASSED_OVER = ("CACHE", "PRECALL", "EXTENDED_ARG", "NOP", "RESUME")


def changed_names(code: CodeType) -> set[str]:
    """The variables of the module, or of the functions around it, that this code changes in place or sets.

    Seen are `names.append(…)`, `table[key] = …`, `table[key] += …`, `thing.field = …`, with a simple key.
    """
    return set(_changed(code))


def _changed(code: CodeType) -> Iterator[str]:
    steps = [step for step in dis.get_instructions(code) if step.opname not in _PASSED_OVER]
    for at, step in enumerate(steps):
        if step.opname == "STORE_GLOBAL":
            yield str(step.argval)
        elif step.opname in _OUTER and at + 1 < len(steps):
            after, then = steps[at + 1], steps[at + 2 : at + 3]
            method = after.opname in _METHODS and after.argval in _CHANGING
            entry = after.opname.startswith("LOAD_") and any(each.opname in _ENTRIES for each in then)
            if method or entry or after.opname in _FIELDS:
                yield str(step.argval)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _changed(constant)
