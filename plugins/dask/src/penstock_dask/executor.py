"""`DaskExecutor`: calls run on a Dask cluster, and their results stay there until they are wanted.

Three ways in: a temporary cluster of this machine's cores (the default), a temporary cluster of any class,
and a cluster that runs already, by its address.
"""

from __future__ import annotations

import concurrent.futures
import importlib.util
import logging
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any, ClassVar, TypeVar

import dask.config
import distributed
from dask.utils import apply
from distributed.deploy import Cluster

from penstock.errors import ExecutorStartError, OptionError, ValueNotPortableError
from penstock.executor import Executor, ExtraContext
from penstock.futures import Future, find, replace
from penstock.main_module import require_guard
from penstock_dask import cluster as clusters
from penstock_dask.arguments import portable
from penstock_dask.cancelling import take_back
from penstock_dask.client import Client
from penstock_dask.future import DaskFuture
from penstock_dask.tags import PREFIX, resources_of

T = TypeVar("T")

_SLOTS_SECONDS = 1.0
"""How long the size of a cluster that is not ours is taken for true."""

_CLOSE_SECONDS = 2.0
"""How long the client may take to close."""

_LAST_SECONDS = 0.5
"""How long scheduler and workers may take, on leaving, to hear of calls that nobody wants any more."""

_SEND_SECONDS = 0.002
"""How long messages to the scheduler are held back; by default it is 10 ms, which each link of a chain pays."""


