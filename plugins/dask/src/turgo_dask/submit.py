"""Submits calls to the scheduler, cancels them, and fetches their values together."""

from __future__ import annotations

import asyncio
import concurrent.futures
import os
import uuid
from collections.abc import Callable
from typing import Any

import distributed
from dask.utils import apply

from turgo.errors import (
    ExecutorError,
    ExecutorNotStartedError,
    RequirementError,
    ValueNotPortableError,
)
from turgo.executor import ExtraContext
from turgo.futures import Future, find, replace
from turgo_dask.calls.arguments import resolvable
from turgo_dask.calls.cancel import cancel_calls
from turgo_dask.calls.future import DaskFuture, as_ours
from turgo_dask.calls.once import once
from turgo_dask.calls.packed import packed
from turgo_dask.calls.tags import Placement, placement_of
from turgo_dask.calls.wrappers import adopted, contained
from turgo_dask.connection.client import Client
from turgo_dask.session.session import Session
from turgo_dask.supervision.announce import announced

FETCH_LOOK_SECONDS = 0.5
"""How often it is looked whether the scheduler is there, while values are fetched."""


def submit(
    session: Session,
    fn: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    hints: ExtraContext,
) -> Future[Any]:
    """Submit a call, with what its tags and its timeout ask for. Raises ExecutorError if the scheduler is gone."""
    _require_own_process(session)
    client, unmet = session.client, session.watch.unmet
    key = _key_of(fn, hints)
    placement = placement_of(hints.get("task_tags"))
    if kwargs:  # by `apply`, so that none of them is taken for an option of `client.submit`
        fn, args = apply, (fn, list(args), kwargs)
    anywhere = _runs_anywhere(session, hints, placement)
    if not anywhere:
        fn, args = _wrapped(session, key, fn, args, hints)
    if client.status != "running" or session.watch.abandoned is not None:
        raise _gone(session)
    if placement in unmet.refused:
        return _failed(RequirementError(unmet.refused[placement], missing=[str(placement)]))
    try:
        if anywhere:
            sent = _sent_anywhere(session, key, fn, args, hints.get("task_seconds", 0.0))
        else:
            sent = _sent(session, key, fn, args, placement.options, in_run="run_id" in hints)
    except Exception as error:
        if client.status != "running":
            raise _gone(session) from error
        return _unsent(client, key, error)
    future = DaskFuture.adopt(sent, session.callbacks, session.deaths)
    if anywhere:
        future.take_back = session.held.take_back
        unmet.add_dependent(args, future)
        return future
    future.once = bool(hints.get("task_once"))
    if session.hard_timeouts is not None and "task_timeout" in hints:
        session.hard_timeouts.add(future)
    if placement.restricted:
        unmet.add(placement, future)
    else:
        session.held.sent(future)
    unmet.add_dependent(args, future)
    return future


def _require_own_process(session: Session) -> None:
    """Raise ExecutorNotStartedError in a process that was forked: none of the threads that answer came along."""
    if os.getpid() != session.process:
        raise ExecutorNotStartedError(
            f"the DaskExecutor was started in process {session.process}, from which this one was forked: "
            "start an executor here, `get_executor(…).start()`"
        )


def _wrapped(
    session: Session, key: str, fn: Callable[..., Any], args: tuple[Any, ...], hints: ExtraContext
) -> tuple[Callable[..., Any], tuple[Any, ...]]:
    """The call, and around it what its worker is to do besides."""
    in_run = "run_id" in hints
    if not in_run:  # the calls of a flow contain their own
        fn, args = contained(), (fn, *args)
    if hints.get("task_once"):
        fn, args = once(), (key, fn, *args)
        session.begun.append(key)
    limit = hints.get("task_timeout")
    if limit is not None:
        fn, args = adopted(), (fn, *args)
        if session.hard_timeouts is not None:
            fn, args = announced, (session.hard_timeouts.receiver, limit, key, fn, *args)
    # around all of it: its slot is held then for calls that are not to be made once, and have no limit
    return session.reporting(key, fn, args) if in_run else (fn, args)


def _runs_anywhere(session: Session, hints: ExtraContext, placement: Placement) -> bool:
    """Whether a call may be handed to a slot that is held: nothing but its report is ever asked for."""
    return (
        session.held.topic != ""
        and "run_id" in hints
        and "task_timeout" not in hints
        and not (hints.get("task_once") or hints.get("task_stays") or placement.options)
    )


