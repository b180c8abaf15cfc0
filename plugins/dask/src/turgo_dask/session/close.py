"""Closes a session, in three ways.

close           the executor is left, in order or by an error
close_at_exit   the program ends, and nobody has left it
abandon         a process that was forked from this one ends: what is open is not its own
"""

from __future__ import annotations

from contextlib import ExitStack, suppress

from distributed.deploy import SpecCluster

from turgo_dask.calls.once import forget
from turgo_dask.connection.leave import leave
from turgo_dask.session.session import Session
from turgo_dask.session.supervise import unsubscribe

CLIENT_CLOSE_SECONDS = 2.0
"""Seconds that the client may take to close."""

LAST_CANCEL_SECONDS = 0.5
"""Seconds that the cancelling of pending calls may take on a temporary cluster."""


def close(session: Session, error: type[BaseException] | None, *_: object) -> None:
    """Leave the cluster, in order or by an error, and close the client."""
    client, in_order = session.client, error is None
    handed = _release_slots(session, in_order=in_order)
    if not session.options.temporary:
        session.channels.close()
        session.reports.close()
    try:
        leave(
            client,
            stays=not _calls_end_with_workers(session),
            in_order=in_order,
            seconds=LAST_CANCEL_SECONDS,
            given_up=session.given_up,
            begun=handed,
        )
        if session.begun and not session.options.temporary:
            with suppress(Exception):  # it is gone, or too busy
                forget(client, session.begun)
    finally:
        client.loop.add_callback(session.held.close)
        with suppress(TimeoutError):  # a machine that has much else to do: it goes on closing
            client.close(timeout=CLIENT_CLOSE_SECONDS)


def close_at_exit(session: Session, stack: ExitStack) -> None:
    """Close what an executor that is never left has open, as the program ends, while threads still run.

    stack: has what leaving would do; none of it is to be done again once Python has stopped the threads.
    """
    session.undone = stack.pop_all()
    session.watch.stop(seconds=0.0)
    unsubscribe(session.client)
    _release_slots(session, in_order=False)
    if not _calls_end_with_workers(session):
        leave(
            session.client,
            stays=True,
            in_order=False,
            seconds=LAST_CANCEL_SECONDS,
            given_up=session.given_up,
            ends=True,
        )
    with suppress(TimeoutError):
        session.client.close(timeout=LAST_CANCEL_SECONDS)


def abandon(session: Session, stack: ExitStack) -> None:
    """Leave all as it is in a process that was forked from the one in which it is open, and that ends."""
    session.undone = stack.pop_all()
    if isinstance(session.cluster, SpecCluster):
        session.cluster.shutdown_on_close = False  # distributed ends its own, in whichever process


def _calls_end_with_workers(session: Session) -> bool:
    """Whether each worker is a process of ours, which is ended with the calls that it runs."""
    return "hard_timeouts" in session.capabilities


def _release_slots(session: Session, *, in_order: bool) -> set[str]:
    """Hold no slot any more. The keys of calls that were handed and run on; only in order does any."""
    if session.client.status != "running":
        return set()
    try:
        handed, slots = session.client.sync(session.held.stop, in_order, callback_timeout=LAST_CANCEL_SECONDS)
    except Exception:  # noqa: BLE001  (the scheduler has gone just now, and all that it held)
        return set()
    session.given_up |= slots
    return set(handed)
