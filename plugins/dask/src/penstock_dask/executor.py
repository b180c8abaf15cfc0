"""`DaskExecutor`: calls run on a Dask cluster, and their results stay there until they are wanted.

Three ways in: a temporary cluster of this machine's cores (the default), a temporary cluster of any class,
and a cluster that runs already, by its address.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, ClassVar, TypeVar

import distributed
from distributed.deploy import Cluster

from penstock.executor import Executor, ExecutorEvent, ExtraContext
from penstock.futures import Future
from penstock_dask import calls
from penstock_dask import options as checks
from penstock_dask.cluster import can_kill
from penstock_dask.session import Session, opened
from penstock_dask.tags import RESOURCE, wish_of

T = TypeVar("T")

CAPABILITIES = frozenset(
    {"parallel", "distributed", "survives_worker_loss", "keeps_results_remote", "resources"}
)
"""What it can do on any cluster."""


class DaskExecutor(Executor):
    """Run calls on a Dask cluster.

    address: of a scheduler that runs already, `tcp://host:8786`; by default what `DASK_SCHEDULER_ADDRESS`
        or dask's configuration (`scheduler-address`) says, if no cluster is described.
    scheduler_file: the file that such a scheduler wrote its address into.
    cluster_class: a path (`dask_jobqueue.SLURMCluster`), a class, a factory function, or a cluster that is
        there already and that is not closed; by default `distributed.LocalCluster`.
    cluster_kwargs: what the class is called with (`n_workers`, `threads_per_worker`, `processes`, `memory_limit` …). A
        LocalCluster listens on loopback only and is quiet, unless this says otherwise.
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

    api_version: ClassVar[int] = 2
    native_futures: ClassVar[tuple[type, ...]] = (distributed.Future,)
    resource_tag: ClassVar[str] = f"{RESOURCE}{{name}}={{amount}}"

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
        checks.check_mappings(
            cluster_kwargs=cluster_kwargs, adapt_kwargs=adapt_kwargs, client_kwargs=client_kwargs
        )
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
        self.cluster_class: Any = None
        self.cluster_kwargs: Any = None
        if self.address is None and self.scheduler_file is None:
            started = checks.checked_cluster(cluster_class, cluster_kwargs, debug=self.debug)
            self.cluster_class, self.cluster_kwargs = started
        self.adapt_kwargs = checks.checked_adapting(adapt_kwargs)
        self.security = checks.checked_security(security, temporary=self.cluster_class is not None)
        self.performance_report = checks.checked_report(performance_report)
        self.start_timeout = checks.positive("start_timeout", start_timeout)
        self.resources_timeout = resources_timeout
        if resources_timeout is not None:
            checks.positive("resources_timeout", resources_timeout)
        self.scheduler_timeout = checks.positive("scheduler_timeout", scheduler_timeout)
        self.check_packages = checks.checked_packages(check_packages)

    @property
    def capabilities(self) -> frozenset[str]:  # type: ignore[override]  # it depends on the cluster
        """What it can do. A call is killed with its worker, which only a cluster of our own on this machine allows."""
        killing = can_kill(self.cluster_class, self.cluster_kwargs)
        return CAPABILITIES | {"hard_timeouts"} if killing else CAPABILITIES

    @contextmanager
    def start(self) -> Iterator[DaskExecutor]:
        """Open the cluster, if it is ours, and a client of it; close both on leaving, within 5 seconds.

        On a cluster that is not ours, calls that run are interrupted, and waited for if they do not heed that, for
        10 seconds at most. Raises ExecutorStartError if the cluster cannot be started or does not answer, has no
        worker in time, or runs another Python.
        """
        with ExitStack() as stack:
            stack.callback(self.__dict__.pop, "_session", None)
            self._session = stack.enter_context(opened(self))
            yield self

    @property
    def _open(self) -> Session | None:
        """What is open; None outside `start()`."""
        return self.__dict__.get("_session")

    @property
    def dashboard_link(self) -> str | None:
        """Where the dashboard of the started cluster is; None outside `start()`, and if it has none."""
        return self._open.dashboard_link if self._open is not None else None

    @property
    def slots(self) -> int:
        """Threads of all workers now; 1 before `start()` and while there is no worker."""
        return self._open.slots if self._open is not None else 1

    def check_tags(self, tags: Sequence[str]) -> None:
        """Raise OptionError for a tag `dask-resource:…`, `dask-priority:…` or `dask-workers:…` that is ill-formed."""
        wish_of(tags)

    def events(self) -> Sequence[ExecutorEvent]:
        """Workers that came and went, calls that wait for one that suits them, the dashboard's address."""
        if self._open is None:
            return ()
        told = self._open.watch.events
        return [told.popleft() for _ in range(len(told))]

    def submit(
        self, fn: Callable[..., T], /, *args: Any, extra_context: ExtraContext | None = None, **kwargs: Any
    ) -> Future[T]:
        """Send the call to the scheduler, with the resources, priority and workers that its tags ask for.

        The key of its future is `name-index-…`, or `name-…` if the call has no index. Raises ExecutorError if the
        scheduler is gone.
        """
        return calls.send(self._session, fn, args, kwargs, extra_context or {})

    def cancel(self, futures: Any) -> int:
        """Take back the calls of all futures in `futures`, nested as in `wait`: none that waited begins.

        Asks the workers once, however many futures there are. Gives how many were taken back; those that run
        already run on until the executor is left, and their values are dropped.
        """
        return calls.cancel(self._session, futures)

    def wait(self, futures: Any) -> Any:
        """The same shape with values in the place of futures, fetched from the workers all at once."""
        return calls.fetch(self._session, futures)
