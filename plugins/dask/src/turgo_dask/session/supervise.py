"""Supervises what is open: who watches the cluster of a session, and what happens to it.

scheduler ── events ──> note ──> deaths, watch, held slots
watch:         one thread, which sees workers come and go, and calls that wait in vain
hard_timeouts: one thread, which kills calls that take too long, where the executor can
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack, suppress
from functools import partial
from typing import Any

import distributed

from turgo_dask.calls.deaths import ALL_EVENTS
from turgo_dask.calls.future import DaskFuture
from turgo_dask.cluster import local as clusters
from turgo_dask.cluster.nanny import kill_with_descendants
from turgo_dask.connection.client import Client
from turgo_dask.connection.versions import check_newcomers, check_versions
from turgo_dask.session.session import Session
from turgo_dask.supervision.hard_timeouts import HardTimeouts
from turgo_dask.supervision.lease import take_lease
from turgo_dask.supervision.watch import Watch


def supervise(session: Session, stack: ExitStack) -> None:
    """Watch the cluster until `stack` is left, report that it is there, and compare its versions with those here.

    Raises ExecutorStartError for versions that break pickling.
    """
    _begin_watch(session, stack)
    _report_start(session)
    if not (session.options.temporary and _is_local(session)):  # which was configured so
        take_lease(session.client)
    _begin_hard_timeouts(session, stack)
    _compare_versions(session)


def unsubscribe(client: Client) -> None:
    """End the scheduler's events: else it sends one to a client that has just closed, and logs that it cannot."""
    with suppress(Exception):  # the client may have lost its scheduler
        client.unsubscribe_topic(ALL_EVENTS)


def note(session: Session, event: tuple[float, Any]) -> None:
    """Pass on an event of the scheduler; in the client's event loop."""
    content = event[1]
    if not isinstance(content, dict):
        return
    session.deaths.note(content)
    session.watch.comings.note(content)
    action, worker = content.get("action"), str(content.get("worker"))
    if action == "add-worker":
        session.deaths.came(worker)
        session.held.connect(worker)
    elif action == "remove-worker":
        session.held.disconnect(worker)


def _begin_watch(session: Session, stack: ExitStack) -> None:
    """Watch the workers and the calls that wait for one."""
    options = session.options
    session.watch = Watch(
        session.client,
        report=session.events.report,
        resources_timeout=options.resources_timeout,
        workers_timeout=options.workers_timeout,
        scheduler_timeout=options.scheduler_timeout,
        inspect=partial(_differences, session),
        fail=partial(_fail, session.client),
        deaths=session.deaths,
    )
    session.client.subscribe_topic(ALL_EVENTS, partial(note, session))
    stack.callback(unsubscribe, session.client)
    session.watch.start()
    stack.callback(session.watch.stop)


def _report_start(session: Session) -> None:
    """Report which cluster is there, and where it can be watched."""
    link = session.dashboard_link
    seen = f", to be watched at {link}" if link else ""
    count = len(session.watch.workers)
    workers = f"{count} {'worker' if count == 1 else 'workers'}"
    message = f"dask: {workers} at {session.client.scheduler.address}{seen}"
    session.events.report("dashboard" if link else "started", message, link=link)


def _begin_hard_timeouts(session: Session, stack: ExitStack) -> None:
    """Kill calls that take too long, where the executor can."""
    if "hard_timeouts" not in session.capabilities:
        return
    processes = partial(clusters.worker_processes, session.cluster)
    session.hard_timeouts = HardTimeouts(
        session.client, processes, session.events.report, kill_with_descendants, session.held.retire
    )
    session.hard_timeouts.start()
    stack.callback(session.hard_timeouts.stop)


def _compare_versions(session: Session) -> None:
    """Compare versions, and report what differs. Raises ExecutorStartError for what breaks pickling."""
    if _is_local(session):
        return
    packages, seconds = session.options.check_packages, session.options.start_timeout
    for difference in check_versions(session.client, packages, seconds):
        session.events.report("versions_differ", f"dask: {difference}")


def _is_local(session: Session) -> bool:
    """Whether the cluster is a LocalCluster: it is made of this very Python."""
    return isinstance(session.cluster, distributed.LocalCluster)


def _differences(session: Session, newcomers: list[str]) -> list[str]:
    """The versions that differ on workers that came later."""
    if _is_local(session):
        return []
    return check_newcomers(session.client, session.options.check_packages, newcomers)


def _fail(client: Client, futures: Sequence[DaskFuture], error: Exception) -> None:
    """End calls that wait in vain, with an error."""
    for future in futures:
        future.local_error = error
    client.cancel(list(futures))
