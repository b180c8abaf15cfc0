"""What becomes of threads on a free-threaded build of Python: `python tools/free_threads.py`.

Says of each module that turgo or `local_dask` imports whether it turns the interpreter's lock on again, as an extension
does that does not declare that it needs none; then how much quicker two threads of `local_dask` are than one with work
of Python's own. On an ordinary build the lock is on, and two threads take as long as one.
"""

from __future__ import annotations

import subprocess
import sys
import time

from turgo import flow, get_executor, task

MODULES = (
    "turgo.runner",
    "turgo.cli.root",
    "turgo_local.executor",
    "turgo_local_dask.executor",
    "psutil",
    "yaml",
)
CALLS, LIMIT = 4, 3_000_000
HAS_LOCK = """
import importlib, sys, warnings
warnings.simplefilter("ignore")
importlib.import_module(sys.argv[1])
print(getattr(sys, "_is_gil_enabled", lambda: True)())
"""


@task
def count(limit: int) -> int:
    """Work that holds the lock where there is one."""
    total = 0
    for number in range(limit):
        total += number % 7
    return total


@flow
def counts(calls: int, limit: int) -> object:
    """So many calls of it."""
    return count.map([limit] * calls)


def has_lock(module: str) -> bool:
    """Whether a process that has imported a module has the lock."""
    command = [sys.executable, "-c", HAS_LOCK, module]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip() == "True"


def seconds(threads: int) -> float:
    """How long the calls take on so many threads."""
    with get_executor("local_dask", num_workers=threads).start() as executor:
        counts.run(calls=threads, limit=1, executor=executor)
        began = time.perf_counter()
        run = counts.run(calls=CALLS, limit=LIMIT, executor=executor)
        assert run.ok, run.error
        return time.perf_counter() - began


if __name__ == "__main__":
    for module in ("sys", *MODULES):
        print(f"{module}: the lock is {'on' if has_lock(module) else 'off'}")
    one, two = seconds(1), seconds(2)
    print(f"{CALLS} calls: {one:.2f} s on one thread, {two:.2f} s on two, {one / two:.2f} times as quick")
