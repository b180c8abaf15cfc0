"""A client of distributed without two of its faults. Log lines that repeat our errors are left out."""

from __future__ import annotations

import asyncio
import importlib.util
import logging
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FunctionType
from typing import Any

import distributed

FAILED_CLIENT_CLOSE_SECONDS = 2.0


class _Warnings:
    """The module `warnings`, as distributed sees it while it sends our calls.

    Where a call has a large constant, the warning of a "large graph" recommends what the author of a flow cannot do,
    and what was done already: the constant is sent once. Dask's configuration and Python's filters could only
    silence it for all clients of this process.
    """

    @staticmethod
    def warn(message: Any, *args: Any, **kwargs: Any) -> None:
        """Pass on any other one."""
        if not str(message).startswith("Sending large graph"):
            warnings.warn(message, *args, **{"stacklevel": 2, **kwargs})


_sending = distributed.Client._graph_to_futures
_sending_quietly = FunctionType(
    _sending.__code__,
    {**_sending.__globals__, "warnings": _Warnings},
    _sending.__name__,
    _sending.__defaults__,
    _sending.__closure__,
)
_sending_quietly.__kwdefaults__ = _sending.__kwdefaults__


@contextmanager
def filtered_logger(name: str, kept: Callable[[logging.LogRecord], bool]) -> Iterator[None]:
    """Inside, a logger drops the records that are not to be kept."""
    logger = logging.getLogger(name)
    logger.addFilter(kept)
    try:
        yield
    finally:
        logger.removeFilter(kept)


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


class Client(distributed.Client):  # type: ignore[misc]  # distributed has no types
    """The executor's client of its scheduler. on_end: told, in its loop, of each call that the scheduler has ended."""

    # Without its log of whatever ends it: the loss of the scheduler is our error.
    _reconnect = getattr(distributed.Client._reconnect, "__wrapped__", distributed.Client._reconnect)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._senders: set[int] = set()
        self.on_end: Callable[[str], None] = lambda key: None
        super().__init__(*args, **kwargs)

    def _graph_to_futures(self, *args: Any, **kwargs: Any) -> Any:
        thread = threading.get_ident()
        self._senders.add(thread)
        try:
            return _sending_quietly(self, *args, **kwargs)
        finally:
            self._senders.discard(thread)

    @contextmanager
    def quiet(self) -> Iterator[None]:
        """Keep distributed from logging what is the error of a call of ours, or is mended by the engine.

        That is the traceback of a call that cannot be pickled, and keys of values that were lost with their workers.
        Other users of distributed in this process see their log lines.
        """

        def of_others(record: logging.LogRecord) -> bool:
            return record.thread not in self._senders

        def not_of_lost_values(record: logging.LogRecord) -> bool:
            ours = getattr(self.loop, "asyncio_loop", None) is _running_loop()
            return not (ours and str(record.msg).startswith("Couldn't gather"))

        with (
            filtered_logger("distributed.protocol.pickle", of_others),
            filtered_logger("distributed.client", not_of_lost_values),
        ):
            yield

    def start(self, **kwargs: Any) -> None:
        """Connect, or leave nothing behind: distributed would close it at exit, and wait ten seconds for that."""
        try:
            super().start(**kwargs)
        except BaseException:
            with suppress(TimeoutError):
                self.close(timeout=FAILED_CLIENT_CLOSE_SECONDS)
            raise

    def _handle_key_in_memory(self, key: Any = None, type: Any = None, workers: Any = None) -> None:
        super()._handle_key_in_memory(key, type, workers)
        self.on_end(key)

    def _handle_lost_data(self, key: Any = None) -> None:
        super()._handle_lost_data(key)
        self.on_end(key)

    def _handle_cancelled_keys(self, keys: Any, reason: Any = None, msg: Any = None) -> None:
        super()._handle_cancelled_keys(keys, reason, msg)
        for key in keys:
            self.on_end(key)

    async def _cancel(self, futures: Any, *args: Any, **kwargs: Any) -> None:
        keys = [future.key for future in distributed.futures_of(futures)]
        await super()._cancel(futures, *args, **kwargs)
        for key in keys:
            self.on_end(key)

    def _handle_task_erred(self, key: Any = None, exception: Any = None, traceback: Any = None) -> None:
        """A call has failed; called in the client's event loop.

        Where a worker cannot pickle the traceback (a recursion that went too deep), it sends its text instead.
        Distributed stumbles over that, and the future would wait for ever.
        """
        try:
            super()._handle_task_erred(key, exception, traceback)
        except AssertionError:
            super()._handle_task_erred(key, exception, None)
        self.on_end(key)


def dashboard_of(client: Client, live: Any) -> str | None:
    """Where the dashboard is; None if there is none, or nothing to see on it, as a cluster of ours has no bokeh."""
    if live is not None and importlib.util.find_spec("bokeh") is None:
        return None
    if not client.scheduler_info()["services"].get("dashboard"):
        return None
    link = str(client.dashboard_link)
    scheduler: Any = getattr(live, "scheduler", None)
    if getattr(scheduler, "http_server", None) is not None and str(scheduler.address).startswith("inproc:"):
        # It has the machine's name there, whatever the dashboard listens on.
        host = link.partition("://")[2].partition(":")[0]
        return link.replace(host, "127.0.0.1", 1)
    return link
