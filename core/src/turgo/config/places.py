"""Finds the configuration of the user and the project, and the folders of cache and journal.

Whatever a machine lacks is passed over: a home, an entry of the user in passwd, a current folder, the right to look
into a folder. What is passed over, although it may be there, is logged in one line.
"""

from __future__ import annotations

import contextlib
import logging
import os
import stat
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from turgo.errors import ConfigError

logger = logging.getLogger("turgo")


def shown(path: Path, folder: Path | None) -> str:
    """The name of a file in messages: relative to a folder, if it lies there."""
    return str(path.relative_to(folder)) if folder and path.is_relative_to(folder) else str(path)


def current_folder() -> Path | None:
    """The current folder; None if it was removed or may not be looked at."""
    try:
        return Path.cwd()
    except OSError:
        return None


def user_file(variables: Mapping[str, str]) -> Path | None:
    """The user's turgo.toml, if there is one."""
    home = variables.get("XDG_CONFIG_HOME", "").strip()
    folder = Path(home) / "turgo" if home else _platform_folder("config", os.environ.get("HOME"))
    path = folder / "turgo.toml" if folder else None
    return path if path is not None and _is_file(str(path)) else None


def cache_folder(variables: Mapping[str, str]) -> Path:
    """Where values of tasks are kept; below the folder for temporary files if the user has no home."""
    home = variables.get("XDG_CACHE_HOME", "").strip()
    folder = Path(home) / "turgo" if home else _platform_folder("cache", os.environ.get("HOME"))
    if folder is None:
        import tempfile  # late: nearly every user has a home

        folder = Path(tempfile.gettempdir()) / f"turgo-{os.getuid()}"
    return folder / "tasks"


def state_folder(variables: Mapping[str, str] | None = None) -> Path:
    """Where turgo keeps what is the user's own; below the folder for temporary files if the user has no home."""
    variables = os.environ if variables is None else variables
    home = variables.get("XDG_STATE_HOME", "").strip()
    folder = Path(home) / "turgo" if home else _platform_folder("state", os.environ.get("HOME"))
    return folder or cache_folder(variables).parent


def journal_folder(variables: Mapping[str, str]) -> Path:
    """Where the journals of runs are kept."""
    return state_folder(variables) / "runs"


def project_file(folder: Path | None, variables: Mapping[str, str]) -> Path | None:
    """The file that TURGO_CONFIG names, or the nearest one from the folder upwards.

    The way upwards ends at a folder that everybody may write to: what lies there is not meant for all below it.

    Raises ConfigError for a TURGO_CONFIG that names none, and for a pyproject.toml that cannot be read.
    """
    named = variables.get("TURGO_CONFIG")
    if named is not None:
        return _named_file(named, folder)
    each, below = str(folder or ""), ""
    while (
        each != below
    ):  # texts, as every run goes this way, and a Path takes longer to make than to look for
        if below and _is_open(each):
            return None
        if _is_file(own := os.path.join(each, "turgo.toml")):
            return Path(own)
        if _is_file(shared := os.path.join(each, "pyproject.toml")) and _has_our_table(Path(shared), folder):
            return Path(shared)
        each, below = os.path.dirname(each), each
    return None


def _is_open(folder: str) -> bool:
    """Whether everybody may put files into a folder, be it sticky or not."""
    try:
        return bool(os.stat(folder).st_mode & stat.S_IWOTH)
    except OSError:
        return False


def _named_file(named: str, folder: Path | None) -> Path:
    problem = f"names no file: {named!r}"
    try:
        path = (folder or Path("/")) / Path(named).expanduser()
        if named and stat.S_ISREG(os.stat(path).st_mode):
            return path
    except (OSError, RuntimeError, ValueError) as error:  # RuntimeError: ~nobody is no user
        problem += f" ({getattr(error, 'strerror', None) or error})"
    raise ConfigError(problem, file="variable TURGO_CONFIG")


def _is_file(path: str) -> bool:
    try:
        return stat.S_ISREG(os.stat(path).st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except (OSError, ValueError) as error:
        warn_of_unread(os.path.dirname(path), str(getattr(error, "strerror", None) or error))
        return False


@lru_cache(maxsize=64)
def warn_of_unread(place: str, reason: str) -> None:
    """Log once in a process that a file, or whatever lies in a folder, is passed over."""
    logger.warning("configuration in %s is passed over: %s", place, reason)


def _has_our_table(pyproject: Path, folder: Path | None) -> bool:
    with contextlib.suppress(OSError):  # read_toml says it better
        if _has_none(pyproject.read_bytes()):
            return False
    from turgo.config.toml_lines import read_toml  # late: most runs have no file to read

    tool = read_toml(pyproject, shown(pyproject, folder)).data.get("tool")
    return isinstance(tool, dict) and "turgo" in tool


@lru_cache(maxsize=4)
def _has_none(content: bytes) -> bool:
    """Whether a pyproject.toml surely has no table of ours. Every run asks, and mostly of the same one."""
    if b"turgo" not in content:
        return True
    from turgo.config.toml_lines import content_of  # late: most runs have no file to read

    try:
        tool = content_of(content.decode("utf-8-sig")).get("tool")
    except ValueError:  # read_toml says it better
        return False
    return not (isinstance(tool, dict) and "turgo" in tool)


@lru_cache(maxsize=4)
def _platform_folder(kind: str, home: str | None) -> Path | None:
    """Where the platform keeps a user's files of a kind; None if the user has no home.

    Every run asks, and it takes as long as a hundred tasks.
    """
    import platformdirs  # here, so that a program that never asks for the configuration does not load it

    try:
        folder: Path = getattr(platformdirs, f"user_{kind}_path")("turgo", appauthor=False)
    except RuntimeError:  # of newer versions; older ones give a path that begins with `~`
        return None
    return folder if folder.is_absolute() else None
