"""Connects a client to a scheduler in limited time. The scheduler must have at least one worker.

    address, scheduler file or live cluster ──> probe ──> Client ──> a first worker

Each failure is an ExecutorStartError that says what was tried, for how long, and the likely reason.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from turgo.errors import ExecutorStartError
from turgo_dask.cluster.deadline import START_TIMEOUT_HINT, Deadline
from turgo_dask.cluster.live import credentials, jobs_of, progress_of, target_of
from turgo_dask.connection.client import Client
from turgo_dask.connection.probe import probe

LOCATION_OPTIONS = ("address", "scheduler_file")
"""The options that say where a scheduler is; among the client's keywords they count as ours."""

SEND_INTERVAL_SECONDS = 0.002
"""How long messages to the scheduler are held back; by default it is 10 ms, which each link of a chain pays."""

WORKER_LOOK_SECONDS = 0.5
"""How often a start that waits for a worker looks at its cluster."""

SHOWN_JOBS = 5
"""How many jobs of a queue a line names; the rest is counted."""


def open_client(
    live: Any,
    deadline: Deadline,
    *,
    address: str | None,
    scheduler_file: str | None,
    client_kwargs: Mapping[str, Any],
    security: Any,
) -> Client:
    """A client of the live cluster, or of the scheduler at the address or in the file. Raises ExecutorStartError."""
    options = dict(client_kwargs)
    security = security if live is None else live.security
    if security:
        options.setdefault("security", credentials(security))
    target = target_of(live) if live is not None else address
    if target is None:
        assert scheduler_file is not None
        target = address_in(scheduler_file, deadline)
    client = connect(target, options, deadline)
    client.scheduler_comm.interval = min(SEND_INTERVAL_SECONDS, client.scheduler_comm.interval)
    return client


def connect(where: Any, options: Mapping[str, Any], deadline: Deadline) -> Client:
    """A client of the scheduler at an address, or of a cluster. Raises ExecutorStartError."""
    options = dict(options)
    if isinstance(where, str):
        _await_scheduler(where, deadline.sooner(options.get("timeout") or deadline.left))
    options.setdefault("timeout", deadline.left)
    try:
        return Client(address=where, **options)
    except (OSError, TimeoutError, ValueError, RuntimeError) as error:  # RuntimeError: of a closed cluster
        raise ExecutorStartError(
            f"no Dask scheduler answers at {where}: {error}. {START_TIMEOUT_HINT}"
        ) from error
    except TypeError as error:
        # A worker speaks as a scheduler does, and knows another question by the name of `identity`.
        if "identity()" in str(error):
            raise ExecutorStartError(
                f"what answers at {where} is no scheduler, but a worker or its nanny ({error}): a scheduler's own port "
                "is 8786 by default"
            ) from error
        if not str(where).startswith("tls://"):
            raise
        raise ExecutorStartError(
            f"{where} speaks TLS, for which there are no credentials: give security, with tls_ca_file, "
            f"tls_client_cert and tls_client_key ({error})"
        ) from error


def _await_scheduler(address: str, deadline: Deadline) -> None:
    """Wait until a scheduler answers; it may be about to start."""
    while True:
        speaks, reason, may_come = probe(address)
        if speaks:
            return
        if not may_come:
            raise ExecutorStartError(f"no Dask scheduler answers at {address}: {reason}")
        if deadline.over:
            raise ExecutorStartError(
                f"no Dask scheduler answers at {address}, tried for {deadline.seconds:.1f} s: {reason}. "
                f"{START_TIMEOUT_HINT}"
            )
        deadline.waiting(f"no scheduler at {address} yet: {reason}")
        time.sleep(0.1)


def address_in(scheduler_file: str, deadline: Deadline) -> str:
    """The address that a scheduler wrote into its file; the scheduler may be about to start."""
    path = Path(scheduler_file)
    while not deadline.over:
        if os.path.exists(path) and not os.path.isfile(path):  # a pipe would be read for good
            raise ExecutorStartError(f"{scheduler_file} is no file that a scheduler can have written")
        with suppress(OSError, ValueError, KeyError):
            return str(json.loads(path.read_text("utf-8"))["address"])
        deadline.waiting(f"waiting for the scheduler file {scheduler_file}")
        time.sleep(0.05)
    state = "holds no address of a scheduler" if os.path.exists(path) else "is not there"
    raise ExecutorStartError(
        f"the scheduler file {scheduler_file} {state}, after {deadline.seconds:g} s: does the scheduler run, with "
        f"--scheduler-file, on a file system that this machine sees? {START_TIMEOUT_HINT}"
    )


def await_worker(client: Client, cluster: Any, deadline: Deadline) -> None:
    """Wait until there is one worker. Raises ExecutorStartError that says how far the cluster is."""
    while not client.nthreads():
        if deadline.over:
            seen = "; ".join(progress_of(cluster))
            advice = f" {seen}." if seen else " Start workers for that scheduler, `dask worker ADDRESS`."
            raise ExecutorStartError(
                f"the scheduler at {client.scheduler.address} is there, but no worker came within "
                f"{deadline.seconds:g} s.{advice} {START_TIMEOUT_HINT}"
            )
        deadline.waiting(f"waiting for a worker{_asked_for(cluster)}")
        with suppress(TimeoutError):
            client.wait_for_workers(1, timeout=min(WORKER_LOOK_SECONDS, deadline.left))


def _asked_for(cluster: Any) -> str:
    """What a cluster has requested, in brackets: jobs by their ids, by which its queue knows them."""
    jobs = jobs_of(cluster)
    if jobs:
        more = f" and {len(jobs) - SHOWN_JOBS} more" if len(jobs) > SHOWN_JOBS else ""
        return f" (jobs submitted: {', '.join(jobs[:SHOWN_JOBS])}{more})"
    requested = len(getattr(cluster, "requested", None) or getattr(cluster, "plan", None) or ())
    return f" (requested: {requested})" if requested else ""
