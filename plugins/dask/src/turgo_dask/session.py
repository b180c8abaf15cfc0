"""What is open while a `DaskExecutor` is started: cluster, client, and supervision.

    opened() ──> Session ── client ──> the scheduler
                    ├── callbacks: one thread, in which the callbacks of futures run
                    ├── watch:     one thread, which sees workers come and go
                    └── hard_timeouts: one thread, which kills calls that take too long; None where it cannot

All of it is closed on leaving, in the opposite order.
"""

from __future__ import annotations

import concurrent.futures
import logging
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from typing import Any

import distributed
from distributed.deploy import SpecCluster

from turgo.executor import Growth
from turgo.safe_path import safe_path
from turgo_dask.calls.deaths import ALL_EVENTS, Deaths, lease
from turgo_dask.calls.future import DaskFuture
from turgo_dask.calls.once import forget
from turgo_dask.cluster import local as clusters
from turgo_dask.cluster.deadline import Deadline
from turgo_dask.cluster.live import is_adaptive
from turgo_dask.cluster.nanny import kill_with_descendants
from turgo_dask.cluster.open import open_cluster
from turgo_dask.cluster.signals import at_exit
from turgo_dask.connection.bunches import Bunches
from turgo_dask.connection.client import Client, dashboard_of
from turgo_dask.connection.connect import await_worker, open_client
from turgo_dask.connection.leave import leave
from turgo_dask.connection.offload import renew_offload
from turgo_dask.connection.secede import seceded
from turgo_dask.connection.told import Told
from turgo_dask.connection.versions import check_newcomers, check_versions
from turgo_dask.options import DaskOptions, capabilities_of
from turgo_dask.quiet import filtered
from turgo_dask.slots.held import HeldSlots, telling
from turgo_dask.supervision.events import Events
from turgo_dask.supervision.growth import growth_of
from turgo_dask.supervision.hard_timeouts import HardTimeouts
from turgo_dask.supervision.resources import planned_resources, present_resources
from turgo_dask.supervision.watch import Watch

logger = logging.getLogger("turgo_dask")

LEASE_SECONDS = 10.0
"""How long the scheduler may take to install a plugin."""

CLIENT_CLOSE_SECONDS = 2.0
"""How long the client may take to close."""

LAST_CANCEL_SECONDS = 0.5
"""How long the cancelling of pending calls may take on a temporary cluster."""


@contextmanager
def opened(options: DaskOptions, events: Events) -> Iterator[Session]:
    """What the options describe, open. events: takes what happens from the start on. Raises ExecutorStartError."""
    deadline = Deadline(options.start_timeout, events.starting)
    renew_offload()
    with ExitStack() as stack:
        quiet = stack.enter_context(filtered(options.log_level))
        stack.enter_context(safe_path())
        with quiet.starting():
            live = open_cluster(
                stack,
                deadline,
                cluster_class=options.cluster_class,
                cluster_kwargs=options.cluster_kwargs or {},
                adapt_kwargs=options.adapt_kwargs,
                security=options.security,
            )
            if options.temporary:
                quiet.add_loop(getattr(live, "loop", None))
        callbacks = stack.enter_context(
            concurrent.futures.ThreadPoolExecutor(1, thread_name_prefix="turgo-dask-callbacks")
        )
        with quiet.starting():
            client = open_client(
                live,
                deadline,
                address=options.address,
                scheduler_file=options.scheduler_file,
                client_kwargs=options.connection_kwargs,
                security=options.security,
            )
            if live is None:
                quiet.add_loop(client.loop)
        session = Session(options, live, client, callbacks, events)
        stack.push(session.close_client)
        stack.enter_context(session.client.quiet())
        stack.enter_context(seceded(session.client))
        if not is_adaptive(live, options.adapt_kwargs):
            await_worker(session.client, live, deadline)
        session.begin_watch(stack)
        session.take_lease()
        session.begin_overtime(stack)
        session.check_versions()
        stack.enter_context(
            at_exit(partial(session.end_at_exit, stack), forked=partial(session.abandon, stack))
        )
        if options.performance_report is not None:
            stack.enter_context(session.client.as_current())
            stack.enter_context(distributed.performance_report(filename=options.performance_report))
        try:
            yield session
        finally:
            if os.getpid() != session.process:
                session.abandon(stack)


