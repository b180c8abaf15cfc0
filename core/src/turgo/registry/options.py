"""An executor's options are the parameters of its constructor. They have types, defaults and meanings.

Nobody declares options twice: they are read from the signature of the class, and what they mean from its
docstring (lines `name: text`, under a heading such as `Options:` or `Args:` or without one).
"""

from __future__ import annotations

import inspect
import re
import types
import typing
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from turgo.config.convert import admits, fit, members_of, type_name
from turgo.config.convert import convert_text as convert_text
from turgo.config.secrets import UnreadSecretError, with_secrets
from turgo.config.settings import Setting
from turgo.errors import OptionError
from turgo.names import did_you_mean, nearest
from turgo.redaction import is_secret, redacted_repr, redacted_text

REQUIRED: Any = inspect.Parameter.empty
"""The default of an option that has none."""


class OptionSpec(NamedTuple):
    """One option. annotation: its type, `Any` if not declared; default: REQUIRED if there is none.

    meaning: what the docstring says of it, on one line. kind: `option`, or `others` for `**name`, which means
    that further names are accepted, each of that type.
    """

    name: str
    annotation: Any
    default: Any
    meaning: str
    kind: str = "option"

    @property
    def type(self) -> str:
        """The type as its author would write it: `int | None`."""
        return type_name(self.annotation)


def option_specs(cls: type) -> list[OptionSpec]:
    """The options of a class, in the order of its signature; one of kind `others`, if it has it, last."""
    constructor = cls.__init__  # type: ignore[misc]  # the signature of this very class is what is asked for
    if constructor is object.__init__:
        return []
    parameters = list(inspect.signature(constructor).parameters.values())[1:]
    meanings = _meanings(cls, {parameter.name for parameter in parameters})
    return [
        OptionSpec(
            name=parameter.name,
            annotation=annotation_of(parameter, constructor),
            default=parameter.default,
            meaning=meanings.get(parameter.name, ""),
            kind="others" if parameter.kind is parameter.VAR_KEYWORD else "option",
        )
        for parameter in parameters
        if parameter.kind not in (parameter.VAR_POSITIONAL, parameter.POSITIONAL_ONLY)
    ]


def check_options(cls: type, options: Mapping[str, Any], *, executor: str | None = None) -> dict[str, Any]:
    """The values to construct `cls` with: settings and plain values, converted and checked.

    A name with dots, `cluster_kwargs.n_workers`, sets one key in the mapping that the option is. `executor`
    is the name that messages give to the class. Raises OptionError for what is unknown, ill-typed or
    missing.
    """
    name = executor or cls.__name__
    specs = option_specs(cls)
    others = next((spec for spec in specs if spec.kind == "others"), None)
    known = {spec.name: spec for spec in specs if spec is not others}
    values: dict[str, Any] = {}
    for key in sorted(options, key=lambda key: key.count(".")):  # an option before the keys within it
        option, *inner = key.split(".") if key.split(".")[0] in known else [key]
        if not all(inner):
            raise OptionError(
                f"{key!r} is no key of an option{_where(options[key])}: write {option}.KEY, with one dot between two "
                "names",
                option=option,
                executor=name,
            )
        spec = known.get(option) or others
        if spec is None:
            raise _unknown(name, option.split(".")[0], options[key], known)
        if inner:
            values[option] = _with_key(values.get(option), inner, options[key], spec, name)
        else:
            values[option] = _value(options[key], option, spec, name)
    _require(known, values, name)
    return values


def _require(known: Mapping[str, OptionSpec], values: Mapping[str, Any], executor: str) -> None:
    for option, spec in known.items():
        if spec.default is REQUIRED and option not in values:
            message = f"{executor} needs the option {option!r} ({spec.type})"
            raise OptionError(message, option=option, executor=executor)


def _unknown(executor: str, option: str, given: Any, known: Mapping[str, OptionSpec]) -> OptionError:
    near = _within(option, known) or nearest(option, known)
    there = f"it has {', '.join(known)}" if known else "it has none"
    message = f"{executor} has no option {option!r}{_where(given)}; {there}{did_you_mean(near)}"
    return OptionError(message, option=option, executor=executor, nearest=near)


def _within(option: str, known: Mapping[str, OptionSpec]) -> str | None:
    """The key of an option that is a mapping, if what is said of that names it: `cluster_kwargs.n_workers`."""
    named = [name for name, spec in known.items() if f"`{option}`" in spec.meaning and _is_mapping(spec)]
    return f"{named[0]}.{option}" if named else None


