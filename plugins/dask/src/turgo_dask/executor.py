"""`DaskExecutor` runs calls on a Dask cluster. Their results stay there until they are fetched.

    DaskExecutor ── start ──> session ──> cluster, connection, supervision
                 └─ submit ─> calls ────> the scheduler

It uses a temporary cluster of this machine's cores (the default), a temporary cluster of any class, or a
cluster that runs already, by its address.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, ClassVar, Self, TypeVar

import attrs
import distributed
from distributed.deploy import Cluster

from turgo.executor import Executor, ExecutorEvent, ExtraContext, Growth
from turgo.futures import Future
from turgo_dask import submit as calls
from turgo_dask.calls.tags import RESOURCE, placement_of
from turgo_dask.options import DaskOptions
from turgo_dask.session.open import opened
from turgo_dask.session.session import Session
from turgo_dask.supervision.events import Events
from turgo_dask.supervision.resources import expected_resources

T = TypeVar("T")


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
    debug: whether a LocalCluster logs its warnings; by default what turgo's configuration says.
    start_timeout: seconds until a scheduler answers and a first worker is there; queues may take longer.
    resources_timeout: seconds that a call waits for a worker that offers what its tags ask for, before it fails;
        None for ever. The wait is reported after 5 seconds. So long, and no less than `start_timeout`, calls wait when
        there is no worker at all any more, before the run ends; with `adapt_kwargs` they wait for ever.
    scheduler_timeout: seconds that a scheduler may be silent before it counts as gone. One whose connection
        breaks is gone at once.
    check_packages: packages whose versions are to be compared between here and the workers.

    Raises OptionError for options that do not fit together, and for a class that cannot be imported.
    """

    api_version: ClassVar[int] = 1
    native_futures: ClassVar[tuple[type, ...]] = (distributed.Future,)
    resource_tag: ClassVar[str] = f"{RESOURCE}{{name}}={{amount}}"

    address: str | None
    cluster_class: Any
    cluster_kwargs: Mapping[str, Any] | None
    adapt_kwargs: Mapping[str, Any]
    client_kwargs: Mapping[str, Any]
    debug: bool
    scheduler_file: str | None
    security: Any
    performance_report: str | None
    start_timeout: float
    resources_timeout: float | None
    scheduler_timeout: float
    check_packages: tuple[str, ...]

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
        options = DaskOptions.checked(
            address=address,
            cluster_class=cluster_class,
            cluster_kwargs=cluster_kwargs,
            adapt_kwargs=adapt_kwargs,
            client_kwargs=client_kwargs,
            debug=debug,
            scheduler_file=scheduler_file,
            security=security,
            performance_report=performance_report,
            start_timeout=start_timeout,
            resources_timeout=resources_timeout,
            scheduler_timeout=scheduler_timeout,
            check_packages=check_packages,
        )
        vars(self).update(attrs.asdict(options, recurse=False))  # each is an attribute of its own name

    @property
    def _options(self) -> DaskOptions:
        """The options as they are now: whoever made the executor may have changed an attribute since."""
        return DaskOptions(**{each.name: getattr(self, each.name) for each in attrs.fields(DaskOptions)})

    @property
    def capabilities(self) -> frozenset[str]:  # type: ignore[override]  # it depends on the cluster
        """What it can do with its cluster. Of a class of one's own some of it is known only once it is started.

        A call is killed with its worker, which only a cluster of our own on this machine allows. Where calls run in
        threads of this process there is nothing distributed, and no worker to lose.
        """
        return self._open.capabilities if self._open is not None else self._options.capabilities

    @contextmanager
    def start(self) -> Iterator[Self]:
        """Open the cluster, if it is ours, and a client of it; close both on leaving, within 5 seconds.

        A cluster on other hosts that does not close in that time is ended piece by piece, in a few seconds more.
        On a cluster that is not ours, calls that run are interrupted, and waited for, for 10 seconds at most. Raises
        ExecutorStartError if the cluster cannot be started or does not answer, has no worker in time, or runs another
        Python.
        """
        with ExitStack() as stack:
            stack.callback(self.__dict__.pop, "_session", None)
            stack.callback(self.__dict__.pop, "_events", None)
            self._events = Events()
            self._session = stack.enter_context(opened(self._options, self._events))
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

    @property
    def growth(self) -> Growth | None:
        """The threads of all workers that may come, and the work that lets them; None if its cluster does not adapt."""
        return self._open.growth if self._open is not None else None

    def offers(self, requirement: str) -> bool:
        """Whether it can do that; of `resources:GPU`, whether its workers offer it or may come to."""
        capability, _, resource = requirement.partition(":")
        if not resource or capability != "resources":
            return super().offers(requirement)
        if self._open is None:
            offered = expected_resources(self.cluster_class, self.cluster_kwargs)
        else:
            offered = self._open.offered_resources()
        return offered is None or resource in offered

    def check_tags(self, tags: Sequence[str]) -> None:
        """Raise OptionError for a tag `dask-resource:…`, `dask-priority:…` or `dask-workers:…` that is ill-formed."""
        placement_of(tags)

    def events(self) -> Sequence[ExecutorEvent]:
        """How the start proceeds, workers that came and went, calls that wait for one, the dashboard's address."""
        events: Events | None = self.__dict__.get("_events")
        return events.take() if events is not None else ()

    def hindrance(self) -> str | None:
        """That there is no worker, or none that begins calls, as it was last seen."""
        return self._open.watch.hindrance if self._open is not None else None

    @contextmanager
    def channel(self, deliver: Callable[[bytes], None]) -> Iterator[Callable[[bytes], None] | None]:
        """The events of the scheduler; None on one that runs no functions of a client."""
        with self._session.channels.opened(deliver) as send:
            if send is not None:
                self._session.hold()
            yield send

    def submit(
        self, fn: Callable[..., T], /, *args: Any, extra_context: ExtraContext | None = None, **kwargs: Any
    ) -> Future[T]:
        """Send the call to the scheduler, with the resources, priority and workers that its tags ask for.

        The key of its future is `name-index-…`, or `name-…` if the call has no index. Raises ExecutorError if the
        scheduler is gone.
        """
        return calls.submit(self._session, fn, args, kwargs, extra_context or {})

    def cancel(self, futures: Any) -> int:
        """Take back the calls of all futures in `futures`, nested as in `wait`: none that waited begins.

        Asks the workers once, however many futures there are. Gives how many were taken back; those that run
        already run on until the executor is left, and their values are dropped.
        """
        return calls.cancel(self._session, futures)

    def wait(self, futures: Any) -> Any:
        """The same shape with values in the place of futures, fetched from the workers all at once."""
        return calls.fetch(self._session, futures)
