"""Text into values: `-o workers=4`, `-p limit=10`, `TURGO_EXECUTORS__HPC__CORES=8`.

One rule, for variables, `-o` and `-p`, at the top and within a mapping:

    declared as text            stays as it is, character by character
    anything else               as TOML writes it: `4`, `1.5`, `[1, 2]`, `{a = 1}`, `2024-05-01`, `"text"`
    where a bool can be meant   `true`, `yes`, `on`, `false`, `no`, `off`, in any case of letters
    where None can be meant     `none`, `null`, in any case of letters

A value of no declared type, as each key within `cluster_kwargs` is, can be all of these; what is none of them is text.
"""

from __future__ import annotations

import collections.abc
import contextlib
import datetime
import enum
import inspect
import re
import types
import typing
from collections.abc import Callable
from pathlib import PurePath
from typing import Any

from turgo.redaction import shown_repr

ANYTHING: tuple[Any, ...] = (Any, object, inspect.Parameter.empty)
_TRUTH = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
_DIGITS = {"1": True, "0": False}
_PLAIN = (bool, int, float, str, bytes, complex, list, dict, tuple, set, frozenset, type(None), type)


def convert_text(text: str, annotation: Any) -> Any:
    """The value that `text` stands for. Raises ValueError with a sentence that says what is expected."""
    members = members_of(annotation)
    if not members:
        return _untyped(text)
    for member in members:
        converted, value = _from_word(text.strip(), member)
        if converted and not (member is bool and int in members and text.strip() in ("0", "1")):
            return value
    found, value = _literal(text)
    if found and members != (str,):
        with contextlib.suppress(ValueError):  # none of the members; the text itself may be what is meant
            return fit(value, annotation)
    if str in members:
        return text
    for member in members:
        converted, value = _from_text(text, member)
        if converted:
            return value
    raise ValueError(f"expected {type_name(annotation)}, got {text!r}")


def fit(value: Any, annotation: Any) -> Any:
    """A value as TOML writes it, in the type that is declared.

    TOML has no tuples, sets, paths and enums: a list becomes the declared tuple or set, a text the declared
    path or enum member, a whole number the declared float. Raises ValueError if it fits none of what is
    declared.
    """
    members = members_of(annotation)
    if float in members and int not in members and type(value) is int:
        try:
            return float(value)
        except OverflowError:
            raise ValueError(f"expected {type_name(annotation)}, got {shown_repr(value)}") from None
    if not members or any(admits(value, member) for member in members):
        return value
    for member in members:
        converted, changed = _fit_member(value, member)
        if converted and admits(changed, member):
            return changed
    raise ValueError(f"expected {type_name(annotation)}, got {shown_repr(value)}")


def admits(value: Any, annotation: Any) -> bool:
    """Whether the value is of the declared type. Plain classes are checked here, all else by typeguard."""
    members = members_of(annotation)
    if not members:
        return True
    if all(member in _PLAIN for member in members):
        return any(_is_plain(value, member) for member in members)
    import typeguard  # costs more than all the rest of a start, and plain types do not need it

    try:
        typeguard.check_type(
            value,
            annotation,
            forward_ref_policy=typeguard.ForwardRefPolicy.IGNORE,
            collection_check_strategy=typeguard.CollectionCheckStrategy.ALL_ITEMS,
        )
    except typeguard.TypeCheckError:
        return False
    return True


def _is_plain(value: Any, member: type) -> bool:
    if isinstance(value, bool):  # to Python a whole number, to whoever wrote `workers = true` a mistake
        return member is bool
    return isinstance(value, (int, float) if member is float else member)


def members_of(annotation: Any) -> tuple[Any, ...]:
    """The members of a union, or the one type itself; empty if anything goes."""
    if any(annotation is anything for anything in ANYTHING) or isinstance(annotation, (str, typing.TypeVar)):
        return ()
    if annotation is None:
        return (type(None),)
    origin = typing.get_origin(annotation)
    if origin is typing.Annotated:
        return members_of(annotation.__origin__)
    if isinstance(annotation, typing.NewType):
        return members_of(annotation.__supertype__)
    if origin not in (typing.Union, types.UnionType):
        return (annotation,)
    nested = [members_of(member) for member in typing.get_args(annotation)]
    return tuple(member for members in nested for member in members) if all(nested) else ()


