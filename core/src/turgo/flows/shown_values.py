"""Shows the arguments of a call in a few words, as `path='data/f137.txt', limit=3`.

No code of the values runs, so that none can fail, print, take long or fill the screen: only what Python itself, numpy
and pandas define is written out, and the fields of dataclasses, named tuples and attrs classes; any other object is its
class alone, as `<Station>`. Long texts lose their middle, long collections all but their first elements. What is named
like a password is not shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from itertools import islice
from pathlib import PurePath
from types import BuiltinFunctionType, FunctionType
from typing import Any
from uuid import UUID

import attrs

from turgo.redaction import SECRET_CHARACTERS, is_secret, redacted_text

TEXT_CHARACTERS = 60
"""How much of a text is shown."""

ELEMENT_CHARACTERS = 18
"""How much of an element of a collection, and of a field of an object."""

VALUE_CHARACTERS = 80
"""How much of any value."""

ARGUMENTS_CHARACTERS = 120
"""How much of all arguments of a call."""

SHOWN_ELEMENTS = 3
"""How many elements of a collection are shown, and fields of an object."""

SHOWN_LEVELS = 2
"""How deep collections within collections are shown."""

WHOLE_NUMBER_BITS = 128
"""Of how many bits a whole number is written out."""

_NUMBERS = (float, complex)
_WRITTEN = (date, datetime, time, timedelta, Decimal, Fraction, UUID)
_SHAPED = frozenset({"numpy", "pandas", "polars", "pyarrow", "scipy", "torch", "xarray"})
_BRACKETS: Mapping[type, tuple[str, str]] = {
    list: ("[", "]"),
    tuple: ("(", ")"),
    set: ("{", "}"),
    frozenset: ("frozenset({", "})"),
}


@attrs.frozen
class Words:
    """What is said in the place of a value that is not here."""

    text: str


def shown_arguments(arguments: Iterable[tuple[str, Any]]) -> str:
    """The arguments of a call by name: `path='data/f137.txt', limit=3`."""
    return shortened(
        ", ".join(_pair(name, value, "=", SHOWN_LEVELS) for name, value in arguments), ARGUMENTS_CHARACTERS
    )


def shown_value(value: Any, depth: int = SHOWN_LEVELS) -> str:
    """One value. depth: how many levels of collections are shown."""
    try:
        return shortened(
            _text(value, depth), VALUE_CHARACTERS if depth == SHOWN_LEVELS else ELEMENT_CHARACTERS
        )
    except Exception:  # noqa: BLE001  (an object may lie about everything)
        return f"<{_name(type(value))}>"


def shortened(text: str, most: int) -> str:
    """A text of at most so many characters; one that is longer loses its middle, as ends tell files apart."""
    if len(text) <= most:
        return text
    head = (most - 1) // 3
    return f"{text[:head]}…{text[head + 1 - most :]}"


def one_line(text: str, most: int = TEXT_CHARACTERS) -> str:
    """A text of anybody's as part of a line: shortened, without line ends and what steers a terminal."""
    cut = shortened(str.__str__(text), 4 * most)
    return shortened(" ".join("".join(each if each.isprintable() else " " for each in cut).split()), most)


def _pair(name: str, value: Any, sign: str, depth: int) -> str:
    return f"{name}{sign}…" if is_secret(name) else f"{name}{sign}{shown_value(value, depth)}"


def _without_secrets(text: str) -> str:
    """A text whose ends are shown; of a very long one what lies far from them is not looked at."""
    return redacted_text(shortened(text, 4 * SECRET_CHARACTERS))


def _name(cls: type) -> str:
    return one_line(type.__dict__["__name__"].__get__(cls))