def _is_mapping(spec: OptionSpec) -> bool:
    kinds = [typing.get_origin(member) or member for member in members_of(spec.annotation)]
    return any(isinstance(kind, type) and issubclass(kind, Mapping) for kind in kinds)


def _value(given: Any, option: str, spec: OptionSpec, executor: str) -> Any:
    """Text is converted, what a file holds is fitted, what code hands over is only checked."""
    told = not is_secret(option)  # what is wrong with the value
    try:
        if isinstance(given, Setting):
            typed = bool(members_of(spec.annotation))
            read = with_secrets(given, mapping=_is_mapping(spec), typed=typed)
            told, given = told and read.value == given.value, read
        value = given.value if isinstance(given, Setting) else given
        if isinstance(given, Setting) and given.text:
            return convert_text(value, spec.annotation)
        if isinstance(given, Setting) and given.origin.kind not in ("argument", "flow"):
            return fit(value, spec.annotation)
        if not admits(value, spec.annotation):
            raise ValueError(f"expected {spec.type}, got {value!r}")
    except UnreadSecretError as error:
        raise OptionError(
            f"option {option!r} of {executor}: {error} ({error.origin})", option=option, executor=executor
        ) from None
    except ValueError as error:
        why = redacted_text(str(error)) if told else f"expected {spec.type}"
        raise OptionError(
            f"option {option!r} of {executor}: {why}{_where(given)}", option=option, executor=executor
        ) from None
    return value


def _with_key(below: Any, inner: list[str], given: Any, spec: OptionSpec, executor: str) -> Any:
    leaf = _value(given, ".".join((spec.name, *inner)), spec._replace(annotation=Any), executor)
    if below is not None and not isinstance(below, Mapping):
        shown = redacted_repr(below, spec.name)
        raise OptionError(
            f"option {spec.name!r} of {executor} is {shown}, no mapping: {'.'.join(inner)!r} cannot be set "
            f"in it{_where(given)}",
            option=spec.name,
            executor=executor,
        )
    value = dict(below or {})
    value[inner[0]] = _nested(value.get(inner[0]), inner[1:], leaf) if inner[1:] else leaf
    return _value(value, spec.name, spec, executor)


def _nested(below: Any, inner: list[str], leaf: Any) -> dict[str, Any]:
    value = dict(below) if isinstance(below, Mapping) else {}
    value[inner[0]] = _nested(value.get(inner[0]), inner[1:], leaf) if inner[1:] else leaf
    return value


def _where(given: Any) -> str:
    return f" ({given.origin})" if isinstance(given, Setting) else ""


def annotation_of(parameter: inspect.Parameter, function: Any) -> Any:
    """The declared type of a parameter; `Any` where there is none, or its name exists for type checkers only."""
    if parameter.annotation is REQUIRED:
        return Any
    holder = types.SimpleNamespace(__annotations__={"it": parameter.annotation})
    names = getattr(inspect.unwrap(function), "__globals__", {})
    try:
        return typing.get_type_hints(holder, names, include_extras=True)["it"]
    except (NameError, AttributeError, TypeError, SyntaxError):
        return Any


def _meanings(cls: type, names: set[str]) -> dict[str, str]:
    """What the docstrings of the class and its bases say after `name:`, `name (type):` or `name -- `."""
    found: dict[str, str] = {}
    for source in _docstrings(cls):
        for name, text in documented(source, names):
            found.setdefault(name, text)
    return found


def _docstrings(cls: type) -> Iterator[str]:
    for each in cls.__mro__:
        for holder in (each.__dict__.get("__init__"), each):
            text = getattr(holder, "__doc__", None)
            if text and each is not object:
                yield inspect.cleandoc(text)


def documented(text: str, names: set[str]) -> Iterator[tuple[str, str]]:
    """What a docstring says of these names. An entry runs to an empty line, or to one that is indented less."""
    lines = text.splitlines()
    for number, line in enumerate(lines):
        entry = re.match(r"( *)[`*]{0,2}(\w+)[`*]{0,2}(?: *\([^)]*\))?(?::| --) *(.*)", line)
        if not entry or entry[2] not in names:
            continue
        parts = [entry[3]]
        for further in lines[number + 1 :]:
            if not further.startswith(f"{entry[1]} ") or not further.strip():
                break
            parts.append(further.strip())
        yield entry[2], " ".join(part for part in parts if part)
