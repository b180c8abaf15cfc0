"""Opens what the options of a `DaskExecutor` describe, and closes all of it in the opposite order.

options ──> cluster ──> client ──> Session ──> supervision ──> the executor is started
                                      └── close: on leaving; at the program's exit; in a forked process
"""

from __future__ import annotations

import concurrent.futures
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

import distributed

from turgo.safe_path import safe_path
from turgo_dask.cluster.deadline import Deadline
from turgo_dask.cluster.live import is_adaptive
from turgo_dask.cluster.open import open_cluster
from turgo_dask.cluster.signals import at_exit
from turgo_dask.connection.client import Client
from turgo_dask.connection.connect import await_worker, open_client
from turgo_dask.connection.offload import renew_offload
from turgo_dask.connection.secede import seceded
from turgo_dask.options import DaskOptions
from turgo_dask.quiet import SessionFilter, filtered
from turgo_dask.session.close import abandon, close, close_at_exit
from turgo_dask.session.session import Session
from turgo_dask.session.supervise import supervise
from turgo_dask.supervision.events import Events


@contextmanager
def opened(options: DaskOptions, events: Events) -> Iterator[Session]:
    """What the options describe, open. events: takes what happens from the start on. Raises ExecutorStartError."""
    deadline = Deadline(options.start_timeout, events.starting)
    renew_offload()
    with ExitStack() as stack:
        quiet = stack.enter_context(filtered(options.log_level))
        stack.enter_context(safe_path())
        cluster = _cluster(options, deadline, quiet, stack)
        callbacks = stack.enter_context(
            concurrent.futures.ThreadPoolExecutor(1, thread_name_prefix="turgo-dask-callbacks")
        )
        client = _client(options, cluster, deadline, quiet)
        session = Session(options, cluster, client, callbacks, events)
        stack.push(partial(close, session))
        stack.enter_context(client.quiet())
        stack.enter_context(seceded(client))
        if not is_adaptive(cluster, options.adapt_kwargs):
            await_worker(client, cluster, deadline)
        supervise(session, stack)
        stack.enter_context(
            at_exit(partial(close_at_exit, session, stack), forked=partial(abandon, session, stack))
        )
        if options.performance_report is not None:
            stack.enter_context(client.as_current())
            stack.enter_context(distributed.performance_report(filename=options.performance_report))
        try:
            yield session
        finally:
            if os.getpid() != session.process:
                abandon(session, stack)


def _cluster(options: DaskOptions, deadline: Deadline, quiet: SessionFilter, stack: ExitStack) -> Any:
    """The cluster that the options describe, live until `stack` is left; None where they give an address."""
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
    return live


def _client(options: DaskOptions, cluster: Any, deadline: Deadline, quiet: SessionFilter) -> Client:
    """A client of the cluster, or of the scheduler whose address the options give; not to be closed here."""
    with quiet.starting():
        client = open_client(
            cluster,
            deadline,
            address=options.address,
            scheduler_file=options.scheduler_file,
            client_kwargs=options.connection_kwargs,
            security=options.security,
        )
        if cluster is None:
            quiet.add_loop(client.loop)
    return client
