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
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import attrs

from penstock.errors import ConfigError
from penstock.layers import Layer, file_layer, shown, variable_layer
from penstock.literals import convert_text
from penstock.settings import MAX_MAP_WIDTH, Origin, Setting
from penstock.tomlfile import Key, read_toml

DEFAULT_EXECUTOR = "local"
CACHE_BYTES = 1 << 30
"""How much the cache's folder holds, unless the configuration says otherwise."""


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
            _lay_over(merged, file_layer(path, kind, folder))
    _lay_over(merged, variable_layer(variables))
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


def _has_our_table(pyproject: Path, folder: Path) -> bool:
    with contextlib.suppress(OSError):  # read_toml says it better
        if b"penstock" not in pyproject.read_bytes():
            return False
    tool = read_toml(pyproject, shown(pyproject, folder)).data.get("tool")
    return isinstance(tool, dict) and "penstock" in tool


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
