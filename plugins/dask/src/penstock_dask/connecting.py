"""From an address, a scheduler file or a cluster to a client with at least one worker, in limited time.

Whatever goes wrong is an ExecutorStartError that says what was tried, for how long, and what is likely the reason.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import distributed

from penstock.errors import ExecutorStartError
from penstock_dask.client import Client
from penstock_dask.options import WHERE
from penstock_dask.probing import look_at

MORE = "start_timeout says how long to wait"


class Deadline:
    """How long the start may take, in seconds."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._end = time.monotonic() + seconds

    @property
    def left(self) -> float:
        """Seconds that are left; never none at all."""
        return max(0.1, self._end - time.monotonic())

    @property
    def over(self) -> bool:
        """Whether the time is up."""
        return time.monotonic() >= self._end


def connect(where: Any, options: Mapping[str, Any], deadline: Deadline) -> Client:
    """A client of the scheduler at an address, or of a cluster. Raises ExecutorStartError."""
    options = {name: value for name, value in options.items() if name not in WHERE}
    if isinstance(where, str):
        _await_scheduler(where, Deadline(min(deadline.left, options.get("timeout") or deadline.left)))
    options.setdefault("timeout", deadline.left)
    try:
        return Client(address=where, **options)
    except (OSError, TimeoutError, ValueError, RuntimeError) as error:  # RuntimeError: of a closed cluster
        raise ExecutorStartError(f"no Dask scheduler answers at {where}: {error}. {MORE}") from error
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
    """Wait until a scheduler can be spoken to: it may only be about to start."""
    while True:
        speaks, reason, may_come = look_at(address)
        if speaks:
            return
        if not may_come:
            raise ExecutorStartError(f"no Dask scheduler answers at {address}: {reason}")
        if deadline.over:
            raise ExecutorStartError(
                f"no Dask scheduler answers at {address}, tried for {deadline.seconds:.1f} s: {reason}. {MORE}"
            )
        time.sleep(0.1)


def address_in(scheduler_file: str, deadline: Deadline) -> str:
    """The address that a scheduler wrote into its file; the scheduler may only be about to start."""
    path = Path(scheduler_file)
    while not deadline.over:
        with suppress(OSError, ValueError, KeyError):
            return str(json.loads(path.read_text("utf-8"))["address"])
        time.sleep(0.05)
    state = "holds no address of a scheduler" if path.exists() else "is not there"
    raise ExecutorStartError(
        f"the scheduler file {scheduler_file} {state}, after {deadline.seconds:g} s: does the scheduler run, with "
        f"--scheduler-file, on a file system that this machine sees? {MORE}"
    )


def await_worker(client: Client, cluster: Any, deadline: Deadline) -> None:
    """Wait until there is one worker. Raises ExecutorStartError that says how far the cluster is."""
    if client.nthreads():
        return
    try:
        client.wait_for_workers(1, timeout=deadline.left)
    except TimeoutError as error:
        seen = "; ".join(seen_of(cluster))
        told = f" {seen}." if seen else " Start workers for that scheduler, `dask worker ADDRESS`."
        raise ExecutorStartError(
            f"the scheduler at {client.scheduler.address} is there, but no worker came within "
            f"{deadline.seconds:g} s.{told} {MORE}"
        ) from error


def seen_of(cluster: Any) -> Iterator[str]:
    """How far a cluster is with its workers, as far as it tells."""
    if cluster is None:
        return
    plan, requested = (len(getattr(cluster, name, None) or ()) for name in ("plan", "requested"))
    name = type(cluster).__name__
    if not plan:
        yield f"{name} was asked for none: give n_workers among cluster_kwargs, or adapt_kwargs"
        return
    yield f"{name} was asked for {plan} and has requested {requested}"
    for key, worker in list((getattr(cluster, "workers", None) or {}).items())[:3]:
        job = getattr(worker, "job_id", None)
        status = getattr(worker, "status", "")
        yield f"worker {key}{f', job {job}' if job else ''}: {getattr(status, 'name', status)}"


def address_of(cluster: Any) -> Any:
    """What a client takes for a live cluster: itself; the address of one whose coroutines belong to another's loop.

    Raises ExecutorStartError if that loop is the one that would have to wait here.
    """
    if not getattr(cluster, "asynchronous", False):
        return cluster
    with suppress(RuntimeError):
        if asyncio.get_running_loop() is getattr(cluster.loop, "asyncio_loop", None):
            raise ExecutorStartError(
                "this cluster runs in the event loop that would wait for it here, so that both would stand still: "
                "write `await asyncio.to_thread(flow.run, …)`"
            )
    return str(cluster.scheduler_address)


def is_adaptive(cluster: Any, adapt_kwargs: Mapping[str, Any]) -> bool:
    """Whether workers come only once there is work."""
    if adapt_kwargs:
        return not (adapt_kwargs.get("minimum") or adapt_kwargs.get("minimum_jobs"))
    return getattr(cluster, "_adaptive", None) is not None


def secure(security: Any) -> Any:
    """What distributed takes: a Security, from its keywords where it was given by them."""
    return distributed.Security(**security) if isinstance(security, Mapping) else security
