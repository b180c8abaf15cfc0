"""What is open while a `DaskExecutor` is started: its cluster, a client of that, and what looks after the calls.

    opened() ──> Session ── client ──> the scheduler
                    ├── callbacks: one thread, in which the callbacks of futures run
                    ├── watch:     one thread, which sees workers come and go
                    └── overtime:  one thread, which kills calls that take too long; None where nothing can

All of it is closed on leaving, in the opposite order.
"""

from __future__ import annotations

import concurrent.futures
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import distributed

from penstock_dask import cluster as clusters
from penstock_dask.client import Client
from penstock_dask.connecting import Deadline, await_worker, is_adaptive
from penstock_dask.future import DaskFuture
from penstock_dask.leaving import leave
from penstock_dask.nesting import make_room
from penstock_dask.opening import dashboard_of, open_client, open_cluster
from penstock_dask.options import workers_timeout
from penstock_dask.overtime import Overtime
from penstock_dask.versions import check_newcomers, check_versions
from penstock_dask.watching import Watch

if TYPE_CHECKING:
    from penstock_dask.executor import DaskExecutor

_CLOSE_SECONDS = 2.0
"""How long the client may take to close."""

_LAST_SECONDS = 0.5
"""How long a temporary cluster may take, on leaving, to hear of calls that nobody wants any more."""


@contextmanager
def opened(executor: DaskExecutor) -> Iterator[Session]:
    """What the executor describes, open. Raises ExecutorStartError."""
    deadline = Deadline(executor.start_timeout)
    with ExitStack() as stack:
        live = open_cluster(executor, stack, deadline)
        callbacks = stack.enter_context(
            concurrent.futures.ThreadPoolExecutor(1, thread_name_prefix="penstock-dask-callbacks")
        )
        session = Session(executor, live, open_client(executor, live, deadline), callbacks)
        stack.callback(session.close_client)
        stack.enter_context(session.client.quiet())
        stack.enter_context(make_room(session.client))
        if not is_adaptive(live, executor.adapt_kwargs):
            await_worker(session.client, live, deadline)
        session.begin_watch(stack)
        session.begin_overtime(stack)
        session.check_versions()
        if executor.performance_report is not None:
            stack.enter_context(session.client.as_current())
            stack.enter_context(distributed.performance_report(filename=executor.performance_report))
        yield session


class Session:
    """One start of an executor.

    cluster: the live one; None where only an address is known. given_up: keys of calls that ran on when they
    were cancelled.
    """

    watch: Watch
    overtime: Overtime | None = None

    def __init__(
        self,
        executor: DaskExecutor,
        cluster: Any,
        client: Client,
        callbacks: concurrent.futures.ThreadPoolExecutor,
    ) -> None:
        self.executor, self.cluster, self.client, self.callbacks = executor, cluster, client, callbacks
        self.given_up: set[str] = set()

    @property
    def dashboard_link(self) -> str | None:
        """Where the dashboard is; None if there is none."""
        return dashboard_of(self.client, self.cluster)

    @property
    def slots(self) -> int:
        """Threads of all workers now; at least 1."""
        if self.cluster is None:
            return self.watch.slots
        workers = list(self.cluster.scheduler_info["workers"].values())  # it keeps this up to date by itself
        return max(1, sum(int(worker["nthreads"]) for worker in workers))

    @property
    def _runs_what_runs_here(self) -> bool:
        """Whether versions need no comparison: a LocalCluster is made of this very Python."""
        return isinstance(self.cluster, distributed.LocalCluster)

    def begin_watch(self, stack: ExitStack) -> None:
        """Watch the cluster until `stack` is left, and tell that it is there."""
        self.watch = Watch(
            self.client,
            resources_timeout=self.executor.resources_timeout,
            workers_timeout=workers_timeout(self.executor),
            scheduler_timeout=self.executor.scheduler_timeout,
            inspect=self._inspect,
            fail=self._fail,
        )
        self.watch.start()
        stack.callback(self.watch.stop)
        link = self.dashboard_link
        seen = f", to be watched at {link}" if link else ""
        count = len(self.watch.workers)
        workers = f"{count} {'worker' if count == 1 else 'workers'}"
        message = f"dask: {workers} at {self.client.scheduler.address}{seen}"
        self.watch.tell("dashboard" if link else "started", message, link=link)

    def begin_overtime(self, stack: ExitStack) -> None:
        """Kill calls that take too long until `stack` is left, where the executor can."""
        if "hard_timeouts" not in self.executor.capabilities:
            return
        processes = partial(clusters.worker_processes, self.cluster)
        self.overtime = Overtime(self.client, processes, self.watch.tell)
        self.overtime.start()
        stack.callback(self.overtime.stop)

    def check_versions(self) -> None:
        """Compare versions, and tell what differs. Raises ExecutorStartError for what breaks pickling."""
        if self._runs_what_runs_here:
            return
        packages, seconds = self.executor.check_packages, self.executor.start_timeout
        for difference in check_versions(self.client, packages, seconds):
            self.watch.tell("versions_differ", f"dask: {difference}")

    def _inspect(self, newcomers: list[str]) -> list[str]:
        if self._runs_what_runs_here:
            return []
        return check_newcomers(self.client, self.executor.check_packages, newcomers)

    def _fail(self, futures: Sequence[DaskFuture], error: Exception) -> None:
        """Give up calls that wait for what will not come."""
        for future in futures:
            future.verdict = error
        self.client.cancel(list(futures))

    def close_client(self) -> None:
        """Take leave of the cluster, and close the client."""
        temporary = self.cluster is not None and self.cluster is not self.executor.cluster_class
        try:
            leave(self.client, stays=not temporary, patience=_LAST_SECONDS, given_up=self.given_up)
        finally:
            self.client.close(timeout=_CLOSE_SECONDS)
