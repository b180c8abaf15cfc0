"""Luggage: what one site does with large values, on an executor that keeps results remote.

    submit    ──>  values that stayed on workers go along as futures, constants that are large are sent once;
                   a batch whose values may be large keeps them where it ran
    second    ──>  a second, tiny call tells of them
    received  <──  the report, with a `Remote` in the place of each value that stayed
    fetch     <──  the values themselves, for whoever needs them here

Which tasks bring large values is learned; see `weights`.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from penstock.engine import keeping, work
from penstock.engine.carried import Carrier, Parcel
from penstock.engine.keeping import Known, Slot
from penstock.engine.portable import LARGE
from penstock.engine.remote import Keep, Remote
from penstock.engine.sending import Sending
from penstock.engine.shipping import Shipment
from penstock.engine.stowing import put_here, remotes_in, with_remotes
from penstock.engine.unpacking import open_report
from penstock.engine.weights import Weights
from penstock.errors import WorkerLostError
from penstock.executor import Executor, ExtraContext
from penstock.futures import Future, failure_of

AGAIN = 3
"""How often values that are to come here are made again, if each time their worker is lost."""


class Luggage:
    """The large values of one site. least: bytes of a value that stays; values_stay: whether any do."""

    def __init__(self, executor: Executor, number: int, carrier: Carrier | None) -> None:
        self.executor, self.number, self.carrier = executor, number, carrier
        self.values_stay = "keeps_results_remote" in executor.capabilities
        self.least = LARGE
        self.bring: Callable[[Sequence[Remote]], None] = self.fetch
        self._execute, self._keeping = self._there(work.execute), self._there(work.execute_keeping)
        self._facts = self._there(keeping.facts)
        self._sending = Sending(self._send, number, carrier)
        self._run_id = ""
        self.weights = Weights()

    def _there(self, fn: Callable[..., Any]) -> Callable[..., Any]:
        return fn if self.carrier is None else self.carrier.call(f"{fn.__module__}:{fn.__name__}")

    def _send(self, parcel: Parcel) -> Future[Any]:
        return self.executor.submit(self._there(keeping.keep), parcel, extra_context=self._named("constant"))

    def _named(self, name: str) -> ExtraContext:
        return {"task_name": name, "run_id": self._run_id}

    def submit(self, shipment: Shipment, context: ExtraContext) -> Future[Any]:
        """Send a batch; the future of its report, for `received` to make sense of. Raises what the executor raises."""
        shipment.carrier = self.carrier
        self._run_id = context.get("run_id", "")
        keeps = self._stowed(shipment) if self.values_stay or shipment.remote else []
        beside = ([keep.future for keep in keeps],) if keeps else ()
        if not self.values_stay or self._come_home(shipment):
            return self.executor.submit(self._execute, shipment, *beside, extra_context=context)
        shipment.settle()
        self._keep(shipment, context, keeps)
        assert shipment.keep is not None
        known_large = self.weights.any_heavy(piece[0].task for piece in shipment.pieces)
        shipment.looked = not known_large and hasattr(shipment.keep.future, "type")
        return shipment.keep.future if shipment.looked else self._told(shipment)

    def second(self, shipment: Shipment, future: Future[Any]) -> Future[Any] | None:
        """What is still to be waited for, after a future of `submit` is done; None if nothing is.

        Where the future itself tells of what type its value is, a batch that left no large values costs one call.
        """
        if shipment.keep is None or future is not shipment.keep.future or failure_of(future) is not None:
            return None
        return None if self.at_hand(shipment, future) else self._told(shipment)

    def at_hand(self, shipment: Shipment, future: Future[Any]) -> bool:
        """Whether the value of a future of `submit`, which is done, is the report: without large values beside it."""
        if shipment.keep is not None and future is shipment.keep.future:
            if getattr(future, "type", None) in (dict, None):
                return False
            shipment.keep = None
        return True

    def _come_home(self, shipment: Shipment) -> bool:
        """Whether values are not to stay: those of tasks that bring none that are large, and what a cache may keep."""
        cached = shipment.pieces[0][0].task.policy.cache_key is not None  # such share a batch with no others
        return cached or self.weights.all_light(piece[0].task for piece in shipment.pieces)

    def _keep(self, shipment: Shipment, context: ExtraContext, keeps: Sequence[Keep]) -> None:
        """Send a batch whose values stay, and note how it is sent again. It holds on to nothing that it reads."""
        parents = [weakref.ref(keep) for keep in keeps]

        def sent(keeps: Sequence[Keep]) -> Future[Any]:
            futures = [keep.future for keep in keeps]
            return self.executor.submit(self._keeping, shipment, futures, self.least, extra_context=context)

        def again() -> None:
            there = [parent() for parent in parents]
            alive = [parent for parent in there if parent is not None]
            if len(alive) == len(there):
                for parent in alive:
                    parent.renew()
                shipment.outcomes = []
                itself().future = sent(alive)  # type: ignore[union-attr]  # it is there, as it calls

        keep = shipment.keep = Keep(sent(keeps), self.number)
        keep.again, itself = again, weakref.ref(keep)

    def _told(self, shipment: Shipment) -> Future[Any]:
        """Ask what there is to know of a batch whose values stay."""
        assert shipment.keep is not None
        name = f"{shipment.pieces[0][0].task.name}-facts"
        return self.executor.submit(self._facts, shipment.keep.future, extra_context=self._named(name))

    def told_again(self, shipment: Shipment) -> Future[Any] | None:
        """The worker that was to tell of a batch is lost. Another one tells, if what was kept is there or on its way.

        The executor makes again by itself what was lost after it was made; sent once more, it would be made twice.
        """
        keep = shipment.keep
        if keep is None or (keep.future.done() and failure_of(keep.future) is not None):
            return None
        return self._told(shipment)

    def _stowed(self, shipment: Shipment) -> list[Keep]:
        """Replace what a batch reads and is not here by where it is; what is to go along, in the order of numbers."""
        found = list(remotes_in(shipment)) if shipment.remote else []
        if self.values_stay:
            found += self._sending.found(shipment, self.least)
        foreign = [each for each in found if each[0].keep.site != self.number]
        self.bring([remote for remote, *_ in foreign if remote.home is None])
        for each in foreign:
            put_here(shipment, each)
        numbers: dict[Keep, int] = {}
        shipment.reads = [
            (piece, place, offset, numbers.setdefault(remote.keep, len(numbers)), remote.slot, low, high)
            for remote, piece, place, offset, low, high in found
            if remote.keep.site == self.number
        ]
        for keep in numbers:
            keep.renew()
        return list(numbers)

    def received(self, shipment: Shipment, report: Any) -> tuple[Any, int]:
        """The report of a batch, or the error that is all there is of it; and how many bytes its values have.

        The size is 0 if they did not travel.
        """
        known: Sequence[Known] = ()
        keep, shipment.keep = shipment.keep, None
        if keep is not None:
            report, known = keeping.facts(report) if type(report) is dict else report
        size = report.__sizeof__() if isinstance(report, (bytes, Parcel)) else 0
        opened = open_report(report)
        if isinstance(opened, BaseException) or not self.values_stay:
            return opened, size
        tasks = [piece[0].task for piece in shipment.pieces]
        if keep is None:
            if shipment.looked:
                self.weights.learn(tasks, opened[1], set())
            elif isinstance(report, Parcel) or size >= self.least * _calls_of(shipment):
                self.weights.doubt(tasks)
            return opened, size
        stamp, outcomes, lines = opened
        self.weights.learn(tasks, outcomes, {tasks[piece] for (piece, _), *_ in known})
        keep.slots, keep.worker = len(known), str(stamp[0]).partition("/")[0]
        shipment.remote.update(shipment.pieces[piece][0].id for (piece, _), *_ in known)
        total = size + sum(bytes_ for _, bytes_, _ in known)
        return (stamp, with_remotes(outcomes, known, keep), lines), total

    def forget(self) -> None:
        """Let go of what was sent to stay there."""
        self._sending.forget()

    def fetch(self, remotes: Iterable[Remote]) -> None:
        """Bring values of this site here, all at once. Raises what waiting for them, or unpickling them, raises."""
        wanted: dict[Keep, dict[Slot, Remote]] = {}
        for remote in remotes:
            wanted.setdefault(remote.keep, {})[remote.slot] = remote
        for (keep, slots), found in zip(wanted.items(), self._waited(wanted), strict=True):
            parcels = found if len(slots) == keep.slots else dict(zip(slots, found, strict=True))
            for slot, remote in slots.items():
                remote.home = (parcels[slot].open(),)

    def _waited(self, wanted: dict[Keep, dict[Slot, Remote]]) -> list[Any]:
        """What was kept, if all of it is wanted, else the parcels that are."""
        pick = self._there(keeping.pick)
        for left in reversed(range(AGAIN)):
            for keep in wanted:
                keep.renew()
            futures = [
                keep.future
                if len(slots) == keep.slots
                else self.executor.submit(pick, keep.future, list(slots), extra_context=self._named("pick"))
                for keep, slots in wanted.items()
            ]
            try:
                return self.executor.wait(futures)  # type: ignore[no-any-return]
            except WorkerLostError:
                if not left:
                    raise
        raise AssertionError


def _calls_of(shipment: Shipment) -> int:
    return sum(high - low or 1 for _, _, low, high, _ in shipment.pieces)