class DaskExecutor(Executor):
    """Run calls on a Dask cluster.

    address: of a scheduler that runs already, `tcp://host:8786`; by default what `DASK_SCHEDULER_ADDRESS`
        or dask's configuration (`scheduler-address`) says, if no cluster is described.
    cluster_class: a path (`dask_jobqueue.SLURMCluster`), a class, a factory function, or a cluster that is
        there already and that is not closed; by default `distributed.LocalCluster`.
    cluster_kwargs: what the class is called with. A LocalCluster listens on loopback only and is quiet,
        unless this says otherwise.
    adapt_kwargs: what `cluster.adapt` is called with (`minimum`, `maximum` …); by default it is not called.
    client_kwargs: what `distributed.Client` is called with besides; `set_as_default` is False by default.
    security: a `distributed.Security`, its keywords, or True for temporary credentials of a LocalCluster.
    performance_report: the path of an HTML file that dask's performance report is written to (needs bokeh).
    debug: whether a LocalCluster logs its warnings; by default what penstock's configuration says.

    Raises OptionError for options that do not fit together, and for a class that cannot be imported.
    """

    capabilities = frozenset(
        {"parallel", "distributed", "survives_worker_loss", "keeps_results_remote", "resources"}
    )
    native_futures: ClassVar[tuple[type, ...]] = (distributed.Future,)
    resource_tag: ClassVar[str] = f"{PREFIX}{{name}}={{amount}}"

    def __init__(
        self,
        *,
        address: str | None = None,
        cluster_class: str | Callable[..., Any] | Cluster | None = None,
        cluster_kwargs: Mapping[str, Any] | None = None,
        adapt_kwargs: Mapping[str, Any] | None = None,
        client_kwargs: Mapping[str, Any] | None = None,
        security: distributed.Security | Mapping[str, Any] | bool | None = None,
        performance_report: str | None = None,
        debug: bool | None = None,
    ) -> None:
        described = {
            "cluster_class": cluster_class,
            "cluster_kwargs": cluster_kwargs,
            "adapt_kwargs": adapt_kwargs,
        }
        given = [name for name, value in described.items() if value is not None]
        if address is not None and given:
            raise OptionError(
                f"address={address!r} names a cluster that runs already, so {' and '.join(given)} would "
                "change nothing: give either the address or the cluster to start",
                option=given[0],
                executor=clusters.NAME,
            )
        self.debug = _configured_debug() if debug is None else bool(debug)
        self.client_kwargs = {"set_as_default": False, **(client_kwargs or {})}
        self.security = security
        self.performance_report = _checked_report(performance_report)
        self.address = address if address is not None or given else _configured_address(self.client_kwargs)
        self.cluster_class, self.cluster_kwargs = self._cluster(cluster_class, cluster_kwargs)
        self.adapt_kwargs = dict(adapt_kwargs) if adapt_kwargs is not None else None

    def _cluster(self, cluster_class: Any, cluster_kwargs: Mapping[str, Any] | None) -> tuple[Any, Any]:
        """Class and keywords with their defaults filled in; None and None where a cluster runs already."""
        if self.address is not None or {"address", "scheduler_file"} & self.client_kwargs.keys():
            return None, None
        found = clusters.find_class(cluster_class if cluster_class is not None else distributed.LocalCluster)
        if isinstance(found, Cluster) and cluster_kwargs:
            raise OptionError(
                "cluster_kwargs would change nothing: cluster_class is a cluster that is there already",
                option="cluster_kwargs",
                executor=clusters.NAME,
            )
        quiet = {"silence_logs": logging.WARNING if self.debug else logging.CRITICAL}
        return found, {**(quiet if clusters.is_local(found) else {}), **(cluster_kwargs or {})}

    @contextmanager
    def start(self) -> Iterator[DaskExecutor]:
        """Open the cluster, if it is ours, and a client of it; close both on leaving, within 5 seconds.

        Raises ExecutorStartError if the cluster cannot be started or does not answer.
        """
        with ExitStack() as stack:
            self._live_cluster = self._open_cluster(stack)
            self._callbacks = stack.enter_context(
                concurrent.futures.ThreadPoolExecutor(1, thread_name_prefix="penstock-dask-callbacks")
            )
            self._client = self._open_client()
            self._known_slots = (0.0, 1)
            stack.callback(self._forget)
            stack.callback(self._close_client)
            if self.performance_report is not None:
                stack.enter_context(self._client.as_current())
                stack.enter_context(distributed.performance_report(filename=self.performance_report))
            yield self

    def _open_cluster(self, stack: ExitStack) -> Any:
        if self.cluster_class is None:
            return None
        cluster = self.cluster_class
        if not isinstance(cluster, Cluster):
            stack.enter_context(clusters.configured())
            options = dict(self.cluster_kwargs)
            if clusters.is_local(cluster):
                if options.get("processes") is not False:
                    require_guard()
                options = clusters.local_options(options)
            if self.security is not None:
                options.setdefault("security", _security(self.security))
            cluster = stack.enter_context(clusters.opened(cluster, options))
        if self.adapt_kwargs is not None:
            cluster.adapt(**self.adapt_kwargs)
        return cluster

    def _open_client(self) -> distributed.Client:
        options = dict(self.client_kwargs)
        where = self._live_cluster if self._live_cluster is not None else self.address
        if where is not None:
            options["address"] = where
        if self.security is not None and self._live_cluster is None:
            options.setdefault("security", _security(self.security))
        try:
            client = Client(**options)
        except (OSError, TimeoutError) as error:
            raise ExecutorStartError(
                f"no Dask scheduler answers at {where or options.get('scheduler_file')}: {error}"
            ) from error
        client.scheduler_comm.interval = min(_SEND_SECONDS, client.scheduler_comm.interval)
        return client

    def _forget(self) -> None:
        del self._client, self._callbacks, self._live_cluster, self._known_slots

    def _close_client(self) -> None:
        """Cancel what is not done, so that those who wait for it hear of it; then take leave."""
        client = self._client
        try:
            pending = [key for key, state in list(client.futures.items()) if state.status == "pending"]
            if pending and client.status == "running":
                take_back(
                    client, [distributed.Future(key, client) for key in pending], patience=_LAST_SECONDS
                )
        finally:
            client.close(timeout=_CLOSE_SECONDS)

    def submit(
        self, fn: Callable[..., T], /, *args: Any, extra_context: ExtraContext | None = None, **kwargs: Any
    ) -> Future[T]:
        """Send the call to the scheduler. Tags `dask-resource:KEY=NUM` ask for resources of a worker.

        The key of its future is `name-index-…`, or `name-…` if the call has no index.
        """
        hints = extra_context or {}
        client = self._client
        key = _key(fn, hints)
        if kwargs:  # by `apply`, so that none of them is taken for an option of `client.submit`
            fn, args = apply, (fn, list(args), kwargs)
        resources = resources_of(hints.get("task_tags"))
        try:
            sent = client.submit(fn, *portable(client, args), key=key, pure=False, resources=resources)
        except Exception as error:
            if client.status != "running":
                raise
            return _not_portable(key, error)
        return DaskFuture.adopt(sent, self._callbacks)

    def cancel(self, futures: Any) -> int:
        """Take back the calls of all futures in `futures`, nested as in `wait`: none that waited begins.

        Asks the workers once, however many futures there are. Gives how many were taken back; those that run
        already run on, and their values are dropped.
        """
        found = list(find(futures, "futures"))
        ours = {f.key: f for f in found if isinstance(f, DaskFuture) and not f.done()}
        cancelled = sum(bool(f.cancel()) for f in found if not (isinstance(f, DaskFuture) and f.key in ours))
        if ours:
            cancelled += len(ours) - len(take_back(self._client, list(ours.values())))
        return cancelled

    def wait(self, futures: Any) -> Any:
        """The same shape with values in the place of futures, fetched from the workers all at once."""
        ours = {future.key: future for future in find(futures, "futures") if isinstance(future, DaskFuture)}
        for future in ours.values():
            future.exception_or_raise()
        values = dict(zip(ours, self._client.gather(list(ours.values())), strict=True)) if ours else {}
        return replace(
            futures,
            lambda future: values[future.key] if isinstance(future, DaskFuture) else future.result(),
        )

    @property
    def slots(self) -> int:
        """Threads of all workers now; 1 before `start()` and while there is no worker."""
        if "_client" not in self.__dict__:
            return 1
        if self._live_cluster is not None:  # it keeps this up to date by itself
            workers = list(self._live_cluster.scheduler_info["workers"].values())
            return max(1, sum(int(worker["nthreads"]) for worker in workers))
        return self._slots_of_scheduler()

    def _slots_of_scheduler(self) -> int:
        asked, slots = self._known_slots
        now = time.monotonic()
        if now - asked > _SLOTS_SECONDS:
            slots = max(1, sum(self._client.nthreads().values()))
            self._known_slots = (now, slots)
        return slots


