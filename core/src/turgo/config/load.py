"""The configuration: files and variables, merged, each value with its origin.

    executor = "hpc"                   # turgo.toml, or [tool.turgo] in pyproject.toml
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
    trust = false                      # true: whoever can write behind the URL may run code here

The strongest first: variables (`TURGO_EXECUTOR`, `TURGO_DEBUG`, `TURGO_EXECUTORS__HPC__ADDRESS`),
the project file, the user file, the defaults. The project file is the nearest one from the start folder
upwards, or the one that `TURGO_CONFIG` names. Profiles merge key by key, tables in them too; any other
value replaces the one below it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import attrs

from turgo.config.convert import convert_text
from turgo.config.layers import OPTION_PARTS, Layer, file_layer, variable_layer
from turgo.config.ownership import TRUST_HINT, doubt
from turgo.config.places import (
    cache_folder,
    current_folder,
    journal_folder,
    project_file,
    user_file,
    warn_of_unread,
)
from turgo.config.schema import MAX_MAP_WIDTH
from turgo.config.settings import Key, Origin, Setting
from turgo.errors import ConfigError

DEFAULT_EXECUTOR = "local"
CACHE_BYTES = 1 << 30
JOURNAL_BYTES = 4 << 30
JOURNAL_VALUE_BYTES = 64 << 20
JOURNAL_AGE_DAYS = 30
"""How much the cache's folder holds, unless the configuration says otherwise."""


PICKLED: frozenset[Key] = frozenset(
    {("cache", "url"), ("cache", "trust"), ("journal", "folder"), ("journal", "values")}
)
"""The settings that say where values are unpickled from, and whose."""


class Profile(NamedTuple):
    """A named executor with options. use: what it stands for, its own name if the plugin of that name."""

    name: str
    use: str
    options: Mapping[str, Setting]
    origin: Origin


@attrs.frozen
class Config:
    """The effective configuration. files: those that were read, the strongest first; settings: by key.

    cache_url, cache_max_bytes: where the values of tasks are kept, a folder or a URL, and how much of them.
    cache_trust: whether what lies behind the URL counts, whoever wrote it.
    progress: whether runs in code show it. journal: what is kept of runs, by the names in its table.
    limits: how many calls may run at once, by tag.
    """

    executor: Setting
    debug: Setting
    max_map_width: Setting
    cache_url: Setting
    cache_max_bytes: Setting
    cache_trust: Setting
    progress: Setting
    journal: Mapping[str, Setting]
    limits: Mapping[str, Setting]
    profiles: Mapping[str, Profile]
    settings: tuple[Setting, ...]
    files: tuple[Path, ...]


def load_config(start: Path | None = None, environ: Mapping[str, str] | None = None) -> Config:
    """Read the files and variables that hold in a folder (default: the current one).

    Raises ConfigError, with file, line and key, for what is malformed, unknown or of the wrong type.
    """
    variables = os.environ if environ is None else environ
    folder = current_folder() if start is None else start.absolute()
    places = (("user file", user_file(variables)), ("project file", project_file(folder, variables)))
    files: list[Path] = []
    merged: Layer = _defaults(cache_folder(variables), journal_folder(variables))
    for kind, path in places:
        trusted = "TURGO_CONFIG" in variables and kind == "project file"
        layer = _read(path, kind, folder, trusted=trusted) if path is not None else None
        if path is not None and layer is not None:
            files.insert(0, path)
            _lay_over(merged, layer)
    variable = variable_layer(variables)
    _check_case(merged, variable)
    _lay_over(merged, variable)
    return Config(
        executor=merged["executor",],
        debug=merged["debug",],
        max_map_width=merged["max_map_width",],
        cache_url=merged["cache", "url"],
        cache_max_bytes=merged["cache", "max_bytes"],
        cache_trust=merged["cache", "trust"],
        progress=merged["progress", "enabled"],
        journal={key[1]: setting for key, setting in merged.items() if key[0] == "journal"},
        limits={key[1]: setting for key, setting in merged.items() if key[0] == "limits"},
        profiles=_profiles(merged),
        settings=tuple(merged[key] for key in sorted(merged)),
        files=tuple(files),
    )


def _defaults(cache: Path, journal: Path) -> Layer:
    origin = Origin("default", "turgo")
    defaults: dict[Key, Any] = {
        ("executor",): DEFAULT_EXECUTOR,
        ("debug",): False,
        ("max_map_width",): MAX_MAP_WIDTH,
        ("cache", "url"): str(cache),
        ("cache", "max_bytes"): CACHE_BYTES,
        ("cache", "trust"): False,
        ("progress", "enabled"): False,
        ("journal", "enabled"): True,
        ("journal", "required"): False,
        ("journal", "folder"): str(journal),
        ("journal", "max_bytes"): JOURNAL_BYTES,
        ("journal", "max_value_bytes"): JOURNAL_VALUE_BYTES,
        ("journal", "max_age_days"): JOURNAL_AGE_DAYS,
    }
    return {key: Setting(key, value, origin) for key, value in defaults.items()}


def _read(path: Path, kind: str, folder: Path | None, *, trusted: bool) -> Layer | None:
    """What a file says. None, with a line in the log, for a user file that cannot be read; a project's must be.

    trusted: whether somebody has named it; else it was found, and what is code in it has to be the user's own.
    """
    try:
        layer = file_layer(path, kind, folder, "" if trusted else _doubt(path))
    except ConfigError as error:
        if kind == "user file" and isinstance(error.__cause__, OSError):
            warn_of_unread(str(path), str(error.__cause__.strerror))
            return None
        raise
    for key in sorted(PICKLED & layer.keys()):
        origin = layer[key].origin
        if origin.doubt:
            raise ConfigError(
                f"says where pickles lie, which are code, or whose they are, but {origin.doubt}. {TRUST_HINT}",
                file=origin.where,
                line=origin.line,
                key=origin.key,
            )
    return layer


def _doubt(path: Path) -> str:
    try:
        return doubt(path)
    except OSError:  # reading it says it better
        return ""


def _check_case(below: Layer, variable: Layer) -> None:
    """A key within an option that a variable writes in other letters than a file does cannot be meant so."""
    written = {tuple(part.lower() for part in key): key for key in below if len(key) > OPTION_PARTS}
    for key, setting in variable.items():
        other = written.get(tuple(part.lower() for part in key), key)
        if other != key:
            raise ConfigError(
                f"differs from {below[other].origin} in the case of letters only; the case counts within an option",
                file=str(setting.origin),
            )


def _lay_over(below: Layer, above: Layer) -> None:
    """Keys of tables stand side by side; a value replaces a table, and a table a value."""
    for key in above:
        for old in [old for old in below if old[: len(key)] == key or key[: len(old)] == old]:
            if old not in above:
                del below[old]
    below.update(above)


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
    within = {key: setting.origin for key, setting in layer.items()}
    return Setting(last.key[:3], value, last.origin, within=within)
