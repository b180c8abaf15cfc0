"""The cache within a run. Asks for calls that became ready, and keeps the values of those that ran.

    ready.asked ──arguments──> Keys ──> store.get ──> schedule.succeeded(…, CACHED) | ready.missed
    outcomes of a batch ───────────────> store.put

What a resumed run asks its journal for goes the same way, before that. Input and output are done for the schedule, in
the loop's thread, in bunches and for a short while at a time. A store that fails fails no task: the run continues
without it.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import Any

from turgo.caching.entries import open_entry, pack, written
from turgo.caching.keys import Keys
from turgo.engine.kept.journal import RunJournal
from turgo.engine.kept.plain_tasks import PlainTasks
from turgo.engine.remote_values.references import fetch_reads
from turgo.engine.schedule.pieces import Piece, keys_of
from turgo.engine.schedule.schedule import Schedule
from turgo.engine.transport.functions import Calls
from turgo.engine.transport.shipment import load
from turgo.errors import CacheKeyError, CorruptEntryError, UnkeyedCallError
from turgo.flows.task import AnyTask
from turgo.identity.code import Code
from turgo.records.ledger import Failure, Key
from turgo.records.states import CACHED, TaskState
from turgo.stores.store import Store
from turgo.worker.arguments import CONSTANTS, RESULTS, arguments, filled
from turgo.worker.outcomes import MapOutcome, Outcome
from turgo.worker.process import is_local

logger = logging.getLogger("turgo")

LOOKUP_CALLS = 256
"""Calls that a store is asked for at once."""

LOOKUP_SECONDS = 0.05
"""Seconds of asking, after which what is ready is sent."""

READY_CALLS = 10_000
"""Calls that are ready to run with which no more are looked up, as each of them costs memory."""

Arguments = tuple[Sequence[Any], dict[str, Any]]


class Cache:
    """What the tasks of one run keep for the next.

    store: None if there is none, or it is out of reach. journal: of the run, if it has one.
    sought: for each call that was asked for in vain, the key that its value is to be kept under.
    """

    def __init__(
        self, schedule: Schedule, store: Store | None, calls: Calls, journal: RunJournal | None = None
    ) -> None:
        self.schedule = schedule
        self.progress = schedule.progress
        self.calls = calls
        self.store = store
        self.journal = journal
        self._local = (
            False  # whether calls run in this process, where one can change what another one was given
        )
        self.sought: dict[Key, str] = {}
        self._plain = PlainTasks(self.progress)
        self._code = Code()
        self._keys: dict[AnyTask, Keys] = {}
        self._warned: Counter[tuple[str, AnyTask]] = Counter()

    @property
    def busy(self) -> bool:
        """Whether there are calls to be looked up, and not enough to run as it is."""
        if not self.schedule.ready.asked:
            return False
        queues = self.schedule.ready.queues
        return sum(sum(queue.calls.values()) for lane, queue in queues.items() if lane.keeps) < READY_CALLS

    def answer(self) -> None:
        """Look up calls that the schedule asks for, for a short while."""
        until = time.monotonic() + LOOKUP_SECONDS
        while self.busy:
            self._look_up(self._bunch())
            if time.monotonic() > until:
                return

    def answer_all(self) -> None:
        """Look up all calls that the schedule asks for, and those that this makes it ask for."""
        while self.schedule.ready.asked:
            self._look_up(self._bunch())

    def _bunch(self) -> list[Piece]:
        """Some of the pieces that are asked for, the first ones of a longer one."""
        asked, room = self.schedule.ready.asked, LOOKUP_CALLS
        pieces: list[Piece] = []
        while asked and room > 0:
            node, low, high = asked.pop()
            if high - low > room:
                asked.append((node, low + room, high))
                high = low + room
            pieces.append((node, low, high))
            room -= high - low or 1
        return pieces

    def _look_up(self, pieces: list[Piece]) -> None:
        """Ask the store for the calls of some pieces, and report to the schedule what became of each."""
        wanted: dict[Key, str] = {}
        refused: dict[Key, Failure] = {}
        taken = {} if self.journal is None else self.journal.taken_over(pieces)
        if self.store is not None:
            for piece in pieces:
                if self.progress.nodes[piece[0]].task.policy.cache_key is not None:
                    self._make_keys(piece, wanted, refused)
        if self.journal is not None:
            refused |= self.journal.refused(pieces, taken)
        found = {**self._get({call: key for call, key in wanted.items() if call not in taken}), **taken}
        for piece in reversed(pieces):
            self._tell(piece, found, refused)

    def _make_keys(self, piece: Piece, wanted: dict[Key, str], refused: dict[Key, Failure]) -> None:
        """Find the key of each call, or the error of one whose `cache_key` fails. One without a key simply runs."""
        node, low, _ = piece
        task = self.progress.nodes[node].task
        keys = self._keys.get(task)
        if keys is None:
            keys = self._keys[task] = Keys(task, self._code)
        try:
            made = list(self._arguments(piece))
        except Exception:  # noqa: BLE001  (what it reads was lost with a worker …: it runs, and reports that itself)
            return
        for offset, (args, kwargs) in enumerate(made):
            call = (node, None if low < 0 else low + offset)
            if call in self.sought:
                continue  # it was not there a while ago, and is tried again
            try:
                wanted[call] = keys.key_of(args, kwargs)
            except CacheKeyError as error:
                refused[call] = Failure(TaskState.FAILED, error)
            except UnkeyedCallError as error:
                self._warn("key", call, str(error))

    def _arguments(self, piece: Piece) -> Iterator[Arguments]:
        """The arguments of the calls of a piece, as a worker would put them together."""
        shipment = load([piece], self.progress, self.calls)
        node, columns = shipment.pieces[0].step, shipment.pieces[0].columns
        if shipment.remote:
            fetch_reads(shipment, self.progress.fetch)
        given, source = shipment.given, shipment.source
        if columns is not None:
            yield from arguments(node, columns, given, source)
        elif node.plan == RESULTS:
            yield [given[id] if id in given else source[id] for id in node.args], {}
        elif node.plan == CONSTANTS:
            yield node.args, node.kwargs
        else:
            yield filled(node, given, source)

    def _get(self, wanted: dict[Key, str]) -> dict[Key, Any]:
        """The values that are there and still count, by call; the others are sought from now on."""
        entries: dict[str, bytes] = {}
        if self.store is not None and wanted:
            try:
                entries = self.store.get(list(set(wanted.values())))
            except OSError as error:
                self._give_up("read", error)
        values: dict[Key, Any] = {}
        now = time.time()
        for call, key in wanted.items():
            if key in entries:
                try:
                    if self._counts(call, entries[key], now):
                        values[call] = open_entry(key, entries[key])
                        continue
                except CorruptEntryError as error:
                    self._warn(
                        "entry", call, f"the cached value of {self._label(call)} is made anew: {error}"
                    )
            self.sought[call] = key
        return values

    def _counts(self, call: Key, entry: bytes, now: float) -> bool:
        expires = self.progress.nodes[call[0]].task.policy.cache_expires
        return expires is None or now - written(entry) < expires

    def _tell(self, piece: Piece, found: dict[Key, Any], refused: dict[Key, Failure]) -> None:
        """Report to the schedule what became of the calls of a piece, neighbours with the same fate together."""
        schedule, node = self.schedule, piece[0]
        left = []
        for call in keys_of(piece):
            if call in refused and call not in found:
                schedule.refuse(call, refused[call])
            else:
                left.append(call)
        if piece[1] >= 0:
            self._tell_elements(node, [index for _, index in left if index is not None], found)
        elif left and left[0] in found:
            schedule.succeeded(node, found[left[0]], CACHED)
        elif left:
            schedule.ready.missed(piece)

    def _tell_elements(self, node: int, left: Sequence[int], found: dict[Key, Any]) -> None:
        """Report what became of elements of a node, none of which were refused."""
        pairs = groupby(enumerate(left), lambda pair: (pair[1] - pair[0], (node, pair[1]) in found))
        for run in reversed([[index for _, index in neighbours] for _, neighbours in pairs]):
            first, last = run[0], run[-1] + 1
            if (node, first) in found:
                values = [found[node, index] for index in run]
                self.schedule.elements_succeeded(node, first, last, values, {}, CACHED)
            else:
                self.schedule.ready.missed((node, first, last))

    def begin(self, pieces: Sequence[Piece]) -> bool:
        """Look at what calls take that are about to be sent. Returns whether their values are kept as they are made."""
        if self.journal is None:
            return False
        self.journal.begin(pieces)
        return True

    def keep(self, pieces: Sequence[Piece], outcomes: Sequence[Any], worker: str) -> None:
        """Note the values that a batch returned, and put them into the store if they were sought there."""
        if self.journal is not None:
            self.journal.note(pieces, outcomes)
            self._local = self._local or is_local(worker)
            self.progress.apart = self._local
            if self._local:
                self._plain.learn(pieces, outcomes)
        if self.store is None or not self.sought:
            return
        entries: dict[str, bytes] = {}
        now = time.time()
        nodes = self.progress.nodes
        for (node, low, _), outcome in zip(pieces, outcomes, strict=False):
            if nodes[node].task.policy.cache_key is None:
                return  # nor has any other call of this batch
            for call, value in _values(node, low, outcome):
                key = self.sought.pop(call, None)
                if key is not None:
                    self._pack(call, key, value, now, entries)
        if entries:
            try:
                self.store.put(entries)
            except OSError as error:
                self._give_up("written to", error)

    def collect(self) -> None:
        """Note what workers have written for the journal."""
        if self.journal is not None:
            self.journal.collect()

    def settle(self, check: Callable[[], None]) -> None:
        """Wait for what workers still write for the journal. check: raises if the run is to end."""
        if self.journal is not None:
            self.journal.settle(check)

    def _pack(self, call: Key, key: str, value: Any, now: float, entries: dict[str, bytes]) -> None:
        try:
            entries[key] = pack(key, value, now)
        except Exception as error:  # noqa: BLE001  (user data, whose pickling may raise anything)
            label = self._label(call)
            self._warn("value", call, f"the value of {label} is not cached: it cannot be pickled ({error})")

    def _label(self, call: Key) -> str:
        return self.progress.ledger.task_run(call).label

    def _warn(self, kind: str, call: Key, message: str) -> None:
        """Once for each task, ten times if entries are damaged: a mapped task would say it a million times."""
        key = (kind, self.progress.nodes[call[0]].task)
        self._warned[key] += 1
        if self._warned[key] <= (10 if kind == "entry" else 1):
            logger.warning("%s", message)

    def _give_up(self, deed: str, error: OSError) -> None:
        assert self.store is not None
        logger.warning(
            "the cache at %s cannot be %s: %s; this run goes on without it", self.store.where, deed, error
        )
        self.store = None


def _values(node: int, low: int, outcome: Outcome) -> Iterator[tuple[Key, Any]]:
    """The values of an outcome by call."""
    if isinstance(outcome, MapOutcome):
        for offset, value in enumerate(outcome.values):
            if offset not in outcome.failures:
                yield (node, low + offset), value
    elif outcome is not None and outcome.failure is None:
        yield (node, None), outcome.value
