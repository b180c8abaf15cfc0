"""Values that are read from elsewhere, so that no file of settings holds a secret.

    [executors.hpc]
    password = { env = "DB_PASSWORD" }          # the variable DB_PASSWORD
    token = { file = "~/.config/hpc/token" }    # the text of the file, without the line end after it

They are read when the executor is made. `turgo config` shows where from, and not what. What is read is a text, which
becomes a value of the option's type as any other text does (`convert`). Where no type is declared, as within a mapping,
it may become a number, unless its name says that it is secret: a password of digits stays a text.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs

from turgo.config.convert import convert_text
from turgo.config.settings import Origin, Setting
from turgo.names import reason_of
from turgo.redaction import is_reference, is_secret


class UnreadSecretError(ValueError):
    """What a setting refers to cannot be read. origin: where it is asked for."""

    def __init__(self, message: str, origin: Origin) -> None:
        super().__init__(message)
        self.origin = origin


def with_secrets(given: Setting, *, mapping: bool, typed: bool) -> Setting:
    """A setting of a file, with what it refers to; a text if all of it is from elsewhere.

    mapping: whether the option itself is one, and may have such keys. typed: whether its type is declared. Raises
    UnreadSecretError for what cannot be read.
    """
    if not given.origin.kind.endswith("file") or not isinstance(given.value, Mapping):
        return given
    if mapping or not is_reference(given.value):
        return attrs.evolve(given, value=_inner(given, given.value, ()))
    return attrs.evolve(
        given, value=_text(given, given.value, ()), text=typed or not is_secret(given.key[-1])
    )


def _inner(given: Setting, value: Mapping[str, Any], path: tuple[str, ...]) -> dict[str, Any]:
    return {key: _replaced(given, each, (*path, key)) for key, each in value.items()}


def _replaced(given: Setting, value: Any, path: tuple[str, ...]) -> Any:
    if is_reference(value):
        text = _text(given, value, path)
        return text if is_secret(path[-1]) else convert_text(text, Any)
    return _inner(given, value, path) if isinstance(value, Mapping) else value


def _text(given: Setting, reference: Mapping[str, str], path: tuple[str, ...]) -> str:
    ((kind, where),) = reference.items()
    try:
        return _read(kind, where)
    except ValueError as error:
        raise UnreadSecretError(str(error), given.within.get((*path, kind), given.origin)) from None


def _read(kind: str, where: str) -> str:
    if kind == "env":
        if where not in os.environ:
            raise ValueError(f"the variable {where} is not set")
        return os.environ[where]
    try:
        return Path(where).expanduser().read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, ValueError, RuntimeError) as error:  # no text, no name of a file, no home
        raise ValueError(f"{where} cannot be read: {reason_of(error)}") from None