def _text(value: Any, depth: int) -> str:
    cls = type(value)
    if value is None or cls is bool or value is ...:
        return repr(value)
    if cls is Words:
        return str(value.text)
    if issubclass(cls, Enum):
        return f"{_name(cls)}.{value._name_}"
    if issubclass(cls, int):
        bits = int.bit_length(value)
        return int.__repr__(value) if bits <= WHOLE_NUMBER_BITS else f"<int of {bits:,} bits>"
    for number in _NUMBERS:
        if issubclass(cls, number):
            return str(number.__repr__(value))
    if issubclass(cls, str):
        return repr(shortened(_without_secrets(str.__str__(value)), TEXT_CHARACTERS - 2))
    if issubclass(cls, PurePath):
        return repr(shortened(PurePath.__str__(value), TEXT_CHARACTERS - 2))
    if cls in _WRITTEN or cls is range:
        return str(value)
    if cls in (bytes, bytearray):
        return repr(bytes(value)) if len(value) <= TEXT_CHARACTERS // 4 else f"<{len(value):,} bytes>"
    return _collection(value, cls, depth) or _object(value, cls, depth)


def _collection(value: Any, cls: type, depth: int) -> str:
    if cls in _BRACKETS:
        opening, closing = _BRACKETS[cls]
        if cls is tuple and len(value) == 1:
            closing = ",)"
        if not value:
            return "set()" if cls is set else f"{opening}{closing}"
        return (
            f"{opening}{_some((shown_value(each, depth - 1) for each in value), len(value), depth)}{closing}"
        )
    if cls is dict:
        pairs = (_item(key, each, depth - 1) for key, each in value.items())
        return f"{{{_some(pairs, len(value), depth)}}}"
    return ""


def _item(key: Any, value: Any, depth: int) -> str:
    return (
        f"{key!r}: …"
        if type(key) is str and is_secret(key)
        else f"{shown_value(key, 0)}: {shown_value(value, depth)}"
    )


def _some(texts: Iterator[str], count: int, depth: int) -> str:
    if depth <= 0:
        return "…" if count else ""
    more = [f"… {count - SHOWN_ELEMENTS:,} more"] if count > SHOWN_ELEMENTS else []
    return ", ".join([*islice(texts, SHOWN_ELEMENTS), *more])


def _object(value: Any, cls: type, depth: int) -> str:
    if cls in (FunctionType, BuiltinFunctionType):
        return f"<function {one_line(value.__qualname__)}>"
    if issubclass(cls, type):
        return f"<class {_name(value)}>"
    if issubclass(cls, tuple) and hasattr(cls, "_fields"):
        return _record(cls, list(zip(map(str, cls._fields), tuple.__iter__(value), strict=False)), depth)
    fields = _fields_of(cls)
    if fields is not None:
        return _record(cls, [(name, object.__getattribute__(value, name)) for name in fields], depth)
    if cls.__module__.partition(".")[0] in _SHAPED:
        return _array(value, cls, depth)
    return f"<{_name(cls)}>"


def _fields_of(cls: type) -> list[str] | None:
    """The fields of a dataclass or attrs class that its repr shows; None for any other class."""
    fields = cls.__dict__.get("__dataclass_fields__")
    if isinstance(fields, dict):
        return [name for name, field in fields.items() if field.repr and field._field_type.name == "_FIELD"]
    attributes = cls.__dict__.get("__attrs_attrs__")
    return None if attributes is None else [each.name for each in attributes if each.repr]


def _record(cls: type, fields: list[tuple[str, Any]], depth: int) -> str:
    pairs = (_pair(name, value, "=", depth - 1) for name, value in fields)
    return f"{_name(cls)}({_some(pairs, len(fields), depth)})"


def _array(value: Any, cls: type, depth: int) -> str:
    """A number of numpy as it is; of an array or table its shape."""
    shape = getattr(value, "shape", None)
    if shape == () and hasattr(value, "item"):
        return shown_value(value.item(), depth)
    sizes = "x".join(f"{size}" for size in shape) if isinstance(shape, tuple) else ""
    return f"<{_name(cls)}{f' {sizes}' if sizes else ''}>"
