"""A driver that is killed at any moment loses nothing that was written: the same command finishes the rest.

KILLED_DRIVERS=50 makes as many kills on each executor instead of one.
"""

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from turgo.journal.archive import Archive
from turgo.journal.folder import RunFolder

SEEDS = int(os.environ.get("KILLED_DRIVERS", "1"))
WIDTH, LENGTH = 600, 190

FLOW = f"""
import os, time
from turgo import case, current, flow, merge, task

def note(*call):
    with open("calls", "ab", buffering=0) as file:
        file.write((" ".join(map(str, call)) + "\\n").encode())
    time.sleep(0.001)

@task
def load(number):
    note("load", number)
    return {{"load": number}}

@task(retries=1)
def flaky(row):
    number = row["load"]
    if number % 7 == 0 and current().attempt == 1:
        raise ConnectionError(number)
    note("flaky", number)
    return {{"flaky": number}}

@task
def link(row, number):
    note("link", number)
    return {{"link": number, "sum": row.get("sum", 0) + number}}

@task
def many(rows):
    return len(rows) > 10

@task
def total(rows, *more):
    note("total", 0)
    return sum(row["flaky"] for row in rows) + sum(row["sum"] for row in more)

@flow
def work():
    rows = flaky.map(load.map(range({WIDTH})))
    again = flaky.with_options(name="other").map(load.map(range({WIDTH}, 2 * {WIDTH})))
    row = {{"sum": 0}}
    for number in range({LENGTH}):
        row = link(row, number)
    with case(many(rows), True):
        left = link(row, {LENGTH})
    with case(many(rows), False):
        right = link(row, {LENGTH + 1})
    return total(rows, row, merge(left, right)), total(again)
"""
RESULT = (
    WIDTH * (WIDTH - 1) // 2 + sum(range(LENGTH)) + sum(range(LENGTH + 1)),
    sum(range(WIDTH, 2 * WIDTH)),
)
OPTIONS = {
    "local": ["-e", "local"],
    "processes": ["-e", "local_dask", "-o", "scheduler=processes", "-o", "num_workers=2"],
    "dask": ["-e", "dask", "-o", "cluster_kwargs={n_workers = 2, threads_per_worker = 1}"],
}


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "turgo", "run", "-q", "work.py", *arguments]


def calls(folder: Path) -> Counter[str]:
    """How often each call has been executed, as it says itself."""
    file = folder / "calls"
    return Counter(file.read_text().splitlines() if file.exists() else [])


def journalled(folder: RunFolder) -> set[str]:
    """The calls whose values are in the journal, as their values say."""
    earlier = Archive(folder)
    found = set()
    for identity in list(earlier._places):
        while (taken := earlier.take(identity)) is not None:
            if isinstance(taken[0], dict):
                found.update(f"{name} {number}" for name, number in list(taken[0].items())[:1])
    return found


def in_session(session: int) -> list[int]:
    """The processes of a session that are not over."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split() if entry.name.isdigit() else []
        except OSError:  # it ended meanwhile
            continue
        if fields and int(fields[3]) == session and fields[0] != "Z":
            found.append(int(entry.name))
    return found


def wait_until(condition, seconds: float) -> bool:
    """Whether it holds before the time is over."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


@pytest.mark.cluster
@pytest.mark.slow
@pytest.mark.parametrize("seed", range(SEEDS))
@pytest.mark.parametrize("first", ["local", pytest.param("processes", marks=pytest.mark.matrix), "dask"])
def test_no_journalled_call_is_executed_again(tmp_path: Path, first: str, seed: int) -> None:
    """The driver is killed at a random moment; another one goes on, for half of the seeds on another executor."""
    (tmp_path / "work.py").write_text(FLOW)
    chance = random.Random(f"{first} {seed}")
    others = [name for name in OPTIONS if name != first]
    second = first if chance.random() < 0.5 else chance.choice(others)
    least = chance.randrange(1, 2 * WIDTH)
    with subprocess.Popen(
        command(*OPTIONS[first]),
        cwd=tmp_path,
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as driver:
        assert wait_until(lambda: driver.poll() is not None or calls(tmp_path).total() > least, 120)
        os.kill(driver.pid, signal.SIGKILL)
    assert wait_until(lambda: not in_session(driver.pid), 90), "processes of the killed driver are left"
    (path,) = (Path(os.environ["XDG_STATE_HOME"]) / "turgo" / "runs").iterdir()
    kept, before = journalled(RunFolder(path)), calls(tmp_path)
    assert kept <= before.keys()

    done = subprocess.run(
        command(*OPTIONS[second], f"--resume={path.name}"),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{RESULT}\n"
    again = {call for call, count in (calls(tmp_path) - before).items() if count}
    assert not again & kept
    assert (calls(tmp_path) - before).total() <= 2 * WIDTH * 2 + LENGTH + 4 - len(kept)
