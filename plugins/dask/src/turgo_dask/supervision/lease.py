"""The lease: each call of a client may lose one worker, and then comes back to the driver.

    take_lease(client) ── Lease, a plugin of ours ──> the scheduler, which counts each call of that client as one
                                                      that has used up what `allowed-failures` allows

By its default a scheduler sends a call to four workers before it gives up. The engine knows more: which call was alone,
which has begun. So it is asked after the first death, as it is on a cluster of our own.
"""

from __future__ import annotations

import logging
from typing import Any

import distributed
from distributed.diagnostics.plugin import SchedulerPlugin

from turgo_dask.calls.deaths import ALL_EVENTS

logger = logging.getLogger("turgo_dask")

LEASE_SECONDS = 10.0
"""Seconds that the scheduler may take to install the plugin."""


def take_lease(client: distributed.Client) -> None:
    """Have the scheduler give back at once what was lost with a worker. A scheduler that refuses is warned of."""
    plugin = lease(client.id)
    try:
        client.sync(
            client._register_scheduler_plugin,
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


def lease(client_id: str) -> SchedulerPlugin:
    """The plugin for a scheduler: a call of this client comes back after the first worker that is lost with it.

    It leaves with the client. Its class is made here, so that it is shipped by value: the scheduler has no turgo.
    """
    topic = ALL_EVENTS

    class Lease(SchedulerPlugin):  # type: ignore[misc]  # distributed has no types
        name = f"turgo-{client_id}"

        def update_graph(self, scheduler: Any, *, client: str, tasks: Any = (), **_: Any) -> None:
            """Calls have come: count them as if they had used up what the scheduler allows."""
            if client == client_id:
                for key in tasks:
                    task = scheduler.tasks.get(key)
                    if task is not None:
                        task.suspicious = max(task.suspicious, scheduler.allowed_failures)

        def remove_client(self, scheduler: Any, client: str) -> None:
            """The client is gone, in order or not, and nobody else would unsubscribe it."""
            if client == client_id:
                scheduler.plugins.pop(self.name, None)
                scheduler.unsubscribe_topic(topic, client)

    return Lease()
