"""Many runs in many threads of one process at once, as a free-threaded build runs them side by side."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import threading
from pathlib import Path

from turgo import flow, task
from turgo_local_dask import LocalDaskExecutor

FIRST_RUNS = """
import logging, threading

begin, problems = threading.Barrier(6), []


def runs(number):
    begin.wait(timeout=60)
    from turgo import current, flow, task  # by all threads at once
    from turgo_local_dask import LocalDaskExecutor

    @task(retries=1)
    def unsteady(value):
        if value % 50 == 7 and current().attempt == 1:
            raise ValueError(value)
        return value

    @task(log_prints=True)
    def says(value):
        print("said", value)
        logging.getLogger("flows").warning("%d", value)
        return value

    @task
    def total(*columns):
        return sum(map(sum, columns))

    @flow
    def many():
        return total(unsteady.map(range(300)), says.map(range(20)))

    executors = ["local", LocalDaskExecutor("threads", num_workers=3)]
    for executor in executors:
        run = many.run(executor=executor)
        lines = sum(len(each.logs) for each in run.task_runs)
        if not run.ok or run.result != 299 * 150 + 190 or lines != 40:
            problems.append((number, executor, run.error, lines))


logging.getLogger("turgo.task").setLevel(logging.INFO)
logging.getLogger().addHandler(logging.NullHandler())
threads = [threading.Thread(target=runs, args=(number,)) for number in range(6)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert not problems, problems
print("all")
"""


def test_the_first_runs_of_a_process_may_begin_in_many_threads_at_once(tmp_path: Path) -> None:
    """Each has its values, its retries and all of its lines, as if it were alone."""
    script = tmp_path / "first_runs.py"
    script.write_text(textwrap.dedent(FIRST_RUNS))
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, timeout=180)
    assert (done.stdout, done.returncode) == ("all\n", 0), done.stderr


@task
def same(value: int) -> int:
    return value


@flow
def tiny(count: int) -> object:
    return [same(number) for number in range(count)]


def test_runs_in_many_threads_share_an_executor() -> None:
    """Each gets the values of its own thousand calls."""
    found: list[object] = []
    with LocalDaskExecutor("threads", num_workers=4).start() as executor:
        threads = [
            threading.Thread(target=lambda: found.append(tiny.run(count=1_000, executor=executor).result))
            for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert found == [list(range(1_000))] * 4
