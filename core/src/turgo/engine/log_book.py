"""The log book keeps what the calls of a run log. Each line is handled once and kept with its call.

    worker ──bunch──> deliver, any thread ──queue──> a thread of its own ──┐
    worker ──report─> reported, the loop's thread ────────────────────────┴──> the driver's handlers, the ledger

A line may come twice: while its call runs, as far as the executor has a channel, and in the report of its batch. The
number of the line shows it. Of a call that was killed there is no report, and of an executor without channel no stream.
"""

from __future__ import annotations

import contextvars
import logging
import pickle
import queue
import threading
from collections.abc import Sequence
from typing import Any, NamedTuple

import attrs

from turgo.engine.schedule.pieces import Piece
from turgo.engine.schedule.progress import Progress
from turgo.names import reason_of
from turgo.records.ledger import Key
from turgo.records.task_run import LogLine
from turgo.records.titles import Title
from turgo.worker.output.lines import HEAD, Line, is_begin, place_of
from turgo.worker.output.logs import TASK_LOG_CHARACTERS, TASK_LOG_LINES

RUN_LOG_LINES = 100_000
"""How many lines that its tasks logged a run keeps. The handlers of the driver get all of them."""

QUEUE_BYTES = 1 << 26
"""How much may wait for the driver's handlers; what comes above that is counted and dropped."""

CLOSE_SECONDS = 5.0
"""How long the end of a run waits for the driver's handlers."""

logger = logging.getLogger("turgo")


class Begun(NamedTuple):
    """What a batch has told that tells which call it begins. last: the call that began last; None if none has."""

    last: Key | None


@attrs.define(eq=False)
class _BatchLog:
    """What is known of the lines of one batch. seen: the number of the last line that came while it ran.

    reported: the numbers of the lines that came in its report and not before. last: the call that began last, as far as
    it tells.
    """

    pieces: Sequence[Piece]
    last: Key | None = None
    seen: int = 0
    reported: frozenset[int] = frozenset()


