"""What is left after many runs, and after many calls: threads, children, open files and memory.

Each runs in a process of its own. The variable `TEST_MATRIX=full` asks for as many as the project promises; every day
a part of them has to do.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

FULL = os.environ.get("TEST_MATRIX") == "full"
RUNS = 100 if FULL else 20
CALLS = 200_000 if FULL else 20_000
CEILING = 160 * 2**20  # bytes of each process, the driver with its records among them

MEASURE = """
import gc, json, os, sys, threading
from pathlib import Path
from turgo import flow, task
from turgo_local_dask import LocalDaskExecutor

def children():
    found = set()
    for file in Path("/proc/self/task").glob("*/children"):
        found |= set(file.read_text().split())
    return found

def resident(pid="self"):
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

def census():
    gc.collect()
    return {"threads": threading.active_count(), "children": len(children()),
            "files": len(os.listdir("/proc/self/fd")), "bytes": resident()}

@task
def plus_one(number):
    return number + 1

@flow
def numbers(count):
    return plus_one.map(range(count))
"""

LOOP = """
def main():
    executor = LocalDaskExecutor(sys.argv[1], num_workers=2)
    for run in range(5 + int(sys.argv[2])):
        assert numbers.run(count=40, executor=executor).result == list(range(1, 41))
        if run == 4:
            fifth = census()
    print(json.dumps([fifth, census()]))
"""

SOAK = """
def main():
    executor = LocalDaskExecutor("processes", num_workers=2)
    with executor.start():
        assert sum(numbers.run(count=int(sys.argv[1]), executor=executor).result) > 0
        workers = [resident(pid) for pid in children()]
    print(json.dumps([*workers, resident()]))
"""


def measured(tmp_path: Path, body: str, *arguments: object) -> Any:
    """What a script that measures itself prints."""
    script = tmp_path / "measure.py"
    script.write_text(f'{MEASURE}{body}\nif __name__ == "__main__":\n    main()\n')
    command = [sys.executable, str(script), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    "scheduler",
    ["threads", *(pytest.param(each, marks=pytest.mark.matrix) for each in ("processes", "synchronous"))],
)
def test_a_hundred_runs_leave_what_five_leave(scheduler: str, tmp_path: Path) -> None:
    """Each run opens the executor and closes it: threads, children and files are as many, memory within a tenth."""
    fifth, last = measured(tmp_path, LOOP, scheduler, RUNS - 5)
    before, after = fifth.pop("bytes"), last.pop("bytes")
    assert last == fifth
    assert after <= 1.1 * before


@pytest.mark.slow
def test_many_small_calls_stay_below_the_ceiling(tmp_path: Path) -> None:
    """200,000 calls in processes: no process comes to hold more than the ceiling that the documentation states."""
    sizes = measured(tmp_path, SOAK, CALLS)
    assert len(sizes) >= 3
    assert max(sizes) <= CEILING
