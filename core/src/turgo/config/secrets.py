"""Values that are read from elsewhere, so that no file of settings holds a secret.

    [executors.hpc]
    password = { env = "DB_PASSWORD" }          # the variable DB_PASSWORD
    token = { file = "~/.config/hpc/token" }    # the text of the file, without the line end after it

They are read when the executor is made. `turgo config` shows where from, and not what.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs

from turgo.config.settings import Setting
from turgo.names import reason_of
from turgo.redaction import is_reference


def with_secrets(given: Setting, mapping: bool) -> Setting:
    """A setting of a file, with what it refers to. mapping: whether the option itself is one, and may have such keys.

    Raises ValueError for what cannot be read.
    """
    if not given.origin.kind.endswith("file") or not isinstance(given.value, Mapping):
        return given
    return attrs.evolve(given, value=(_inner if mapping else _replaced)(given.value))


def _replaced(value: Any) -> Any:
    if is_reference(value):
        ((kind, where),) = value.items()
        return _read(kind, where)
    return _inner(value) if isinstance(value, Mapping) else value


def _inner(value: Mapping[str, Any]) -> dict[str, Any]:
    return {key: _replaced(each) for key, each in value.items()}


def _read(kind: str, where: str) -> str:
    if kind == "env":
        if where not in os.environ:
            raise ValueError(f"the variable {where} is not set")
        return os.environ[where]
    try:
        return Path(where).expanduser().read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, ValueError, RuntimeError) as error:  # no text, no name of a file, no home
        raise ValueError(f"{where} cannot be read: {reason_of(error)}") from None
