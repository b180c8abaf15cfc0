"""The scratch folder of a temporary local cluster: where its workers spill, for as long as it is up.

    scratch_folder() ──> the folder, locked ··· left ──> removed by the process that made it
                    └──> a shell, which waits for the end of that process ··· killed ──> removed by the shell
    the next cluster ──> removes what is not locked any more, as after a kill of both

Distributed keeps one folder for all clusters of a machine, and leaves its own files in it.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import dask

SCRATCH_PREFIX = "turgo-dask-scratch-space-"
"""How its name begins. Distributed makes another folder within one whose name does not say `dask-scratch-space`."""

FRESH_SECONDS = 60.0
"""One that is younger may not be locked yet."""

SHELL = "/bin/sh"

KEEPER_CODE = 'trap "" HUP INT TERM; cat; for each in 1 2 3 4 5 6; do rm -rf "$1"; sleep 0.5; done'
"""Removes the folder once its standard input ends; more than once, as workers that end then may just make files."""


@contextmanager
def scratch_folder(cluster_kwargs: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The keywords of a LocalCluster with a folder of its own for what it spills, unless its user has named one.

    It is removed on leaving, by the process that made it and no child of that, and also if that process is killed.
    """
    options = dict(cluster_kwargs)
    if "local_directory" in options or dask.config.get("temporary-directory", None):
        yield options
        return
    _remove_leftovers(tempfile.gettempdir())
    folder, process = tempfile.mkdtemp(prefix=SCRATCH_PREFIX), os.getpid()
    with ExitStack() as stack:
        try:
            _lock(folder, stack)
            _keep(folder, stack, process)
            of_scheduler = {"local_directory": folder, **(options.get("scheduler_kwargs") or {})}
            yield {**options, "local_directory": folder, "scheduler_kwargs": of_scheduler}
        finally:
            if os.getpid() == process:
                shutil.rmtree(folder, ignore_errors=True)


def _keep(folder: str, stack: ExitStack, process: int) -> None:
    """Have a shell remove the folder if this process ends without leaving the block."""
    if sys.platform == "win32" or not os.path.exists(SHELL):
        return
    reading, writing = os.pipe()
    try:
        keeper = subprocess.Popen(
            [SHELL, "-c", KEEPER_CODE, SHELL, folder],
            stdin=reading,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError:  # there is no room for a process; the next cluster removes the folder
        os.close(writing)
        return
    finally:
        os.close(reading)
    keeper.returncode = 0  # at the end of the program nobody waits for it, and nobody complains of that
    stack.callback(_dismiss, keeper.pid, writing, process)


def _dismiss(keeper: int, writing: int, process: int) -> None:
    os.close(writing)
    if os.getpid() == process:
        with suppress(OSError):
            os.kill(keeper, signal.SIGKILL)
            os.waitpid(keeper, 0)


def _lock(folder: str, stack: ExitStack) -> None:
    """Lock the folder for as long as this process lives, or one that it forks."""
    if sys.platform == "win32":
        return
    import fcntl  # not on Windows

    opened = os.open(folder, os.O_RDONLY)
    stack.callback(os.close, opened)
    with suppress(OSError):  # some file systems lock nothing
        fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _remove_leftovers(place: str) -> None:
    """Remove the folders of this user that nobody has locked."""
    if sys.platform == "win32":
        return
    for folder in Path(place).glob(f"{SCRATCH_PREFIX}*"):
        with suppress(OSError):
            facts = folder.lstat()
            mine = facts.st_uid == os.getuid() and not folder.is_symlink()
            if mine and time.time() - facts.st_mtime > FRESH_SECONDS and _unlocked(folder):
                shutil.rmtree(folder, ignore_errors=True)


def _unlocked(folder: Path) -> bool:
    import fcntl  # not on Windows

    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    finally:
        os.close(opened)
    return True
