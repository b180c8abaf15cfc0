"""Finds the error of a process that could not start as worker.

A nanny knows only that its process has ended. So one more process is started as it was, which imports the program and
does nothing else, and what it prints is read.
"""

from __future__ import annotations

import pickle
import subprocess
import sys
from multiprocessing import spawn, util
from typing import Any

CHECK_SECONDS = 20.0
"""How long the process may take to import the program."""

_CODE = """
import pickle, sys
from multiprocessing import process, spawn
process.current_process()._inheriting = True  # as in a worker, so that none is started from there
spawn.prepare(pickle.load(sys.stdin.buffer))
"""


def start_failure() -> str | None:
    """Why a process that imports this program ends before it runs anything, in a sentence; None if it does not."""
    prepared: dict[str, Any] = spawn.get_preparation_data("turgo-dask-check")
    prepared.pop("authkey", None)  # it is not pickled for anybody else
    flags = util._args_from_interpreter_flags()  # type: ignore[attr-defined]
    try:
        done = subprocess.run(
            [sys.executable, *flags, "-c", _CODE],
            input=pickle.dumps(prepared),
            capture_output=True,
            timeout=CHECK_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    if done.returncode == 0:
        return None
    lines = done.stderr.decode(errors="replace").strip().splitlines() or ["it printed nothing"]
    code = done.returncode
    how = f"exit code {code}" if code > 0 else f"signal {-code}"
    return (
        f"a process that imports this program, as each worker does, ends with {how}: {lines[-1]}. What only the "
        'program itself is to do belongs behind `if __name__ == "__main__":`'
    )
