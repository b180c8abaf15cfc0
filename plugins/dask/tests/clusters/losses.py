"""A flow of 500 tasks, run again and again while workers are killed: `python losses.py FOLDER SEED…`.

Prints a line of JSON for each run. Each execution of a task adds a line to a file, which so says what ran where and
when. Which workers are killed, and after how many executions, is drawn from the seed. Even seeds run on a temporary
cluster of the executor's, odd ones on a cluster that is there already and is configured as dask is by default.
"""

from __future__ import annotations

import faulthandler
import json
import logging
import os
import random
import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dask.config
import distributed

from turgo import flow, task, unmapped
from turgo.hooks import hookimpl
from turgo.records.flow_run import FlowRun
from turgo.records.states import TaskState
from turgo.records.task_run import TaskEvent
from turgo_dask import DaskExecutor

WIDTH, LARGE, LINKS, GROUPS = 150, 40, 100, 19
BLOCK = 100_000  # bytes: too large to come home
PAUSE = 0.003  # seconds that each task takes
MOST = 60.0  # seconds that one run may take


def note(log: str, label: str) -> None:
    """Write down that this call begins here and now; one write, so that lines of several processes stay whole."""
    with open(log, "a", buffering=1) as file:
        file.write(f"{label} {os.getpid()} {time.monotonic()}\n")
    time.sleep(PAUSE)


@task(crash_retries=20)
def source(number: int, log: str) -> int:
    note(log, f"source-{number}")
    return number


@task(crash_retries=20)
def double(number: int, log: str) -> int:
    note(log, f"double-{number}")
    return 2 * number


@task(crash_retries=20)
def block(number: int, log: str) -> bytes:
    note(log, f"block-{number}")
    return bytes([number]) * BLOCK


@task(crash_retries=20)
def digest(value: bytes, log: str) -> int:
    note(log, f"digest-{value[0]}")
    return sum(value)


@task(crash_retries=20)
def link(number: int, log: str) -> int:
    note(log, f"link-{number}")
    return number + 1


@task(crash_retries=20)
def group(number: int, values: list[int], log: str) -> int:
    note(log, f"group-{number}")
    return sum(values[number::GROUPS])


@task(crash_retries=20)
def total(sums: list[int], digests: list[int], last: int, log: str) -> int:
    note(log, "total-0")
    return sum(sums) + sum(digests) + last


@flow
def losses(log: str) -> Any:
    to = unmapped(log)
    doubled = double.map(source.map(range(WIDTH), to), to)
    digests = digest.map(block.map(range(LARGE), to), to)
    last: Any = 0
    for _ in range(LINKS):
        last = link(last, log)
    groups = [group(number, doubled, log) for number in range(GROUPS)]
    return total(groups, digests, last, log)


RESULT = sum(2 * number for number in range(WIDTH)) + sum(BLOCK * number for number in range(LARGE)) + LINKS


class Reported:
    """When the driver said of each task that it succeeded, by the label that the task itself notes."""

    def __init__(self) -> None:
        self._events: list[tuple[float, TaskEvent]] = []

    @hookimpl
    def turgo_task_events(self, run: FlowRun, events: Sequence[TaskEvent]) -> None:
        self._events += [(time.monotonic(), each) for each in events if each.state is TaskState.SUCCESS]

    @property
    def times(self) -> dict[str, float]:
        """Seconds by the clock of `note`. The nodes of a task that is not mapped count in the order of recording."""
        nodes: dict[str, set[int]] = {}
        for _, each in self._events:
            nodes.setdefault(each.task, set()).add(each.node)
        times: dict[str, float] = {}
        for when, each in self._events:
            first = sorted(nodes[each.task]).index(each.node) if each.low is None else each.low
            for number in range(first, first + each.count):
                times.setdefault(f"{each.task}-{number}", when)
        return times