class LogBook:
    """Takes in the lines of one run. progress: whose nodes and ledger they are of."""

    def __init__(self, progress: Progress, run_id: str) -> None:
        self._progress = progress
        self._run_id = run_id
        self._batches: dict[str, _BatchLog] = {}
        self._kept: dict[Key, list[int]] = {}
        self._lines = 0
        self._opened = 0
        self._lock = threading.RLock()  # a handler may itself log
        self._counting = threading.Lock()  # of its own, as `deliver` is not to wait for handlers
        self._bunches: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._waiting = 0
        self._dropped = 0
        self._refused = False
        self._closed = False
        # the run may be within a task, whose lines these are as well
        self._context = contextvars.copy_context()
        self._thread: threading.Thread | None = None

    def open(self, pieces: Sequence[Piece]) -> str:
        """Expect lines of a batch while it runs; its name."""
        self._opened += 1
        name = f"{self._run_id}/{self._opened}"
        self._batches[name] = _BatchLog(pieces)
        return name

    def deliver(self, bunch: bytes) -> None:
        """Take a bunch of lines from a worker, or that a call begins, in any thread. Returns at once."""
        try:
            if is_begin(bunch):
                self._began(*place_of(bunch))
                return
            (count,) = HEAD.unpack_from(bunch)
        except Exception as error:  # noqa: BLE001  (bytes that are none of ours, whose unpickling may raise anything)
            self._refuse(error)
            return
        with self._counting:
            if self._closed:  # its report has had its lines
                return
            if self._waiting + len(bunch) > QUEUE_BYTES:
                self._dropped += count
                return
            self._waiting += len(bunch)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="turgo-log-book", daemon=True)
                self._thread.start()
            self._bunches.put(bunch)

    def begun(self, name: str) -> Begun:
        """What a batch that tells which call it begins has told until now."""
        batch = self._batches.get(name)
        return Begun(batch.last if batch is not None else None)

    def _began(self, name: str, at: int, offset: int | None) -> None:
        batch = self._batches.get(name)
        if batch is not None:
            batch.last = _key_at(batch, at, offset)

    def reported(self, name: str, pieces: Sequence[Piece], lines: Sequence[Line], *, handle: bool) -> None:
        """Take the lines of a batch that is over. handle: whether the driver's handlers are still to get them."""
        with self._lock:
            batch = self._batches.get(name) or _BatchLog(pieces)
            if not lines and not batch.seen:
                self._batches.pop(name, None)
                return
            sound = [line for line in lines if _is_sound(line, len(batch.pieces))]
            fresh = [line for line in sound if line.number < 0 or line.number > batch.seen]
            batch.reported = frozenset(line.number for line in fresh)
            for line in fresh:
                self._take(batch, line, handle=handle and line.fields is not None)

    def close(self) -> None:
        """Wait until all that was delivered is handled, or CLOSE_SECONDS; say how many lines were dropped."""
        with self._counting:  # a thread that is being started is started then
            self._closed, thread = True, self._thread
        if thread is not None:
            self._bunches.put(None)
            thread.join(CLOSE_SECONDS)
            dropped = self._dropped + (self._left() if thread.is_alive() else 0)
            if dropped:
                logger.warning(
                    "%d lines of tasks did not reach the handlers here, which are slower than the tasks that log",
                    dropped,
                )

    def _left(self) -> int:
        """How many lines wait for handlers that are too slow; none of them is handled any more."""
        left = 0
        while not self._bunches.empty():
            bunch = self._bunches.get()
            left += HEAD.unpack_from(bunch)[0] if bunch is not None else 0
        self._bunches.put(None)
        return left

    def _run(self) -> None:
        while (bunch := self._bunches.get()) is not None:
            with self._counting:
                self._waiting -= len(bunch)
            try:
                for name, fields in pickle.loads(memoryview(bunch)[HEAD.size :]):
                    self._context.run(self._streamed, name, Line(*fields))
            except Exception as error:  # noqa: BLE001  (as above; or a filter of the user's, which is to stop no run)
                self._refuse(error)

    def _refuse(self, error: Exception) -> None:
        """Say once that something that came is no line."""
        if not self._refused:
            self._refused = True
            logger.warning("some lines of tasks are lost, as they cannot be read here: %s", reason_of(error))

    def _streamed(self, name: str, line: Line) -> None:
        with self._lock:
            batch = self._batches.get(name)
            if batch is not None and not _is_sound(line, len(batch.pieces)):
                raise TypeError("a line has fields of other types")
            if batch is None or line.number <= batch.seen or line.number in batch.reported:
                return
            batch.seen = line.number
            self._take(batch, line, handle=line.fields is not None)

    def _take(self, batch: _BatchLog, line: Line, *, handle: bool) -> None:
        key: Key | None = None
        if line.at >= 0:
            key = _key_at(batch, line.at, line.offset)
            self._keep(key, LogLine(line.logger, line.level, line.text, line.time), counts=line.number >= 0)
        own = logging.getLogger(line.logger)
        if handle and own.isEnabledFor(line.level):
            own.handle(self._record(line, key))

    def _record(self, line: Line, key: Key | None) -> logging.LogRecord:
        """The record as if it had been made here."""
        fields: dict[str, Any] = {
            "name": line.logger,
            "levelno": line.level,
            "msg": line.text,
            "args": None,
            "created": line.time,
        }
        fields |= {"levelname": logging.getLevelName(line.level), "msecs": line.time % 1 * 1000}
        if key is not None:
            node = self._progress.nodes[key[0]]
            label = (node.task.name, node.index if key[1] is None else key[1])
            fields |= {"task": label[0], "task_index": label[1], "task_title": Title(label, self, key)}
        return logging.makeLogRecord({**fields, **(line.fields or {})})

    def input_of(self, key: Key) -> str:
        """What a call is made of, in words, as far as that is known."""
        from turgo.engine.schedule.inputs import input_of  # late, with all that shows values

        return self._progress.ledger.inputs.get(key) or input_of(self._progress, key)

    def _keep(self, key: Key, line: LogLine, *, counts: bool) -> None:
        """Keep a line, unless its call or the run has logged enough. counts: whether the call logged it itself."""
        kept = self._kept.setdefault(key, [0, 0])
        if counts:
            kept[0] += 1
            kept[1] += len(line.message)
        full = counts and (kept[0] > TASK_LOG_LINES or kept[1] > TASK_LOG_CHARACTERS)
        if full or self._lines >= RUN_LOG_LINES:
            return
        self._lines += 1
        lines = self._progress.ledger.logs.setdefault(key, [])
        lines.append(line)
        if self._lines == RUN_LOG_LINES:
            text = f"this run has logged {RUN_LOG_LINES:,} lines; those that follow are not kept"
            lines.append(LogLine("turgo", logging.WARNING, text, line.time))


def _key_at(batch: _BatchLog, at: int, offset: int | None) -> Key:
    """The call at a place of a batch."""
    node_id, low, _ = batch.pieces[at]
    return node_id, None if offset is None else low + offset


_NUMBER = (int, float)
_TYPES: tuple[Any, ...] = (int, int, (int, type(None)), str, _NUMBER, str, _NUMBER, (dict, type(None)))
"""Of the fields of a Line."""


def _is_sound(line: Line, pieces: int) -> bool:
    """Whether it is made of what a line is made of, and of a call of a batch with so many pieces, or of none."""
    known = all(isinstance(field, kind) for field, kind in zip(line, _TYPES, strict=True))
    return known and -1 <= line.at < pieces
