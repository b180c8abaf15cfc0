"""The serial price of a submission to dask, of the driver and of the scheduler apart.

Driver, scheduler and two workers are processes of their own here. What is measured is the time of the processor that
the driver and the scheduler spend, for each of many no-ops that are submitted as so many tasks of dask: nothing of it
overlaps within its process. Slots that are to stay busy need batches that are worth more than that.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from distributed import Client
from distributed.deploy.subprocess import SubprocessCluster

from benchmarks import work
from benchmarks.clusters import WORKERS
from benchmarks.rows import Row
from turgo import flow
from turgo_dask import DaskExecutor

SUBJECT = "submission"
unbatched_task = work.noop_task.with_options(batch=False)


@flow
def unbatched(n: int) -> Any:
    """n no-ops, each of which is a submission of its own."""
    return unbatched_task.map(range(n))


def rows(quick: bool) -> Iterator[Row]:
    """By `client.submit`, by one `client.map`, and by turgo where each call is a submission; then batched."""
    n = 500 if quick else 2_000
    with _apart() as client, DaskExecutor(address=client.scheduler.address).start() as executor:
        ways: dict[str, Callable[[], Any]] = {
            "client.submit of each": lambda: client.gather(
                [client.submit(work.noop, at, pure=False) for at in range(n)]
            ),
            "one client.map": lambda: client.gather(client.map(work.noop, range(n), pure=False)),
            "turgo, batch=False": lambda: unbatched.run(n, executor=executor).result,
            "turgo": lambda: work.mapped.run(n, executor=executor).result,
        }
        for way in ways.values():
            way()  # connections are open, modules are imported
        for name, way in ways.items():
            yield _row(name, n, *min(_spent(client, way) for _ in range(2 if quick else 4)))


@contextmanager
def _apart() -> Iterator[Client]:
    workers = {"nthreads": 1, "host": "127.0.0.1", "dashboard": False}
    with (
        SubprocessCluster(
            host="127.0.0.1",
            dashboard_address="127.0.0.1:0",
            worker_class="distributed.Worker",
            n_workers=WORKERS,
            threads_per_worker=1,
            worker_kwargs=workers,
            silence_logs=50,
        ) as cluster,
        Client(cluster, set_as_default=False) as client,
    ):
        client.wait_for_workers(WORKERS)
        yield client


def _spent(client: Client, way: Callable[[], Any]) -> tuple[float, float, float]:
    """Seconds of the processor that driver and scheduler spent, their sum first."""
    scheduler, driver = client.run_on_scheduler(time.process_time), time.process_time()
    way()
    driver = time.process_time() - driver
    scheduler = client.run_on_scheduler(time.process_time) - scheduler
    return driver + scheduler, driver, scheduler


def _row(name: str, n: int, both: float, driver: float, scheduler: float) -> Row:
    return Row(
        subject=SUBJECT,
        what=f"{n:,} no-ops, {name}: processor time of the driver, beside that of the scheduler",
        ours_us=driver / n * 1e6,
        theirs_us=scheduler / n * 1e6,
        theirs_name="scheduler",
        ratio=both / n * 1e3,
        unit="ms",
        figures={"driver_seconds": driver, "scheduler_seconds": scheduler, "calls": n},
    )