def type_name(annotation: Any) -> str:
    """The type as its author would write it: `int | None`."""
    if any(annotation is anything for anything in ANYTHING):
        return "anything"
    members = members_of(annotation)
    names = [_member_name(member) for member in members]
    home = r"\b(typing|collections\.abc|pathlib(\._local)?)\."
    return re.sub(home, "", " | ".join(names)) or str(annotation)


def _member_name(member: Any) -> str:
    if member is type(None):
        return "None"
    name = inspect.formatannotation(member, base_module=None)
    if isinstance(member, type) and issubclass(member, enum.Enum):
        return f"{name} ({', '.join(choice.name for choice in member)})"
    return name


def _untyped(text: str) -> Any:
    """What a text stands for that may be anything."""
    for member in (bool, type(None)):
        found, value = _from_word(text.strip(), member)
        if found and text.strip() not in _DIGITS:
            return value
    found, value = _literal(text)
    return value if found else text


def _literal(text: str) -> tuple[bool, Any]:
    import tomllib  # late: most runs convert no text

    try:
        table = tomllib.loads(f"x = {text}")
    except (ValueError, RecursionError):  # no TOML; more digits than Python reads; nested too deeply
        return False, None
    return table.keys() == {"x"}, table.get("x")


def _from_word(word: str, member: Any) -> tuple[bool, Any]:
    """What has a spelling of its own: None, truth, the choices of a Literal, enums, dates and times."""
    if member is type(None):
        return word.lower() in ("none", "null"), None
    if member is bool:
        words = _TRUTH | _DIGITS
        return word.lower() in words, words.get(word.lower())
    if typing.get_origin(member) is typing.Literal:
        choices = {str(choice): choice for choice in typing.get_args(member)}
        return word in choices, choices.get(word)
    if isinstance(member, type) and issubclass(member, enum.Enum):
        return _fit_member(word, member)
    if isinstance(member, type) and issubclass(member, (datetime.date, datetime.time)):
        return _attempt(member.fromisoformat, word)
    return False, None


def _from_text(text: str, member: Any) -> tuple[bool, Any]:
    """What takes any text (a path) or more than TOML has (the number `.5`)."""
    if isinstance(member, type) and issubclass(member, PurePath):
        return True, member(text)
    return _attempt(member, text) if member in (float, complex) else (False, None)


def _attempt(reader: Callable[[str], Any], text: str) -> tuple[bool, Any]:
    try:
        return True, reader(text)
    except ValueError:
        return False, None


def _fit_member(value: Any, member: Any) -> tuple[bool, Any]:
    kind = typing.get_origin(member) or member
    if not isinstance(kind, type):
        return False, None
    if isinstance(value, list):
        return _fit_list(value, kind, typing.get_args(member))
    if issubclass(kind, enum.Enum):
        by_value = {str(choice.value): choice for choice in kind} | {choice.name: choice for choice in kind}
        return str(value) in by_value, by_value.get(str(value))
    if issubclass(kind, PurePath) and isinstance(value, str):
        return True, kind(value)
    if isinstance(value, dict) and issubclass(kind, collections.abc.Mapping):
        return _fit_dict(value, typing.get_args(member))
    return False, None


def _fit_list(value: list[Any], kind: type, arguments: tuple[Any, ...]) -> tuple[bool, Any]:
    makers: dict[type, type] = {tuple: tuple, set: set, frozenset: frozenset, collections.abc.Set: frozenset}
    maker = makers.get(kind, list)
    if not issubclass(kind, collections.abc.Collection) or issubclass(kind, collections.abc.Mapping):
        return False, None
    if kind is tuple and arguments and arguments[-1] is not Ellipsis:
        types_of: list[Any] = list(arguments)
    else:
        types_of = [arguments[0] if arguments else Any] * len(value)
    if len(types_of) != len(value):
        return False, None
    try:
        return True, maker([fit(each, wanted) for each, wanted in zip(value, types_of, strict=True)])
    except (ValueError, TypeError):  # an element that does not fit, or cannot be in a set
        return False, None


def _fit_dict(value: dict[str, Any], arguments: tuple[Any, ...]) -> tuple[bool, Any]:
    if len(arguments) != 2:
        return False, None
    try:
        return True, {fit(key, arguments[0]): fit(each, arguments[1]) for key, each in value.items()}
    except ValueError:
        return False, None