def _sent_anywhere(
    session: Session, key: str, fn: Callable[..., Any], args: tuple[Any, ...], seconds: float
) -> distributed.Future:
    """The future of a call that is handed to a slot, or is sent. seconds: how long it is thought to run."""
    args, has_futures = resolvable(session.client, args)
    if not has_futures:
        fn, args, pickled = packed(fn, args)
        if pickled is not None:
            return session.held.submit(key, pickled, seconds)
    sent = _sent_alone(session, key, *session.reporting(key, fn, args), {})
    session.held.sent(sent)
    return sent


def _sent(
    session: Session,
    key: str,
    fn: Callable[..., Any],
    args: tuple[Any, ...],
    options: dict[str, Any],
    *,
    in_run: bool,
) -> distributed.Future:
    """The future of a call that is sent. in_run: whether it is of a flow run, whose batches pickle themselves."""
    args, has_futures = resolvable(session.client, args)
    if in_run and not has_futures:
        fn, args, pickled = packed(fn, args)
        if pickled is not None:
            return session.bunches.submit(key, fn, args, options)
    return _sent_alone(session, key, fn, args, options)


def _sent_alone(
    session: Session, key: str, fn: Callable[..., Any], args: tuple[Any, ...], options: dict[str, Any]
) -> distributed.Future:
    session.bunches.send()  # a call may take the value of one that waits there
    return session.client.submit(fn, *args, pure=False, key=key, **options)


def _key_of(fn: Callable[..., Any], hints: ExtraContext) -> str:
    """`name-index-…`, or `name-…` if it has no index: unique, and grouped by name on the dashboard.

    What is unique begins with the end of the run's id, so that its owner is known on a shared cluster.
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
    for known in (error, error.__cause__):
        if isinstance(known, ValueNotPortableError):  # which says whose argument it is
            return _failed(known)
    why = error.__cause__ or error
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
    if session.watch.abandoned is not None:
        return ExecutorError(session.watch.abandoned)
    scheduler = session.client.scheduler
    where = scheduler.address if scheduler is not None else session.options.address
    return ExecutorError(f"the scheduler at {where} is gone, and all that it held with it")


def cancel(session: Session, futures: Any) -> int:
    """Take back the calls of all futures in `futures`; gives how many were, and notes those that run on."""
    found = list(find(futures, "futures"))
    ours = {f.key: f for f in found if isinstance(f, DaskFuture) and not f.done()}
    cancelled = sum(bool(f.cancel()) for f in found if not (isinstance(f, DaskFuture) and f.key in ours))
    if ours:
        handed, slots = session.held.cancel(ours.keys())
        sent = [future for key, future in ours.items() if key not in handed]
        running = cancel_calls(session.client, sent) if sent else set()
        session.given_up |= running | slots
        cancelled += len(ours) - len(running) - len(slots)
    return cancelled


def _gathered(session: Session, futures: list[Any]) -> list[Any]:
    """The values of dask's futures. Raises ExecutorError if the scheduler falls silent while they are fetched."""
    client = session.client
    fetching = asyncio.run_coroutine_threadsafe(
        client.gather(futures, asynchronous=True), client.loop.asyncio_loop
    )
    while not concurrent.futures.wait([fetching], timeout=FETCH_LOOK_SECONDS).done:
        if client.status != "running" or session.watch.abandoned is not None:
            fetching.cancel()
            raise _gone(session)
    values: list[Any] = fetching.result()
    return values


def fetch(session: Session, futures: Any) -> Any:
    """The same shape with values in the place of futures. Raises the error of the first that has one."""
    _require_own_process(session)
    ours = {future.key: future for future in find(futures, "futures") if isinstance(future, DaskFuture)}
    for future in ours.values():
        future.raise_if_failed()
    values: dict[str, Any] = {}
    for key, future in ours.items():
        report = session.reports.take(key) if future.report is None else future.report
        if report is not None:
            values[key] = report
    left = [future for key, future in ours.items() if key not in values]
    try:
        if left:
            values.update(zip((future.key for future in left), _gathered(session, left), strict=True))
    except Exception as error:  # a worker died since, and with it what had been done
        known_error = as_ours(error, "a call that was done")
        if known_error is error:
            raise
        raise known_error from error
    return replace(
        futures,
        lambda future: values[future.key] if isinstance(future, DaskFuture) else future.result(),
    )