class Session:
    """One start of an executor.

    cluster: the live one; None where only an address is known. given_up: keys of calls that still ran when they
    were cancelled. begun: keys of calls that the scheduler is to let begin once. deaths: the workers that died.
    process: in which it is open.
    """

    watch: Watch
    hard_timeouts: HardTimeouts | None = None
    _undone: ExitStack | None = None

    def __init__(
        self,
        options: DaskOptions,
        cluster: Any,
        client: Client,
        callbacks: concurrent.futures.ThreadPoolExecutor,
        events: Events,
    ) -> None:
        self.process = os.getpid()
        self.options = options
        self.cluster = cluster
        self.client = client
        self.callbacks = callbacks
        self.events = events
        self.given_up: set[str] = set()
        self.begun: list[str] = []
        self.bunches = Bunches(client)
        self.told = Told(client)
        self.deaths = Deaths(self._is_over)
        self.held = HeldSlots(
            client,
            self.bunches,
            lambda: self.slots,
            self.told.came,
            self.deaths,
            queues=lambda: self.growth is None,
        )
        self.told.on_event = self.held.heard
        client.on_end = self.held.ended

    @property
    def dashboard_link(self) -> str | None:
        """Where the dashboard is; None if there is none."""
        return dashboard_of(self.client, self.cluster)

    @property
    def slots(self) -> int:
        """Threads of all workers now; at least 1."""
        return self.watch.slots if self.cluster is None else max(1, sum(self._threads()))

    @property
    def growth(self) -> Growth | None:
        """What lets the cluster grow, if it adapts to the work and anybody here knows of it."""
        return growth_of(self.cluster, self.options.adapt_kwargs, self._threads)

    def _threads(self) -> list[int]:
        """Those of each worker that is there, by the cluster, which keeps this up to date by itself."""
        workers = list(self.cluster.scheduler_info["workers"].values())
        return [int(worker["nthreads"]) for worker in workers]

    def offered_resources(self) -> frozenset[str] | None:
        """What the workers offer and those to come will offer; None as long as nobody can know."""
        there = self.client.sync(self.client.scheduler.identity, n_workers=-1)["workers"]
        planned = planned_resources(self.cluster)
        grows = self.cluster is not None and (
            bool(self.options.adapt_kwargs)
            or getattr(self.cluster, "_adaptive", None) is not None
            or len(there) < len(getattr(self.cluster, "plan", None) or ())
        )
        if planned is None and (grows or not there):
            return None
        return present_resources(there) | (planned or frozenset())

    @property
    def capabilities(self) -> frozenset[str]:
        """What the executor can do with the cluster that is there."""
        if not (self.options.temporary and isinstance(self.cluster, distributed.LocalCluster)):
            return self.options.capabilities
        nannied = clusters.has_nannies(self.cluster)
        return capabilities_of(in_process=not nannied, killable=nannied)

    @property
    def _runs_what_runs_here(self) -> bool:
        """Whether versions need no comparison: a LocalCluster is made of this very Python."""
        return isinstance(self.cluster, distributed.LocalCluster)

    def _is_over(self, key: str) -> bool:
        """Whether a call is known to be over, and no other one runs in its slot."""
        return self.told.has_come(key) and not self.held.is_busy(key)

    def hold(self) -> None:
        """Have calls tell what they come to, and hold their slots, from now on. Without effect if they do."""
        self.told.open()
        if self.told.topic is not None and "distributed" in self.capabilities:
            self.held.open(self.told.topic, self.watch.workers)

    def telling(
        self, key: str, fn: Callable[..., Any], args: tuple[Any, ...]
    ) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        """The call that tells what the call of `fn` returns, if calls do."""
        return (fn, args) if self.told.topic is None else telling(self.told.topic, key, fn, args)

    def begin_watch(self, stack: ExitStack) -> None:
        """Watch the cluster until `stack` is left, and report that it is there."""
        self.watch = Watch(
            self.client,
            report=self.events.report,
            resources_timeout=self.options.resources_timeout,
            workers_timeout=self.options.workers_timeout,
            scheduler_timeout=self.options.scheduler_timeout,
            inspect=self._inspect,
            fail=self._fail,
            deaths=self.deaths,
        )
        self.client.subscribe_topic(ALL_EVENTS, self._heard)
        stack.callback(self._hear_no_more)
        self.watch.start()
        stack.callback(self.watch.stop)
        link = self.dashboard_link
        seen = f", to be watched at {link}" if link else ""
        count = len(self.watch.workers)
        workers = f"{count} {'worker' if count == 1 else 'workers'}"
        message = f"dask: {workers} at {self.client.scheduler.address}{seen}"
        self.events.report("dashboard" if link else "started", message, link=link)

    def _hear_no_more(self) -> None:
        """Else the scheduler tells a client that has just closed that it has, and logs that it cannot."""
        with suppress(Exception):  # the client may have lost its scheduler
            self.client.unsubscribe_topic(ALL_EVENTS)

    def take_lease(self) -> None:
        """Have the scheduler give back what was lost with a worker at once."""
        if self.options.temporary and isinstance(self.cluster, distributed.LocalCluster):
            return  # it was configured so
        plugin = lease(self.client.id)
        try:
            self.client.sync(
                self.client._register_scheduler_plugin,
                plugin,
                plugin.name,
                idempotent=False,
                callback_timeout=LEASE_SECONDS,
            )
        except Exception:
            logger.warning(
                "the scheduler takes no plugin: a call that ends its worker may end as many as its "
                "`distributed.scheduler.allowed-failures` allow",
                exc_info=True,
            )

    def _heard(self, event: tuple[float, Any]) -> None:
        """The scheduler says what has happened; in the client's event loop."""
        said = event[1]
        if isinstance(said, dict):
            self.deaths.note(said)
            self.watch.comings.note(said)
            if said.get("action") == "add-worker":
                self.deaths.came(str(said.get("worker")))
                self.held.connect(str(said.get("worker")))
            elif said.get("action") == "remove-worker":
                self.held.disconnect(str(said.get("worker")))

    def begin_overtime(self, stack: ExitStack) -> None:
        """Kill calls that take too long until `stack` is left, where the executor can."""
        if "hard_timeouts" not in self.capabilities:
            return
        processes = partial(clusters.worker_processes, self.cluster)
        self.hard_timeouts = HardTimeouts(
            self.client, processes, self.events.report, kill_with_descendants, self.held.retire
        )
        self.hard_timeouts.start()
        stack.callback(self.hard_timeouts.stop)

    def check_versions(self) -> None:
        """Compare versions, and report what differs. Raises ExecutorStartError for what breaks pickling."""
        if self._runs_what_runs_here:
            return
        packages, seconds = self.options.check_packages, self.options.start_timeout
        for difference in check_versions(self.client, packages, seconds):
            self.events.report("versions_differ", f"dask: {difference}")

    def _inspect(self, newcomers: list[str]) -> list[str]:
        if self._runs_what_runs_here:
            return []
        return check_newcomers(self.client, self.options.check_packages, newcomers)

    def _fail(self, futures: Sequence[DaskFuture], error: Exception) -> None:
        """End calls that wait in vain, with an error."""
        for future in futures:
            future.local_error = error
        self.client.cancel(list(futures))

    def end_at_exit(self, stack: ExitStack) -> None:
        """End what an executor that is never left has open, as the program ends, while threads still run.

        stack: has what leaving would do; none of it is to be done again once Python has stopped the threads.
        """
        self._undone = stack.pop_all()
        self.watch.stop(seconds=0.0)
        self._hear_no_more()
        self._stop_handing(in_order=False)
        if "hard_timeouts" not in self.capabilities:  # else the calls end with their workers
            leave(
                self.client,
                stays=True,
                in_order=False,
                seconds=LAST_CANCEL_SECONDS,
                given_up=self.given_up,
                ends=True,
            )
        with suppress(TimeoutError):
            self.client.close(timeout=LAST_CANCEL_SECONDS)

    def _stop_handing(self, *, in_order: bool) -> set[str]:
        """Hold no slot any more. The keys of calls that were handed and run on; only in order does any."""
        if self.client.status != "running":
            return set()
        try:
            handed, slots = self.client.sync(self.held.stop, in_order, callback_timeout=LAST_CANCEL_SECONDS)
        except Exception:  # noqa: BLE001  (the scheduler has gone just now, and all that it held)
            return set()
        self.given_up |= slots
        return set(handed)

    def abandon(self, stack: ExitStack) -> None:
        """Leave all as it is in a process that was forked from the one in which it is open, and that ends."""
        self._undone = stack.pop_all()
        if isinstance(self.cluster, SpecCluster):
            self.cluster.shutdown_on_close = False  # distributed ends its own, in whichever process

    def close_client(self, error: type[BaseException] | None, *_: object) -> None:
        """Leave the cluster, in order or by an error, and close the client."""
        dies = "hard_timeouts" in self.capabilities
        handed = self._stop_handing(in_order=error is None)
        if not self.options.temporary:
            self.told.close()
        try:
            leave(
                self.client,
                stays=not dies,
                in_order=error is None,
                seconds=LAST_CANCEL_SECONDS,
                given_up=self.given_up,
                begun=handed,
            )
            if self.begun and not self.options.temporary:
                with suppress(Exception):  # it is gone, or too busy
                    forget(self.client, self.begun)
        finally:
            self.client.loop.add_callback(self.held.close)
            with suppress(TimeoutError):  # a machine that has much else to do: it goes on closing
                self.client.close(timeout=CLIENT_CLOSE_SECONDS)
