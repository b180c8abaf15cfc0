"""What standard error holds that no user should have to read: lines of libraries, tracebacks through our own code."""

from __future__ import annotations

import re
from collections.abc import Sequence

PACKAGES = r"(turgo|turgo_\w+|distributed|dask|tornado|asyncio|multiprocessing|concurrent|threading|pluggy)"

COLOURS = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")

NOISE = {
    "a frame of a library": re.compile(rf'File ".*[/\\]{PACKAGES}([/\\][^"]*)?(\.py)?", line'),
    "an error that nobody retrieved": re.compile(r"exception was never retrieved|was never awaited"),
    "a task that was destroyed": re.compile(r"Task was destroyed|Event loop is closed"),
    "what was leaked": re.compile(r"leaked \w+ objects|resource_tracker"),
    "an error that was ignored": re.compile(r"Exception ignored|Exception in thread|Error in atexit"),
    "a log line of a library": re.compile(
        r"(^|\s)(distributed|tornado|asyncio)\.\w+.* - |(INFO|WARNING|ERROR):(distributed|tornado|asyncio)"
    ),
    "a warning of Python": re.compile(r"\w+Warning: "),
    "a crash of the interpreter": re.compile(r"Fatal Python error|Segmentation fault"),
}


def noise(text: str, users: Sequence[str] = ()) -> list[str]:
    """Each kind of noise in it, with the first line of it. users: parts of lines that are the user's own doing."""
    found: dict[str, str] = {}
    for line in COLOURS.sub("", text).splitlines():
        if any(part in line for part in users):
            continue
        for kind, pattern in NOISE.items():
            if pattern.search(line):
                found.setdefault(kind, line.strip()[:200])
    return [f"{kind}: {line}" for kind, line in found.items()]
