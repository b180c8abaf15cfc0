"""What becomes of calls: they get a key and are sent, are taken back, or are waited for together."""

from __future__ import annotations

import concurrent.futures
import uuid
from collections.abc import Callable
from typing import Any

from dask.utils import apply

from penstock.errors import ExecutorError, RequirementError, ValueNotPortableError
from penstock.executor import ExtraContext
from penstock.futures import Future, find, replace
from penstock_dask.announcing import announced
from penstock_dask.arguments import portable
from penstock_dask.cancelling import take_back
from penstock_dask.client import Client
from penstock_dask.future import DaskFuture, as_ours
from penstock_dask.session import Session
from penstock_dask.tags import wish_of


def send(
    session: Session,
    fn: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    hints: ExtraContext,
) -> Future[Any]:
    """Send a call, with what its tags and its timeout ask for. Raises ExecutorError if the scheduler is gone."""
    client, wishes = session.client, session.watch.wishes
    key, wish, limit = _key_of(fn, hints), wish_of(hints.get("task_tags")), hints.get("task_timeout")
    if kwargs:  # by `apply`, so that none of them is taken for an option of `client.submit`
        fn, args = apply, (fn, list(args), kwargs)
    overtime = session.overtime if limit is not None else None
    if overtime is not None:
        fn, args = announced, (overtime.ear, limit, key, fn, *args)
    if client.status != "running" or session.watch.deserted is not None:
        raise _gone(session)
    if wish in wishes.refused:
        return _failed(RequirementError(wishes.refused[wish], missing=[str(wish)]))
    try:
        sent = client.submit(fn, *portable(client, args), key=key, pure=False, **wish.options)
    except Exception as error:
        if client.status != "running":
            raise _gone(session) from error
        return _unsent(client, key, error)
    future = DaskFuture.adopt(sent, session.callbacks)
    if overtime is not None:
        overtime.expect(future)
    if wish.picky:
        wishes.expect(wish, future)
    wishes.expect_after(args, future)
    return future


def _key_of(fn: Callable[..., Any], hints: ExtraContext) -> str:
    """`name-index-…`, or `name-…` if it has no index: unique, and grouped by name on the dashboard.

    What is unique begins with the end of the run's id, so that one can tell on a shared cluster whose it is.
    """
    name = hints.get("task_name") or getattr(fn, "__name__", "call")
    index = hints.get("task_index")
    unique = uuid.uuid4().hex
    run = hints.get("run_id", "").rpartition("-")[2]
    if run:
        unique = run + unique[len(run) :]
    return f"{name}-{unique}" if index is None else f"{name}-{index}-{unique}"


def _unsent(client: Client, key: str, error: Exception) -> Future[Any]:
    """The future of a call that could not be pickled."""
    if key in client.futures:  # the client waits for it, although it was never sent
        client.futures[key].cancel()
    why = error.__cause__ or error
    if isinstance(why, ValueNotPortableError):  # which says whose argument it is
        return _failed(why)
    not_portable = ValueNotPortableError(f"the call {key} cannot be pickled: {why}")
    not_portable.__cause__ = error
    return _failed(not_portable)


def _failed(error: Exception) -> Future[Any]:
    """The future of a call that was not sent."""
    future: concurrent.futures.Future[Any] = concurrent.futures.Future()
    future.set_exception(error)
    return future


def _gone(session: Session) -> ExecutorError:
    """The error if there is no scheduler: a client that looks for another one would take calls, and keep them."""
    if session.watch.deserted is not None:
        return ExecutorError(session.watch.deserted)
    scheduler = session.client.scheduler
    where = scheduler.address if scheduler is not None else session.executor.address
    return ExecutorError(f"the scheduler at {where} is gone, and all that it held with it")


def cancel(session: Session, futures: Any) -> int:
    """Take back the calls of all futures in `futures`; gives how many were, and notes those that run on."""
    found = list(find(futures, "futures"))
    ours = {f.key: f for f in found if isinstance(f, DaskFuture) and not f.done()}
    cancelled = sum(bool(f.cancel()) for f in found if not (isinstance(f, DaskFuture) and f.key in ours))
    if ours:
        running = take_back(session.client, list(ours.values()))
        session.given_up |= running
        cancelled += len(ours) - len(running)
    return cancelled


def fetch(session: Session, futures: Any) -> Any:
    """The same shape with values in the place of futures. Raises the error of the first that has one."""
    ours = {future.key: future for future in find(futures, "futures") if isinstance(future, DaskFuture)}
    for future in ours.values():
        future.exception_or_raise()
    try:
        values = dict(zip(ours, session.client.gather(list(ours.values())), strict=True)) if ours else {}
    except Exception as error:  # a worker died since, and with it what had been done
        told = as_ours(error, "a call that was done")
        if told is error:
            raise
        raise told from error
    return replace(
        futures,
        lambda future: values[future.key] if isinstance(future, DaskFuture) else future.result(),
    )
