"""The layers of the configuration: what one file says, and what the variables say, each setting with its origin."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import attrs

from penstock.errors import ConfigError
from penstock.names import did_you_mean, nearest, normalise
from penstock.schema import KNOWN, TABLES, known, within
from penstock.settings import Origin, Setting
from penstock.tomlfile import Key, TomlFile, read_toml

PREFIX = "PENSTOCK_"
"""How the names of variables begin."""

Layer = dict[Key, Setting]
"""Settings by key; a later layer lies over an earlier one."""


def shown(path: Path, folder: Path) -> str:
    """The name of a file in messages: relative to a folder, if it lies there."""
    return str(path.relative_to(folder)) if path.is_relative_to(folder) else str(path)


def file_layer(path: Path, kind: str, folder: Path) -> Layer:
    """What a file says. kind: "user file" or "project file"; folder: which its name in messages is relative to.

    Raises ConfigError for what is malformed, unknown or of the wrong type.
    """
    file = read_toml(path, shown(path, folder))
    top: Key = ("tool", "penstock") if path.name == "pyproject.toml" else ()
    table: Any = file.data
    for part in top:
        table = table.get(part, {})
    return _FileReader(file, kind, shown(path, folder), top).layer(table)


@attrs.frozen
class _FileReader:
    """Turns the tables of one file into settings that know their line. top: where ours begin in it."""

    file: TomlFile
    kind: str
    shown: str
    top: Key

    def layer(self, table: Any) -> Layer:
        if not isinstance(table, dict):
            raise self.error((), f"expected a table, got {table!r}")
        layer: Layer = {}
        for name, value in table.items():
            if name not in TABLES | {"executors"}:
                self.check((name,), value, [*(key[0] for key in KNOWN), "executors"])
                layer[name,] = self.setting((name,), (name,), value)
            elif not isinstance(value, dict):
                raise self.error((name,), f"expected a table, got {value!r}")
            else:
                layer.update(self.profiles(value) if name == "executors" else self.settings(name, value))
        return layer

    def check(self, key: Key, value: Any, names: list[str]) -> None:
        setting = known(key)
        if setting is None:
            raise self.error(key, f"there is no such setting{did_you_mean(nearest(key[-1], names))}")
        if not setting.fits(value):
            profiles = ".".join((*self.top, "executors", "NAME"))
            slip = key == ("executor",) and isinstance(value, dict)
            hint = f"; a profile is the table [{profiles}]" if slip else ""
            raise self.error(key, f"expected {setting.words}, got {value!r}{hint}")

    def settings(self, table: str, content: dict[str, Any]) -> Iterator[tuple[Key, Setting]]:
        for name, value in content.items():
            self.check((table, name), value, within(table))
            yield (table, name), self.setting((table, name), (table, name), value)

    def profiles(self, table: dict[str, Any]) -> Iterator[tuple[Key, Setting]]:
        written: dict[str, str] = {}
        for name, options in table.items():
            profile = normalise(name)
            if not isinstance(options, dict):
                raise self.error(("executors", name), f"expected a table of options, got {options!r}")
            if profile in written:
                raise self.error(("executors", name), f"is the same name as {written[profile]!r}, further up")
            if not isinstance(options.get("use", "?"), str) or not options.get("use", "?"):
                raise self.error(("executors", name, "use"), "expected a name or a class path")
            written[profile] = name
            for key, value in _leaves(options):
                full = ("executors", profile, *key)
                yield full, self.setting(full, ("executors", name, *key), value)

    def setting(self, key: Key, written: Key, value: Any) -> Setting:
        dotted = ".".join(self.top + written)
        line = self.file.line(self.top + written)
        return Setting(
            key, value, Origin(self.kind, self.shown, dotted, line, self.file.path.parent.absolute())
        )

    def error(self, key: Key, message: str) -> ConfigError:
        full = self.top + key
        return ConfigError(message, file=self.shown, line=self.file.line(full), key=".".join(full) or None)


def _leaves(table: Mapping[str, Any], above: Key = ()) -> Iterator[tuple[Key, Any]]:
    for name, value in table.items():
        if isinstance(value, dict) and value:
            yield from _leaves(value, (*above, name))
        else:
            yield (*above, name), value


def variable_layer(variables: Mapping[str, str]) -> Layer:
    """What the variables of the environment say. Raises ConfigError for what is unknown or of the wrong type."""
    layer: Layer = {}
    for name in sorted(variables):
        if name.startswith(PREFIX) and name != "PENSTOCK_CONFIG":
            key = tuple(part.lower() for part in name.removeprefix(PREFIX).split("__"))
            layer[key] = _variable(name, key, variables[name])
            whole = next((layer[key[:size]] for size in range(3, len(key)) if key[:size] in layer), None)
            if whole:
                raise ConfigError(f"{whole.origin} sets the whole of it too", file=f"variable {name}")
    return layer


def _variable(name: str, key: Key, text: str) -> Setting:
    shown = f"variable {name}"
    origin = Origin("variable", name)
    if key[0] == "executors" and len(key) >= 3 and all(key):
        if key[2] == "use" and not text:
            raise ConfigError("expected a name or a class path, got nothing", file=shown)
        return Setting(key, text, origin, text=key[2:] != ("use",))
    setting = known(key)
    if setting is not None:
        if key == ("executor",) and not text:
            raise ConfigError("is empty: unset it, or name an executor", file=shown)
        try:
            return Setting(key, setting.from_text(text), origin)
        except ValueError:
            raise ConfigError(f"expected {setting.words}, got {text!r}", file=shown) from None
    if key[0] == "executors":
        raise ConfigError("an option is set by PENSTOCK_EXECUTORS__PROFILE__OPTION", file=shown)
    variables = [PREFIX + "__".join(each).upper().replace("*", "TAG") for each in KNOWN]
    variables += ["PENSTOCK_CONFIG", "PENSTOCK_EXECUTORS__PROFILE__OPTION"]
    near = nearest(name, variables)
    raise ConfigError(
        f"there is no such variable; there are {', '.join(variables)}{did_you_mean(near)}", file=shown
    )
