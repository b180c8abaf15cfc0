"""Copies of large values that stay on workers: each is written by its worker, and noted once it is there.

note ──want, send──> write_copies on the worker that holds the value ──collect──> JournalWriter.keep_copy
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from turgo.engine.schedule.remote import RemoteValue, StoredBatch
from turgo.futures import Future
from turgo.journal.shelf import Shelf, new_name
from turgo.journal.writer import JournalWriter
from turgo.names import reason_of

UNSEEN = "its worker wrote it where this machine does not see it"

Wanted = tuple[Any, str, str]
"""A value to be copied: its slot, the folder or URL, and its path below that."""


class Copy(NamedTuple):
    """A value of a call that is to be copied. token: what the journal knows it by."""

    task: str
    identity: bytes
    name: str
    remote: RemoteValue
    token: Any


class Copies:
    """What is under way of one run. send: asks the worker for copies; answer: what came of that, or the error."""

    def __init__(
        self,
        writer: JournalWriter,
        shelf: Shelf,
        send: Callable[[StoredBatch, Sequence[Wanted]], Future[Any]],
        answer: Callable[[StoredBatch, Future[Any]], Any],
    ) -> None:
        self.writer = writer
        self.shelf = shelf
        self._send = send
        self._answer = answer
        self._wanted: dict[StoredBatch, list[Copy]] = {}
        self._under_way: list[tuple[StoredBatch, Future[Any], list[Copy]]] = []
        self._done = threading.Event()

    @property
    def under_way(self) -> bool:
        """Whether workers are writing."""
        return bool(self._under_way)

    def want(self, task: str, identity: bytes, remote: RemoteValue, token: Any) -> None:
        """A value is to be copied, with the others of its batch."""
        copy = Copy(task, identity, new_name(), remote, token)
        self._wanted.setdefault(remote.stored, []).append(copy)

    def send(self) -> list[tuple[Any, str]]:
        """Ask for what is wanted; the tokens of what cannot be asked for, and why."""
        wanted, self._wanted = self._wanted, {}
        refused: list[tuple[Any, str]] = []
        for stored, copies in wanted.items():
            places = [(copy.remote.slot, *self.shelf.store.target(copy.name)) for copy in copies]
            try:
                future = self._send(stored, places)
            except Exception as error:  # noqa: BLE001  (an executor's own code)
                refused += [(copy.token, reason_of(error)) for copy in copies]
                continue
            self._under_way.append((stored, future, copies))
            future.add_done_callback(lambda future: self._done.set())
        return refused

    def collect(self) -> list[tuple[Any, str]]:
        """Note the copies that were written since; the tokens of values of which there is none, and why."""
        refused = [(token, UNSEEN) for token in self._unseen()]
        done = [each for each in self._under_way if each[1].done()]
        self._under_way = [each for each in self._under_way if each not in done] if done else self._under_way
        for stored, future, copies in done:
            answer = self._answer(stored, future)
            if isinstance(answer, BaseException):
                answer = [reason_of(answer)] * len(copies)
            for copy, each in zip(copies, answer, strict=True):
                why = each if isinstance(each, str) else self._note(copy, *each)
                if why:
                    refused.append((copy.token, why))
        return refused

    def close(self) -> list[tuple[Any, str]]:
        """The tokens of those that are not noted when the run is over, and why."""
        left, self._under_way = self._under_way, []
        ended = [
            (copy.token, "the run ended before its worker had written it")
            for *_, each in left
            for copy in each
        ]
        return [*((token, UNSEEN) for token in self._unseen()), *ended]

    def _note(self, copy: Copy, size: int, content: bytes) -> str:
        """Write a copy down; or why not."""
        if content != copy.remote.digest:
            return "it was made again, and is another one"
        self.writer.keep_copy(copy.task, copy.identity, copy.name, size, content, copy.token)
        return ""

    def _unseen(self) -> list[Any]:
        found = []
        while self.writer.unseen:
            found.append(self.writer.unseen.popleft())
        return found

    def wait(self, seconds: float) -> None:
        """Wait until one of them may be done."""
        self._done.wait(seconds)
        self._done.clear()
