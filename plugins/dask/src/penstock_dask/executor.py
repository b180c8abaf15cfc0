"""`DaskExecutor`: calls run on a Dask cluster, and their results stay there until they are wanted.

Three ways in: a temporary cluster of this machine's cores (the default), a temporary cluster of any class,
and a cluster that runs already, by its address.
"""

from __future__ import annotations

import concurrent.futures
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any, ClassVar, TypeVar

import distributed
from dask.utils import apply
from distributed.deploy import Cluster

from penstock.errors import ExecutorError, RequirementError
from penstock.executor import Executor, ExecutorEvent, ExtraContext
from penstock.futures import Future, find, replace
from penstock_dask import cluster as clusters
from penstock_dask import options as checks
from penstock_dask.announcing import announced
from penstock_dask.arguments import portable
from penstock_dask.cancelling import take_back
from penstock_dask.connecting import Deadline, await_worker, is_adaptive
from penstock_dask.finding import find_class
from penstock_dask.future import DaskFuture, as_ours
from penstock_dask.keys import failed, key_of, not_portable
from penstock_dask.leaving import leave
from penstock_dask.nesting import make_room
from penstock_dask.opening import dashboard_of, open_client, open_cluster
from penstock_dask.overtime import Overtime
from penstock_dask.tags import PREFIX, wish_of
from penstock_dask.versions import check_newcomers, check_versions
from penstock_dask.watching import Watch

T = TypeVar("T")

CAPABILITIES = frozenset(
    {"parallel", "distributed", "survives_worker_loss", "keeps_results_remote", "resources"}
)
"""What it can do on any cluster."""

_CLOSE_SECONDS = 2.0
"""How long the client may take to close."""

_LAST_SECONDS = 0.5
"""How long a temporary cluster may take, on leaving, to hear of calls that nobody wants any more."""


