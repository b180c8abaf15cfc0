"""The configuration: files and variables, merged, each value with its origin.

    executor = "hpc"                   # penstock.toml, or [tool.penstock] in pyproject.toml
    debug = false
    max_map_width = 10_000_000         # how many elements a mapped task may have

    [executors.hpc]                    # a profile: a named executor with options
    use = "dask"                       # a plugin, a profile or a class path; left out, the plugin of its name
    cluster_kwargs = { cores = 8 }     # every other key is an option

    [limits]                           # how many calls with a tag may run at once
    db = 4

    [cache]                            # where the values of tasks with a `cache_key` are kept
    url = "s3://bucket/cache"          # a folder, or what fsspec opens
    max_bytes = 1073741824             # of a folder

The strongest first: variables (`PENSTOCK_EXECUTOR`, `PENSTOCK_DEBUG`, `PENSTOCK_EXECUTORS__HPC__ADDRESS`),
the project file, the user file, the defaults. The project file is the nearest one from the start folder
upwards, or the one that `PENSTOCK_CONFIG` names. Profiles merge key by key, tables in them too; any other
value replaces the one below it.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import attrs

from penstock.errors import ConfigError
from penstock.literals import convert_text
from penstock.schema import KNOWN, TABLES, known, within
from penstock.settings import MAX_MAP_WIDTH, did_you_mean, nearest, normalise
from penstock.settings import Origin as Origin
from penstock.settings import Setting as Setting
from penstock.tomlfile import Key, TomlFile, read_toml

PREFIX = "PENSTOCK_"
DEFAULT_EXECUTOR = "local"
CACHE_BYTES = 1 << 30
"""How much the cache's folder holds, unless the configuration says otherwise."""

Layer = dict[Key, Setting]


@attrs.frozen
class Profile:
    """A named executor with options. use: what it stands for, its own name if the plugin of that name."""

    name: str
    use: str
    options: Mapping[str, Setting]
    origin: Origin


@attrs.frozen
class Config:
    """The effective configuration. files: those that were read, the strongest first; settings: by key.

    cache_url, cache_max_bytes: where the values of tasks are kept, a folder or a URL, and how much of them.
    limits: how many calls may run at once, by tag.
    """

    executor: Setting
    debug: Setting
    max_map_width: Setting
    cache_url: Setting
    cache_max_bytes: Setting
    limits: Mapping[str, Setting]
    profiles: Mapping[str, Profile]
    settings: tuple[Setting, ...]
    files: tuple[Path, ...]


def load_config(start: Path | None = None, environ: Mapping[str, str] | None = None) -> Config:
    """Read the files and variables that hold in a folder (default: the current one).

    Raises ConfigError, with file, line and key, for what is malformed, unknown or of the wrong type.
    """
    variables = os.environ if environ is None else environ
    folder = Path.cwd() if start is None else start.absolute()
    files: list[Path] = []
    merged: Layer = _defaults(variables)
    for kind, path in (
        ("user file", _user_file(variables)),
        ("project file", _project_file(folder, variables)),
    ):
        if path is not None:
            files.insert(0, path)
            _lay_over(merged, _file_layer(path, kind, folder))
    _lay_over(merged, _variable_layer(variables))
    return Config(
        executor=merged["executor",],
        debug=merged["debug",],
        max_map_width=merged["max_map_width",],
        cache_url=merged["cache", "url"],
        cache_max_bytes=merged["cache", "max_bytes"],
        limits={key[1]: setting for key, setting in merged.items() if key[0] == "limits"},
        profiles=_profiles(merged),
        settings=tuple(merged[key] for key in sorted(merged)),
        files=tuple(files),
    )


def _defaults(variables: Mapping[str, str]) -> Layer:
    origin = Origin("default", "penstock")
    defaults: dict[Key, Any] = {
        ("executor",): DEFAULT_EXECUTOR,
        ("debug",): False,
        ("max_map_width",): MAX_MAP_WIDTH,
        ("cache", "url"): str(_cache_folder(variables)),
        ("cache", "max_bytes"): CACHE_BYTES,
    }
    return {key: Setting(key, value, origin) for key, value in defaults.items()}


