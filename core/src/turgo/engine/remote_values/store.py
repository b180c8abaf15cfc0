"""The large values of one site whose executor keeps results remote.

submit         ──>  remote values are passed as futures, large constants are sent once;
                    a batch whose values may be large stores them where it ran
submit_facts   ──>  a second, tiny call returns what is known of them
received       <──  the report, with a `RemoteValue` in the place of each value that stayed
fetch          <──  the values themselves, for whoever needs them here
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from turgo.engine.remote_values.broadcast import Broadcast
from turgo.engine.remote_values.prediction import SizePrediction
from turgo.engine.remote_values.references import insert_local, remote_reads, with_remotes
from turgo.engine.schedule.remote import RemoteValue, StoredBatch
from turgo.engine.transport.report import open_report, report_bytes
from turgo.engine.transport.report_check import checked
from turgo.engine.transport.shipment import Shipment
from turgo.engine.transport.worker_code import TextFunction
from turgo.errors import WorkerLostError
from turgo.executor import Executor, ExtraContext
from turgo.futures import Future, failure_of
from turgo.worker.code.bootstrap import Payload, WorkerCode
from turgo.worker.execute import execute, execute_and_store
from turgo.worker.outcomes import Report
from turgo.worker.values.pickles import LARGE_VALUE_BYTES
from turgo.worker.values.stored_values import LargeValue, Slot, facts, pick, store_sent

REFETCH_TIMES = 3
"""How often values that are fetched are made again, if each time their worker is lost."""

REMOTE_VALUE_BYTES = LARGE_VALUE_BYTES
"""A value that is at least so large stays on its worker."""


class RemoteStore:
    """The large values of one site. least: bytes of a value that stays."""

    def __init__(self, executor: Executor, number: int, worker_code: WorkerCode | None) -> None:
        self.executor = executor
        self.number = number
        self.worker_code = worker_code
        self.least = REMOTE_VALUE_BYTES
        self.moved_bytes = 0
        self.prediction = SizePrediction()
        self.fetch_all: Callable[[Sequence[RemoteValue]], None] = self.fetch
        self._execute = self._shipped(execute)
        self._execute_and_store = self._shipped(execute_and_store)
        self._facts = self._shipped(facts)
        self._facts_here: Callable[..., Any] = facts
        self._write_copies: Callable[..., Any] | None = None
        self._broadcast = Broadcast(self._send, number, worker_code)
        self._run_id = ""
        self._made: weakref.WeakSet[StoredBatch] = weakref.WeakSet()

    def _shipped(self, fn: Callable[..., Any]) -> Callable[..., Any]:
        return fn if self.worker_code is None else self.worker_code.function(f"{fn.__module__}:{fn.__name__}")

    def _send(self, payload: Payload) -> Future[Any]:
        self.moved_bytes += report_bytes(payload)
        context: ExtraContext = {**self._context("constant"), "task_stays": True}
        return self.executor.submit(self._shipped(store_sent), payload, extra_context=context)

    def _context(self, name: str) -> ExtraContext:
        return {"task_name": name, "run_id": self._run_id}

    def keep_copies(self) -> None:
        """Let workers say the digest of each large value, and write copies of some."""
        from turgo.worker.values.copies import facts_with_digests, write_copies  # late: few runs copy values

        self._facts_here = facts_with_digests
        self._facts, self._write_copies = facts_with_digests, write_copies
        if self.worker_code is not None:
            self._facts, self._write_copies = TextFunction(facts_with_digests), TextFunction(write_copies)

    def copy(self, stored: StoredBatch, wanted: Sequence[tuple[Slot, str, str]]) -> Future[Any]:
        """Ask the worker for copies of values: see `write_copies`. Raises what the executor raises."""
        assert self._write_copies is not None
        context = self._context("copy")
        return self.executor.submit(self._write_copies, stored.future, list(wanted), extra_context=context)

    def submit(self, shipment: Shipment, context: ExtraContext) -> Future[Any]:
        """Submit a batch; the future of its report, to be given to `received`. Raises what the executor raises."""
        self._run_id = context.get("run_id", "")
        sources = self._referenced(shipment)
        beside = ([stored.future for stored in sources],) if sources else ()
        if self._returns_values(shipment):
            return self.executor.submit(self._execute, shipment, *beside, extra_context=context)
        shipment.settle()
        known_large = self.prediction.any_large(piece.step.task for piece in shipment.pieces)
        stored = self._submit_and_store(shipment, context, sources, known_large)
        shipment.looked = not known_large and hasattr(stored.future, "type")
        return stored.future if shipment.looked else self._submit_facts(shipment, stored)

    def submit_facts(self, shipment: Shipment, future: Future[Any]) -> Future[Any] | None:
        """The future that is still to be waited for, after one of `submit` is done; None if none is.

        Where the future itself has the type of its value, a batch that left no large values costs one call.
        """
        stored = shipment.stored
        if stored is None or future is not stored.future or failure_of(future) is not None:
            return None
        return None if self.is_report(shipment, future) else self._submit_facts(shipment, stored)

    def is_report(self, shipment: Shipment, future: Future[Any]) -> bool:
        """Whether the value of a future of `submit`, which is done, is the report: without large values beside it."""
        if shipment.stored is not None and future is shipment.stored.future:
            if getattr(future, "type", None) in (dict, None):
                return False
            shipment.stored = None
        return True

    def _returns_values(self, shipment: Shipment) -> bool:
        """Whether values are not to stay: small ones, and those that a cache may keep."""
        first = shipment.pieces[0].step.task
        if not first.policy.idempotent:  # an executor makes again what it has lost
            return True
        if first.policy.cache_key is not None:  # such calls share a batch with no others
            return True
        return self.prediction.all_small(piece.step.task for piece in shipment.pieces)

    def _submit_and_store(
        self, shipment: Shipment, context: ExtraContext, sources: Sequence[StoredBatch], known_large: bool
    ) -> StoredBatch:
        """Submit a batch whose values stay, and note how it is submitted again. It holds nothing that it reads.

        known_large: whether a call for its facts follows at once.
        """
        parents = [weakref.ref(source) for source in sources]

        def submit(sources: Sequence[StoredBatch], *, stays: bool) -> Future[Any]:
            futures = [source.future for source in sources]
            hints: ExtraContext = {**context, "task_stays": True} if stays else context
            return self.executor.submit(
                self._execute_and_store, shipment, futures, self.least, extra_context=hints
            )

        def again() -> None:
            alive = [source for parent in parents if (source := parent()) is not None]
            if len(alive) == len(parents):
                for source in alive:
                    source.renew()
                shipment.outcomes = []
                itself().future = submit(alive, stays=True)  # type: ignore[union-attr]  # it is there, as it calls

        stored = shipment.stored = StoredBatch(submit(sources, stays=known_large), self.number)
        allowed = (piece.step.task.policy.crash_retries for piece in shipment.pieces)
        stored.most = max(stored.most, 1 + max(allowed))
        self._made.add(stored)
        itself = weakref.ref(stored)
        stored.again = again
        return stored

    def remaking(self) -> bool:
        """Whether the executor makes values again that were lost; to be asked while no submission is under way."""
        return any(not stored.future.done() for stored in list(self._made))

    def _submit_facts(self, shipment: Shipment, stored: StoredBatch) -> Future[Any]:
        """Ask what there is to know of a batch whose values stay."""
        name = f"{shipment.pieces[0].step.task.name}-facts"
        return self.executor.submit(self._facts, stored.future, extra_context=self._context(name))

    def resubmit_facts(self, shipment: Shipment) -> Future[Any] | None:
        """The facts once more, as the worker that was to report them is lost; None if the values are lost as well.

        The executor makes again by itself what was lost after it was made; submitted again, it would be made twice.
        """
        stored = shipment.stored
        if stored is None or (stored.future.done() and failure_of(stored.future) is not None):
            return None
        return self._submit_facts(shipment, stored)

    def own_error(self, shipment: Shipment, error: WorkerLostError) -> BaseException:
        """The error of a batch itself, where the one at hand is that of the call for its facts."""
        stored = shipment.stored
        own = failure_of(stored.future) if stored is not None and stored.future.done() else None
        return error if own is None else own

    def _referenced(self, shipment: Shipment) -> list[StoredBatch]:
        """Replace the remote values that a batch reads by references; what they refer to, in the order of numbers."""
        reads = list(remote_reads(shipment)) if shipment.remote else []
        reads += self._broadcast.reads(shipment, self.least)
        foreign = [read for read in reads if read.remote.stored.site != self.number]
        self.fetch_all([read.remote for read in foreign if read.remote.home is None])
        for read in foreign:
            insert_local(shipment, read)
        numbers: dict[StoredBatch, int] = {}
        shipment.reads = [
            read.numbered(numbers.setdefault(read.remote.stored, len(numbers)))
            for read in reads
            if read.remote.stored.site == self.number
        ]
        for stored in numbers:
            stored.renew()
        return list(numbers)

    def received(self, shipment: Shipment, report: Any) -> tuple[Report | BaseException, int]:
        """The report of a batch, or the error that is all there is of it; and how many bytes its values have.

        The size is 0 if they were not sent.
        """
        stored, shipment.stored = shipment.stored, None
        if stored is None:
            return self._small(shipment, report)
        packed, rows = self._facts_here(report) if type(report) is dict else report
        size, opened = report_bytes(packed), checked(open_report(packed), shipment.pieces)
        if isinstance(opened, BaseException):
            return opened, size
        large = [LargeValue(*row) for row in rows]
        tasks = [piece.step.task for piece in shipment.pieces]
        self.prediction.learn(tasks, opened.outcomes, {tasks[each.slot[0]] for each in large})
        stored.slots = len(large)
        stored.worker = str(opened.stamp[0]).partition("/")[0]
        shipment.remote.update(shipment.pieces[each.slot[0]].step.id for each in large)
        total = size + sum(each.size for each in large)
        return opened._replace(outcomes=with_remotes(opened.outcomes, large, stored)), total

    def _small(self, shipment: Shipment, report: Any) -> tuple[Report | BaseException, int]:
        """The report of a batch that stored nothing, and its size."""
        size, opened = report_bytes(report), checked(open_report(report), shipment.pieces)
        if not isinstance(opened, BaseException):
            tasks = [piece.step.task for piece in shipment.pieces]
            if shipment.looked:
                self.prediction.learn(tasks, opened.outcomes, set())
            elif isinstance(report, Payload) or size >= self.least * shipment.calls_count:
                self.prediction.forget(tasks)
        return opened, size

    def forget(self) -> None:
        """Drop what was sent to stay there."""
        self._broadcast.forget()

    def fetch(self, remotes: Iterable[RemoteValue]) -> None:
        """Fetch values of this site, all at once. Raises what waiting for them, or unpickling them, raises."""
        wanted: dict[StoredBatch, dict[Slot, RemoteValue]] = {}
        for remote in remotes:
            wanted.setdefault(remote.stored, {})[remote.slot] = remote
        for (stored, slots), found in zip(wanted.items(), self._waited(wanted), strict=True):
            payloads = found if len(slots) == stored.slots else dict(zip(slots, found, strict=True))
            for slot, remote in slots.items():
                self.moved_bytes += report_bytes(payloads[slot])
                remote.home = (payloads[slot].open(),)

    def _waited(self, wanted: dict[StoredBatch, dict[Slot, RemoteValue]]) -> list[Any]:
        """Of each stored batch the whole, if all of it is wanted, else the payloads that are."""
        pick_there = self._shipped(pick)
        for left in reversed(range(REFETCH_TIMES)):
            for stored in wanted:
                stored.renew()
            futures = [
                stored.future
                if len(slots) == stored.slots
                else self.executor.submit(
                    pick_there, stored.future, list(slots), extra_context=self._context("pick")
                )
                for stored, slots in wanted.items()
            ]
            try:
                return self.executor.wait(futures)  # type: ignore[no-any-return]
            except WorkerLostError:
                if not left:
                    raise
        raise AssertionError