class DaskExecutor(Executor):
    """Run calls on a Dask cluster.

    address: of a scheduler that runs already, `tcp://host:8786`; by default what `DASK_SCHEDULER_ADDRESS`
        or dask's configuration (`scheduler-address`) says, if no cluster is described.
    scheduler_file: the file that such a scheduler wrote its address into.
    cluster_class: a path (`dask_jobqueue.SLURMCluster`), a class, a factory function, or a cluster that is
        there already and that is not closed; by default `distributed.LocalCluster`.
    cluster_kwargs: what the class is called with. A LocalCluster listens on loopback only and is quiet,
        unless this says otherwise.
    adapt_kwargs: what `cluster.adapt` is called with (`minimum`, `maximum` …); not called if empty, as by default.
    client_kwargs: what `distributed.Client` is called with besides; `set_as_default` is False by default.
    security: a `distributed.Security`, its keywords, or True for temporary credentials of a LocalCluster.
    performance_report: the path of an HTML file that dask's performance report is written to (needs bokeh).
    debug: whether a LocalCluster logs its warnings; by default what penstock's configuration says.
    start_timeout: seconds until a scheduler answers and a first worker is there; queues may take longer.
    resources_timeout: seconds that a call waits for a worker that offers what its tags ask for, before it fails;
        None for ever. It is told of after 5 seconds. So long, and no less than `start_timeout`, calls wait when
        there is no worker at all any more, before the run ends; with `adapt_kwargs` they wait for ever.
    scheduler_timeout: seconds that a scheduler may be silent before it counts as gone. One whose connection
        breaks is gone at once.
    check_packages: packages whose versions are to be compared between here and the workers.

    Raises OptionError for options that do not fit together, and for a class that cannot be imported.
    """

    native_futures: ClassVar[tuple[type, ...]] = (distributed.Future,)
    resource_tag: ClassVar[str] = f"{PREFIX}{{name}}={{amount}}"

    def __init__(
        self,
        address: str | None = None,
        cluster_class: str | Callable[..., Any] | Cluster | None = None,
        cluster_kwargs: Mapping[str, Any] | None = None,
        adapt_kwargs: Mapping[str, Any] | None = None,
        client_kwargs: Mapping[str, Any] | None = None,
        debug: bool | None = None,
        *,
        scheduler_file: str | None = None,
        security: distributed.Security | Mapping[str, Any] | bool | None = None,
        performance_report: str | None = None,
        start_timeout: float = 60.0,
        resources_timeout: float | None = 300.0,
        scheduler_timeout: float = 60.0,
        check_packages: Sequence[str] = (),
    ) -> None:
        self.debug = checks.configured_debug() if debug is None else bool(debug)
        self.client_kwargs = checks.checked_client(client_kwargs)
        where = checks.where_given(address, scheduler_file, self.client_kwargs)
        described = {
            "cluster_class": cluster_class,
            "cluster_kwargs": cluster_kwargs,
            "adapt_kwargs": adapt_kwargs,
        }
        checks.check_way_in(where, described)
        self.address, self.scheduler_file = where["address"], where["scheduler_file"]
        if not any(value is not None for value in (*where.values(), *described.values())):
            self.address = checks.configured_address()
        self.cluster_class, self.cluster_kwargs = self._cluster(cluster_class, cluster_kwargs)
        self.adapt_kwargs = dict(adapt_kwargs or {})
        self.security = checks.checked_security(security, temporary=self.cluster_class is not None)
        self.performance_report = checks.checked_report(performance_report)
        self.start_timeout = checks.positive("start_timeout", start_timeout) or 0.0
        self.resources_timeout = checks.positive("resources_timeout", resources_timeout)
        self.scheduler_timeout = checks.positive("scheduler_timeout", scheduler_timeout) or 0.0
        self.check_packages = checks.checked_packages(check_packages)

    def _cluster(self, cluster_class: Any, cluster_kwargs: Mapping[str, Any] | None) -> tuple[Any, Any]:
        """Class and keywords with their defaults filled in; None and None where a cluster runs already."""
        if self.address is not None or self.scheduler_file is not None:
            return None, None
        found = find_class(cluster_class if cluster_class is not None else distributed.LocalCluster)
        if isinstance(found, Cluster):
            if cluster_kwargs:
                raise checks.wrong(
                    "cluster_kwargs would change nothing: cluster_class is a cluster that is there already",
                    "cluster_kwargs",
                )
            return found, {}
        quiet = {"silence_logs": logging.WARNING if self.debug else logging.CRITICAL}
        return found, {**(quiet if clusters.is_local(found) else {}), **(cluster_kwargs or {})}

    @property
    def capabilities(self) -> frozenset[str]:  # type: ignore[override]  # it depends on the cluster
        """What it can do. A call is killed with its worker, which only a cluster of our own on this machine allows."""
        killing = clusters.can_kill(self.cluster_class, self.cluster_kwargs)
        return CAPABILITIES | {"hard_timeouts"} if killing else CAPABILITIES

    @contextmanager
    def start(self) -> Iterator[DaskExecutor]:
        """Open the cluster, if it is ours, and a client of it; close both on leaving, within 5 seconds.

        On a cluster that is not ours, calls that run are interrupted, and waited for if they do not heed that, for
        10 seconds at most. Raises ExecutorStartError if the cluster cannot be started or does not answer, has no
        worker in time, or runs another Python.
        """
        deadline = Deadline(self.start_timeout)
        with ExitStack() as stack:
            self._live_cluster = open_cluster(self, stack)
            self._callbacks = stack.enter_context(
                concurrent.futures.ThreadPoolExecutor(1, thread_name_prefix="penstock-dask-callbacks")
            )
            stack.callback(self._forget)
            self._client = open_client(self, self._live_cluster, deadline)
            self._given_up: set[str] = set()
            stack.callback(self._close_client)
            stack.enter_context(make_room(self._client))
            if not is_adaptive(self._live_cluster, self.adapt_kwargs):
                await_worker(self._client, self._live_cluster, deadline)
            self._open_watch(stack)
            self._open_overtime(stack)
            self._check_versions()
            if self.performance_report is not None:
                stack.enter_context(self._client.as_current())
                stack.enter_context(distributed.performance_report(filename=self.performance_report))
            yield self

    def _open_watch(self, stack: ExitStack) -> None:
        self._watch = Watch(
            self._client,
            resources_timeout=self.resources_timeout,
            workers_timeout=checks.workers_timeout(self),
            scheduler_timeout=self.scheduler_timeout,
            inspect=self._inspect,
            fail=self._fail,
        )
        self._watch.start()
        stack.callback(self._watch.stop)
        link = self.dashboard_link
        seen = f", to be watched at {link}" if link else ""
        count = len(self._watch.workers)
        message = (
            f"dask: {count} {'worker' if count == 1 else 'workers'} at {self._client.scheduler.address}{seen}"
        )
        self._watch.tell("dashboard" if link else "started", message, link=link)

    def _open_overtime(self, stack: ExitStack) -> None:
        self._overtime = None
        if "hard_timeouts" in self.capabilities:
            processes = partial(clusters.worker_processes, self._live_cluster)
            self._overtime = Overtime(self._client, processes, self._watch.tell)
            self._overtime.start()
            stack.callback(self._overtime.stop)

    def _check_versions(self) -> None:
        """Compare versions, save with a LocalCluster, which runs what runs here."""
        if not isinstance(self._live_cluster, distributed.LocalCluster):
            for difference in check_versions(self._client, self.check_packages, self.start_timeout):
                self._watch.tell("versions_differ", f"dask: {difference}")

    def _inspect(self, newcomers: list[str]) -> list[str]:
        if isinstance(self._live_cluster, distributed.LocalCluster):
            return []
        return check_newcomers(self._client, self.check_packages, newcomers)

    def _forget(self) -> None:
        for name in ("_client", "_callbacks", "_live_cluster", "_watch", "_overtime", "_given_up"):
            self.__dict__.pop(name, None)

    def _close_client(self) -> None:
        temporary = self._live_cluster is not None and self._live_cluster is not self.cluster_class
        try:
            leave(self._client, stays=not temporary, patience=_LAST_SECONDS, given_up=self._given_up)
        finally:
            self._client.close(timeout=_CLOSE_SECONDS)

    @property
    def dashboard_link(self) -> str | None:
        """Where the dashboard of the started cluster is; None outside `start()`, and if it has none."""
        return dashboard_of(self._client, self._live_cluster) if "_client" in self.__dict__ else None

    def check_tags(self, tags: Sequence[str]) -> None:
        """Raise OptionError for a tag `dask-resource:…`, `dask-priority:…` or `dask-workers:…` that is ill-formed."""
        wish_of(tags)

    def events(self) -> Sequence[ExecutorEvent]:
        """Workers that came and went, calls that wait for one that suits them, the dashboard's address."""
        if "_watch" not in self.__dict__:
            return ()
        told = self._watch.events
        return [told.popleft() for _ in range(len(told))]

    def submit(
        self, fn: Callable[..., T], /, *args: Any, extra_context: ExtraContext | None = None, **kwargs: Any
    ) -> Future[T]:
        """Send the call to the scheduler, with the resources, priority and workers that its tags ask for.

        The key of its future is `name-index-…`, or `name-…` if the call has no index. Raises ExecutorError if the
        scheduler is gone.
        """
        hints = extra_context or {}
        client = self._client
        key = key_of(fn, hints)
        if kwargs:  # by `apply`, so that none of them is taken for an option of `client.submit`
            fn, args = apply, (fn, list(args), kwargs)
        limit = hints.get("task_timeout") if self._overtime is not None else None
        if self._overtime is not None and limit is not None:
            fn, args = announced, (self._overtime.ear, limit, key, fn, *args)
        wish = wish_of(hints.get("task_tags"))
        if client.status != "running" or self._watch.deserted is not None:
            raise self._gone()
        if wish in self._watch.refused:
            return failed(RequirementError(self._watch.refused[wish], missing=[str(wish)]))
        try:
            sent = client.submit(fn, *portable(client, args), key=key, pure=False, **wish.options)
        except Exception as error:
            if client.status != "running":
                raise self._gone() from error
            if key in client.futures:  # the client waits for it, although it was never sent
                client.futures[key].cancel()
            return not_portable(key, error)
        future = DaskFuture.adopt(sent, self._callbacks)
        if self._overtime is not None and limit is not None:
            self._overtime.expect(future)
        if wish.picky:
            self._watch.expect(wish, future)
        self._watch.expect_after(args, future)
        return future

    def _gone(self) -> ExecutorError:
        """The error if there is no scheduler: a client that looks for another one would take calls, and keep them."""
        if self._watch.deserted is not None:
            return ExecutorError(self._watch.deserted)
        scheduler = self._client.scheduler
        where = scheduler.address if scheduler is not None else self.address
        return ExecutorError(f"the scheduler at {where} is gone, and all that it held with it")

    def _fail(self, futures: Sequence[DaskFuture], error: Exception) -> None:
        """Give up calls that wait for what will not come."""
        for future in futures:
            future.verdict = error
        self._client.cancel(list(futures))

    def cancel(self, futures: Any) -> int:
        """Take back the calls of all futures in `futures`, nested as in `wait`: none that waited begins.

        Asks the workers once, however many futures there are. Gives how many were taken back; those that run
        already run on until the executor is left, and their values are dropped.
        """
        found = list(find(futures, "futures"))
        ours = {f.key: f for f in found if isinstance(f, DaskFuture) and not f.done()}
        cancelled = sum(bool(f.cancel()) for f in found if not (isinstance(f, DaskFuture) and f.key in ours))
        if ours:
            running = take_back(self._client, list(ours.values()))
            self._given_up |= running
            cancelled += len(ours) - len(running)
        return cancelled

    def wait(self, futures: Any) -> Any:
        """The same shape with values in the place of futures, fetched from the workers all at once."""
        ours = {future.key: future for future in find(futures, "futures") if isinstance(future, DaskFuture)}
        for future in ours.values():
            future.exception_or_raise()
        try:
            values = dict(zip(ours, self._client.gather(list(ours.values())), strict=True)) if ours else {}
        except Exception as error:  # a worker died since, and with it what had been done
            told = as_ours(error, "a call that was done")
            if told is error:
                raise
            raise told from error
        return replace(
            futures,
            lambda future: values[future.key] if isinstance(future, DaskFuture) else future.result(),
        )

    @property
    def slots(self) -> int:
        """Threads of all workers now; 1 before `start()` and while there is no worker."""
        if "_watch" not in self.__dict__:
            return 1
        if self._live_cluster is not None:  # it keeps this up to date by itself
            workers = list(self._live_cluster.scheduler_info["workers"].values())
            return max(1, sum(int(worker["nthreads"]) for worker in workers))
        return self._watch.slots