def _lay_over(below: Layer, above: Layer) -> None:
    """Keys of tables stand side by side; a value replaces a table, and a table a value."""
    for key in above:
        for old in [old for old in below if old[: len(key)] == key or key[: len(old)] == old]:
            if old not in above:
                del below[old]
    below.update(above)


def _user_file(variables: Mapping[str, str]) -> Path | None:
    home = variables.get("XDG_CONFIG_HOME", "").strip()
    folder = Path(home) / "penstock" if home else _platform_folder("config", os.environ.get("HOME"))
    path = folder / "penstock.toml"
    return path if path.is_file() else None


def _cache_folder(variables: Mapping[str, str]) -> Path:
    home = variables.get("XDG_CACHE_HOME", "").strip()
    return (Path(home) / "penstock" if home else _platform_folder("cache", os.environ.get("HOME"))) / "tasks"


@lru_cache(maxsize=4)
def _platform_folder(kind: str, home: str | None) -> Path:
    """Where the platform keeps a user's files of a kind. Every run asks, and it takes as long as a hundred tasks."""
    import platformdirs  # here, so that a program that never asks for the configuration does not load it

    folder: Path = getattr(platformdirs, f"user_{kind}_path")("penstock", appauthor=False)
    return folder


def _project_file(folder: Path, variables: Mapping[str, str]) -> Path | None:
    named = variables.get("PENSTOCK_CONFIG")
    if named is not None:
        path = folder / Path(named).expanduser()
        if not named or not path.is_file():
            raise ConfigError(f"names no file: {named!r}", file="variable PENSTOCK_CONFIG")
        return path
    for each in (folder, *folder.parents):
        if (each / "penstock.toml").is_file():
            return each / "penstock.toml"
        pyproject = each / "pyproject.toml"
        if pyproject.is_file() and _has_our_table(pyproject, folder):
            return pyproject
    return None


def _shown(path: Path, folder: Path) -> str:
    return str(path.relative_to(folder)) if path.is_relative_to(folder) else str(path)


def _has_our_table(pyproject: Path, folder: Path) -> bool:
    with contextlib.suppress(OSError):  # read_toml says it better
        if b"penstock" not in pyproject.read_bytes():
            return False
    tool = read_toml(pyproject, _shown(pyproject, folder)).data.get("tool")
    return isinstance(tool, dict) and "penstock" in tool


def _file_layer(path: Path, kind: str, folder: Path) -> Layer:
    file = read_toml(path, _shown(path, folder))
    top: Key = ("tool", "penstock") if path.name == "pyproject.toml" else ()
    table: Any = file.data
    for part in top:
        table = table.get(part, {})
    return _FileReader(file, kind, _shown(path, folder), top).layer(table)


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
            raise self.error(key, f"expected {setting.words}, got {value!r}")

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


def _variable_layer(variables: Mapping[str, str]) -> Layer:
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


def _profiles(merged: Layer) -> dict[str, Profile]:
    parts: dict[str, dict[str, Layer]] = {}
    for key, setting in merged.items():
        if key[0] == "executors":
            parts.setdefault(key[1], {}).setdefault(key[2], {})[key[3:]] = setting
    profiles: dict[str, Profile] = {}
    for name, layers in sorted(parts.items()):
        options = {option: _assemble(layer) for option, layer in layers.items()}
        use = options.pop("use", None)
        first = use or next(iter(options.values()))
        profiles[name] = Profile(name, use.value if use else name, options, first.origin)
    return profiles


def _assemble(layer: Layer) -> Setting:
    """One option from the settings in it. Its origin is that of the strongest of them, which came last."""
    if () in layer:
        return layer[()]
    value: dict[str, Any] = {}
    for key, setting in layer.items():
        table = value
        for part in key[:-1]:
            table = table.setdefault(part, {})
        table[key[-1]] = convert_text(setting.value, Any) if setting.text else setting.value
    last = list(layer.values())[-1]
    return Setting(last.key[:3], value, last.origin)