class Killer(threading.Thread):
    """Kills workers of a cluster, each when so many calls have begun as the seed says."""

    def __init__(self, cluster: distributed.LocalCluster, log: Path, seed: int) -> None:
        super().__init__(daemon=True)
        draw = random.Random(seed)
        self.plan = [
            (begun, draw.random()) for begun in sorted(draw.sample(range(15, 400), 1 + seed // 2 % 2))
        ]
        self.cluster, self.log, self.over = cluster, log, threading.Event()
        self.killed: list[int] = []

    def run(self) -> None:
        """Kill as planned, until the run is over."""
        for begun, chance in self.plan:
            while self.log.read_bytes().count(b"\n") < begun or not (pids := self._alive()):
                if self.over.wait(0.005):
                    return
            pid = pids[int(chance * len(pids))]
            os.kill(pid, signal.SIGKILL)
            self.killed.append(pid)

    def _alive(self) -> list[int]:
        """The processes of the workers that the scheduler knows, in the order of their names.

        Not of one that is just starting: of such a death a nanny does not recover, and gives up.
        """
        known = set(self.cluster.scheduler.workers)
        nannies = [
            nanny for _, nanny in sorted(self.cluster.workers.items()) if nanny.worker_address in known
        ]
        return [nanny.pid for nanny in nannies if nanny.pid is not None and nanny.pid not in self.killed]


def run_once(
    seed: int, executor: DaskExecutor, cluster: distributed.LocalCluster, folder: Path
) -> dict[str, Any]:
    """One run while its killer is about; gives what is to be judged."""
    log = folder / f"{seed}.log"
    log.touch()
    reported, killer, began = Reported(), Killer(cluster, log, seed), time.monotonic()
    killer.start()
    run = losses.run(str(log), executor=executor, observers=[reported])
    seconds = time.monotonic() - began
    killer.over.set()
    killer.join()
    return {
        "seed": seed,
        "seconds": round(seconds, 2),
        "state": run.state,
        "error": str(run.error),
        "failed": [
            f"{each.label}: {each.state}, {each.error!r}" for each in run.task_runs if each.state.failed
        ],
        "right": run.ok and run.result == RESULT,
        "tasks": len(run.task_runs),
        "killed": killer.killed,
        "executions": [line.split() for line in log.read_text().splitlines()],
        "reported": reported.times,
    }


class Seen(distributed.LocalCluster):
    """A local cluster that can be found after the executor has made it."""

    last: Seen

    def __init__(self, **options: Any) -> None:
        type(self).last = self
        super().__init__(**options)


@contextmanager
def temporary() -> Iterator[tuple[DaskExecutor, distributed.LocalCluster]]:
    """A temporary cluster of the executor's own."""
    options = {"n_workers": 2, "threads_per_worker": 1}
    with DaskExecutor(cluster_class=Seen, cluster_kwargs=options, debug=False).start() as executor:
        yield executor, Seen.last


@contextmanager
def shared() -> Iterator[tuple[DaskExecutor, distributed.LocalCluster]]:
    """A cluster that is there already.

    By default it would look 15 s after each loss whether that worker is there, and close the nanny of one that has been
    killed again and is just starting.
    """
    with (
        dask.config.set({"distributed.deploy.lost-worker-timeout": "1 day"}),
        distributed.LocalCluster(
            n_workers=3,
            threads_per_worker=1,
            silence_logs=logging.CRITICAL,
            host="127.0.0.1",
            dashboard_address=None,
            worker_dashboard_address="127.0.0.1:0",
        ) as cluster,
        DaskExecutor(address=cluster.scheduler_address, debug=False).start() as executor,
    ):
        yield executor, cluster


def main(folder: str, seeds: list[int]) -> None:
    """Run with each seed."""
    for kind, parity in ((temporary, 0), (shared, 1)):
        with kind() as (executor, cluster):
            for seed in (seed for seed in seeds if seed % 2 == parity):
                faulthandler.dump_traceback_later(MOST, exit=True)
                print(json.dumps(run_once(seed, executor, cluster, Path(folder))), flush=True)
        faulthandler.cancel_dump_traceback_later()


if __name__ == "__main__":
    main(sys.argv[1], [int(seed) for seed in sys.argv[2:]])
