"""`Session`: what is open while a `DaskExecutor` is started.

    open ──> Session ── client ──> the scheduler
                ├── callbacks:     one thread, in which the callbacks of futures run
                ├── channels:      what calls send while they run
                ├── reports, held: values that come by themselves, slots that are held for the next call
                ├── watch:         one thread, which sees workers come and go
                └── hard_timeouts: one thread, which kills calls that take too long; None where it cannot

`supervise` fills in the last two; `close` ends all of it.
"""

from __future__ import annotations

import concurrent.futures
import os
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import distributed

from turgo.executor import Growth
from turgo_dask.calls.deaths import Deaths
from turgo_dask.cluster import local as clusters
from turgo_dask.connection.bunches import Bunches
from turgo_dask.connection.channel import Channels
from turgo_dask.connection.client import Client, dashboard_of
from turgo_dask.connection.reports import Reports
from turgo_dask.options import DaskOptions, capabilities_of
from turgo_dask.slots.held import HeldSlots
from turgo_dask.slots.shipped import telling
from turgo_dask.supervision.events import Events
from turgo_dask.supervision.growth import growth_of
from turgo_dask.supervision.hard_timeouts import HardTimeouts
from turgo_dask.supervision.resources import offered_resources
from turgo_dask.supervision.watch import Watch


class Session:
    """One start of an executor.

    cluster: the live one; None where only an address is known. given_up: keys of calls that still ran when they
    were cancelled. begun: keys of calls that the scheduler is to let begin once. deaths: the workers that died.
    process: in which it is open. undone: what a close at exit leaves undone; kept, as to drop it would do it.
    """

    watch: Watch
    hard_timeouts: HardTimeouts | None = None
    undone: ExitStack | None = None

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
        self.channels = Channels(client)
        self.reports = Reports(client)
        self.deaths = Deaths(self._is_over)
        self.held = HeldSlots(
            client,
            self.bunches,
            lambda: self.slots,
            self.reports.add,
            self.deaths,
            queues=lambda: self.growth is None,
        )
        self.reports.on_event = self.held.heard
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
        return offered_resources(self.client, self.cluster, self.options.adapt_kwargs)

    @property
    def capabilities(self) -> frozenset[str]:
        """What the executor can do with the cluster that is there."""
        if not (self.options.temporary and isinstance(self.cluster, distributed.LocalCluster)):
            return self.options.capabilities
        nannied = clusters.has_nannies(self.cluster)
        return capabilities_of(in_process=not nannied, killable=nannied)

    def _is_over(self, key: str) -> bool:
        """Whether a call is known to be over, and no other one runs in its slot."""
        return self.reports.has(key) and not self.held.is_busy(key)

    def hold(self) -> None:
        """Have calls report what they return, and hold their slots, from now on. Without effect if they do."""
        self.reports.open()
        if self.reports.topic is not None and "distributed" in self.capabilities:
            self.held.open(self.reports.topic, self.watch.workers)

    def reporting(
        self, key: str, fn: Callable[..., Any], args: tuple[Any, ...]
    ) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        """The call that reports what the call of `fn` returns, if calls do."""
        return (fn, args) if self.reports.topic is None else telling(self.reports.topic, key, fn, args)
