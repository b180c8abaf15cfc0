"""Tracebacks trimmed to the frames of whoever wrote the flow.

What stands between the flow and its task (the engine, the executor, the library behind it) is the same in
every failure and says nothing about it. Frames of other libraries stay: the error may well be theirs.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

HEADER = "Traceback (most recent call last):"
_FRAME = re.compile(r'\s*File "(?P<file>.+?)", line \d+')
_MACHINERY = re.compile(
    r"""(site|dist)-packages[/\\](turgo(_\w+)?|cloudpickle|pluggy|click)[/\\]"""
    r"""|python3\.\d+[/\\](concurrent[/\\]futures[/\\]|multiprocessing[/\\]|threading\.py|contextlib\.py|runpy\.py)"""
    r"""|<frozen (runpy|importlib\S*)>""",
    re.VERBOSE,
)
_PACKAGES = re.compile(r"turgo(_\w+)?")


def trim(text: str) -> str:
    """The text of a traceback without the frames of turgo, its plugins and what runs the calls.

    The parts of a chain ("During handling of …") are trimmed each for itself; one of which no frame is left
    keeps its last line only, the error. The text of exception groups stays as it is.
    """
    folders = _folders()
    lines: list[str] = []
    for block in _blocks(text):
        frame = _FRAME.match(block[0])
        if frame is None or not _is_machinery(frame["file"], folders):
            lines += block
    return "\n".join(line for at, line in enumerate(lines) if not _is_empty_header(lines, at))


def _folders() -> tuple[str, ...]:
    """Where the machinery is on this machine: an editable installation is in no site-packages."""
    packages = [module for name, module in list(sys.modules.items()) if _PACKAGES.fullmatch(name)]
    return tuple(f"{Path(folder)}/" for package in packages for folder in getattr(package, "__path__", ()))


def _is_machinery(file: str, folders: tuple[str, ...]) -> bool:
    return file.startswith(folders) or _MACHINERY.search(file) is not None


def _blocks(text: str) -> Iterator[list[str]]:
    """A frame with its source lines and marks, or any other line alone."""
    block: list[str] = []
    indent = 0
    for line in text.rstrip().splitlines():
        belongs = len(line) - len(line.lstrip()) > indent or line.lstrip().startswith("[Previous line")
        if block and _FRAME.match(block[0]) and belongs:
            block.append(line)
            continue
        if block:
            yield block
        block, indent = [line], len(line) - len(line.lstrip())
    if block:
        yield block


def _is_empty_header(lines: list[str], at: int) -> bool:
    following = lines[at + 1] if at + 1 < len(lines) else ""
    return lines[at].strip() == HEADER and not following.startswith(" ")
