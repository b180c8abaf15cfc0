"""Processes by the variable that all inherit which a run has started; read from /proc."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

MARK = "RUN_OF_FAULTS"
"""The variable; it holds the folder of the run."""

CLUSTER_MARK = "CLUSTER_OF_FAULTS"
"""That of a cluster which runs already."""


_LISTENS = "0A"


SHORTEST_SECONDS, LONGEST_SECONDS = 0.05, 0.5
"""From one look at all processes to the next."""


WORKER_TITLE = "dask worker ["
"""How a worker of a cluster calls itself where setproctitle is installed; its nanny goes by its command."""


class Process(NamedTuple):
    """One of them: its id, its parent's, and its command."""

    pid: int
    parent: int
    command: str


def marked(value: str, mark: str = MARK) -> list[Process]:
    """All that have the mark and are not over."""
    wanted = f"{mark}={value}".encode()
    return [each for each in _all() if wanted in _environment(each.pid)]


def workers(value: str, mark: str = MARK) -> list[int]:
    """The processes among them that execute calls, in the order of their ids."""
    found = [
        each
        for each in marked(value, mark)
        if "spawn_main" in each.command or each.command.startswith(WORKER_TITLE)
    ]
    return sorted(each.pid for each in found)


def alive(pid: int) -> bool:
    """Whether it is there and not over."""
    return _process(pid) is not None


def listening(pid: int) -> set[str]:
    """The ports at which a process listens, or hears datagrams."""
    inodes = set()
    with suppress(OSError):
        for entry in Path(f"/proc/{pid}/fd").iterdir():
            with suppress(OSError):
                inodes.add(str(entry.readlink()).removeprefix("socket:[").rstrip("]"))
    return {port for inode, port in _ports() if inode in inodes}


def _ports() -> Iterator[tuple[str, str]]:
    for kind in ("tcp", "tcp6", "udp", "udp6"):
        with suppress(OSError):
            for line in Path(f"/proc/net/{kind}").read_text().splitlines()[1:]:
                fields = line.split()
                if kind.startswith("udp") or fields[3] == _LISTENS:
                    yield fields[9], f"{kind} {int(fields[1].rpartition(':')[2], 16)}"


def kill(pids: list[int], number: int = signal.SIGKILL) -> None:
    """Send a signal to those that are there."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def until(happened: Callable[[], Any], seconds: float) -> bool:
    """Whether it happens in that time."""
    end, pause = time.monotonic() + seconds, SHORTEST_SECONDS
    while not happened():
        if time.monotonic() > end:
            return False
        time.sleep(pause)
        pause = min(2 * pause, LONGEST_SECONDS)
    return True


def _all() -> Iterator[Process]:
    for entry in os.listdir("/proc"):
        if entry.isdigit() and (found := _process(int(entry))) is not None:
            yield found


def _process(pid: int) -> Process | None:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return None
    return None if fields[0] in "ZX" else Process(pid, int(fields[1]), command)


def _environment(pid: int) -> list[bytes]:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return []
