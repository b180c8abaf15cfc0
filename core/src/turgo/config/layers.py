"""The layers of the configuration: files and variables, each setting with its origin."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from turgo.config.injected import is_injected, warn_of_injected
from turgo.config.places import shown
from turgo.config.schema import KNOWN, TABLES, known, within
from turgo.config.settings import Key, Origin, Setting
from turgo.errors import ConfigError
from turgo.names import did_you_mean, nearest, normalise, unfit_name
from turgo.redaction import redacted_repr

if TYPE_CHECKING:
    from turgo.config.toml_lines import TomlFile

PREFIX = "TURGO_"
"""How the names of variables begin."""

OPTION_PARTS = 3
"""How many parts a key has that names an option: `executors`, a profile, the option. Later ones are keys within it."""

CERTIFY = "certify"
"""The table of a plugin's project that the conformance suite reads; nothing in it is a setting of a run."""

Layer = dict[Key, Setting]
"""Settings by key; a later layer lies over an earlier one."""


def file_layer(path: Path, kind: str, folder: Path | None, doubt: str = "") -> Layer:
    """What a file says. kind: "user file" or "project file"; folder: which its name in messages is relative to.

    doubt: why no code is taken from it. Raises ConfigError for what is malformed, unknown or of the wrong type.
    """
    from turgo.config.toml_lines import read_toml  # late: most runs have no file to read

    file = read_toml(path, shown(path, folder))
    top: Key = ("tool", "turgo") if path.name == "pyproject.toml" else ()
    table: Any = file.data
    for part in top:
        table = table.get(part, {})
    return _FileReader(file, kind, shown(path, folder), top, doubt).layer(table)


class _FileReader(NamedTuple):
    """Turns the tables of one file into settings that know their line. top: where ours begin in it."""

    file: TomlFile
    kind: str
    shown: str
    top: Key
    doubt: str = ""

    def layer(self, table: Any) -> Layer:
        if not isinstance(table, dict):
            raise self.error((), f"expected a table, got {table!r}")
        layer: Layer = {}
        for name, value in table.items():
            if name == CERTIFY:
                continue
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
            raise self.error(key, f"expected {setting.words}, got {redacted_repr(value, key[-1])}{hint}")

    def settings(self, table: str, content: dict[str, Any]) -> Iterator[tuple[Key, Setting]]:
        for name, value in content.items():
            self.check((table, name), value, within(table))
            yield (table, name), self.setting((table, name), (table, name), value)

    def profiles(self, table: dict[str, Any]) -> Iterator[tuple[Key, Setting]]:
        written: dict[str, str] = {}
        for name, options in table.items():
            profile = normalise(name)
            if unfit := unfit_name(name):
                raise self.error(("executors", name), f"is no name that can be asked for: {unfit}")
            if not isinstance(options, dict):
                raise self.error(
                    ("executors", name), f"expected a table of options, got {redacted_repr(options, name)}"
                )
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
        where = self.file.path.parent.absolute()
        return Setting(key, value, Origin(self.kind, self.shown, dotted, line, where, self.doubt))

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
        if name.startswith(PREFIX) and name != "TURGO_CONFIG":
            key = _key(name)
            if is_injected(name) and known(key) is None:
                warn_of_injected(name)
                continue
            if twin := next(
                (old.origin for old_key, old in layer.items() if _folded(old_key) == _folded(key)), None
            ):
                raise ConfigError(f"differs from {twin} in the case of letters only", file=f"variable {name}")
            layer[key] = _variable(name, key, variables[name])
            whole = next((layer[key[:size]] for size in range(3, len(key)) if key[:size] in layer), None)
            if whole:
                raise ConfigError(f"{whole.origin} sets the whole of it too", file=f"variable {name}")
    return layer


SHORT_KEYS: Mapping[str, Key] = {"TURGO_PROGRESS": ("progress", "enabled")}
"""Variables that stand for the one setting of their table that matters."""


def _key(name: str) -> Key:
    """The key that a variable sets. Within an option the case of letters counts: `…__ENV__OMP_NUM_THREADS`."""
    if name in SHORT_KEYS:
        return SHORT_KEYS[name]
    parts = name.removeprefix(PREFIX).split("__")
    return tuple(part.lower() if place < OPTION_PARTS else part for place, part in enumerate(parts))


def _folded(key: Key) -> Key:
    return tuple(part.lower() for part in key)


def _variable(name: str, key: Key, text: str) -> Setting:
    shown = f"variable {name}"
    origin = Origin("variable", name)
    if key[0] == "executors" and len(key) >= OPTION_PARTS and all(key):
        if unfit := unfit_name(key[1]):
            raise ConfigError(f"{key[1]!r} is no name that can be asked for: {unfit}", file=shown)
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
            raise ConfigError(
                f"expected {setting.words}, got {redacted_repr(text, key[-1])}", file=shown
            ) from None
    if key[0] == "executors":
        raise ConfigError("an option is set by TURGO_EXECUTORS__PROFILE__OPTION", file=shown)
    variables = [PREFIX + "__".join(each).upper().replace("*", "TAG") for each in KNOWN]
    variables += ["TURGO_CONFIG", "TURGO_EXECUTORS__PROFILE__OPTION"]
    near = nearest(name, variables)
    raise ConfigError(
        f"there is no such variable; there are {', '.join(variables)}{did_you_mean(near)}", file=shown
    )