def _not_portable(key: str, error: Exception) -> Future[Any]:
    """The future of a call that could not be sent."""
    future: concurrent.futures.Future[Any] = concurrent.futures.Future()
    not_portable = ValueNotPortableError(f"the call {key} cannot be pickled: {error.__cause__ or error}")
    not_portable.__cause__ = error
    future.set_exception(not_portable)
    return future


def _key(fn: Callable[..., Any], hints: ExtraContext) -> str:
    name = hints.get("task_name") or getattr(fn, "__name__", "call")
    index = hints.get("task_index")
    unique = uuid.uuid4().hex
    return f"{name}-{unique}" if index is None else f"{name}-{index}-{unique}"


def _configured_debug() -> bool:
    from penstock.config import load_config  # late: it is asked only where the option was not given

    return bool(load_config().debug.value)


def _configured_address(client_kwargs: Mapping[str, Any]) -> str | None:
    if "scheduler_file" in client_kwargs or "address" in client_kwargs:
        return None
    address: str | None = dask.config.get("scheduler-address", None)
    return address


def _checked_report(path: str | None) -> str | None:
    if path is not None and importlib.util.find_spec("bokeh") is None:
        raise OptionError(
            "performance_report needs the package 'bokeh', which is not installed here: pip install bokeh",
            option="performance_report",
            executor=clusters.NAME,
        )
    return path


def _security(security: Any) -> Any:
    """What distributed takes: a Security, from its keywords where it was given by them."""
    return distributed.Security(**security) if isinstance(security, Mapping) else security
