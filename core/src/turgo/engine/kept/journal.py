"""The journal within a run. Notes what each call returned, and finds what an earlier run finished.

    outcomes of a batch ──identities──> JournalWriter.keep
    ready.asked ──identities──> Archive.take ──> a value, and the call does not run

A call's identity is its task's code and version and the digests of its arguments. Where values lie at a place that
workers can write to, remote values are copied there; else calls with a remote argument have no identity, and remote
values are noted as not kept.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from turgo.engine.kept.copies import Copies
from turgo.engine.kept.digests import Digest, ValueDigests, combined
from turgo.engine.kept.failed_calls import FailedCalls
from turgo.engine.schedule.inputs import argument
from turgo.engine.schedule.pieces import Piece, keys_of
from turgo.engine.schedule.remote import RemoteValue
from turgo.engine.schedule.schedule import Schedule
from turgo.errors import UnkeyedCallError, WorkerLostError
from turgo.flows.graph import Node
from turgo.flows.task import AnyTask
from turgo.identity.calls import CallIdentity
from turgo.identity.code import Code
from turgo.journal.archive import Archive
from turgo.journal.writer import JournalWriter
from turgo.records.ledger import Failure, Key
from turgo.records.states import TaskState
from turgo.worker.outcomes import MapOutcome, Outcome

logger = logging.getLogger("turgo")

SETTLE_SECONDS = 0.5
"""Seconds of waiting for workers, after which it is looked whether the run is to end."""

_Value = tuple[int, int, Digest | None, Any]
"""What a call returned: its node, its element or -1, its identity, and the value."""

OPTED_OUT = "its task is declared so, journal=False"

BEGAN = (
    "it began in an earlier session of this run and left no value, so it may have run; as it is not idempotent, only "
    "--rerun-unsafe makes it again"
)


class RunJournal:
    """What is noted of one run, and taken over from an earlier one.

    writer: None for a run that only looks. earlier: None for a run that begins anew. taken: how many calls were taken
    over, by task. unsafe: whether calls that may not be made twice are made again. unkept: the pieces whose values are
    not kept, and why.
    """

    def __init__(
        self,
        schedule: Schedule,
        code: Code,
        writer: JournalWriter | None,
        earlier: Archive | None,
        *,
        unsafe: bool = False,
    ) -> None:
        self.progress = schedule.progress
        self.writer = writer
        self.earlier = earlier
        self.unsafe = unsafe
        self.taken: dict[str, int] = {}
        nodes = self.progress.nodes
        self.unkept = [(each.id, -1, -1, OPTED_OUT) for each in nodes if not each.task.policy.journal]
        self._digests = ValueDigests(schedule.progress, code)
        self._code = code
        self._identities: dict[AnyTask, CallIdentity] = {}
        self._scopes: dict[AnyTask, bytes | None] = {}
        self._told: set[AnyTask] = set()
        self._failed = None if writer is None else FailedCalls(self.progress, writer, self._variables_of)
        self._begun: set[int] = set()
        self.copies: Copies | None = None

    def note(self, pieces: Sequence[Piece], outcomes: Sequence[Outcome]) -> None:
        """Keep what the calls of a batch returned. Raises JournalError if it has to be kept and cannot be."""
        rows: dict[AnyTask, list[_Value]] = {}
        for (node_id, low, _), outcome in zip(pieces, outcomes, strict=False):
            if outcome is None:
                continue
            node = self.progress.nodes[node_id]
            values = rows.setdefault(node.task, [])
            if isinstance(outcome, MapOutcome):
                self._note_elements(node, low, outcome, values)
            elif outcome.failure is None:
                values.append((node_id, -1, self.identity(node, None), outcome.value))
                self._digests.enter(node_id, outcome.value)
        for task, values in rows.items():
            self._keep(task, values)
        if self._failed is not None:
            self._failed.note(pieces, outcomes)
        if self.copies is not None:
            for value, why in self.copies.send():
                self._not_kept(value, why)
            self.collect()

    def collect(self) -> None:
        """Note the copies that workers have written since."""
        if self.copies is not None:
            for value, why in self.copies.collect():
                self._not_kept(value, why)

    def close(self) -> None:
        """Note what workers have not written when the run is over."""
        for value, why in () if self.copies is None else self.copies.close():
            self._not_kept(value, why)

    def settle(self, check: Callable[[], None]) -> None:
        """Wait until workers have written what they were asked for. check: raises if the run is to end."""
        while self.copies is not None and self.copies.under_way:
            check()
            self.copies.wait(SETTLE_SECONDS)
            self.collect()

    def _note_elements(self, node: Node, low: int, outcome: MapOutcome, values: list[_Value]) -> None:
        for offset, value in enumerate(outcome.values):
            if offset not in outcome.failures:
                values.append((node.id, low + offset, self.identity(node, low + offset), value))
                self._digests.enter_element(node.id, low + offset, value)

    def _keep(self, task: AnyTask, values: Sequence[_Value]) -> None:
        """Keep values that are here, of calls that have an identity."""
        if self.writer is None or not task.policy.journal:
            return
        kept = []
        for each in values:
            remote = type(each[3]) is RemoteValue
            if remote and (self.copies is None or not each[3].digest):
                self._not_kept(each, "it stays on a worker")
            elif each[2] is None:
                self._not_kept(each, "an argument stays on a worker or has no stable digest")
            elif remote and each[3].size > self.writer.most:
                self._not_kept(each, f"it is larger than {self.writer.most:,} bytes")
            elif remote and self.copies is not None:
                self.copies.want(task.name, each[2], each[3], each[:2])
            else:
                kept.append(each)
        if kept:
            identities = [each[2] for each in kept if each[2] is not None]
            refused = self.writer.keep(task.name, identities, [each[3] for each in kept])
            for number, why in refused.items():
                self._not_kept(kept[number], why)

    def _not_kept(self, value: Sequence[Any], why: str) -> None:
        """Note it, neighbours together; once of a task the log says it."""
        node: int = value[0]
        place: int = value[1]
        last = self.unkept[-1] if self.unkept else None
        if last is not None and place >= 0 and (last[0], last[2], last[3]) == (node, place, why):
            self.unkept[-1] = (node, last[1], place + 1, why)
        else:
            self.unkept.append((node, place, place if place < 0 else place + 1, why))
        task = self.progress.nodes[node].task
        if task not in self._told:
            self._told.add(task)
            logger.info("a value of %s is not kept in the journal: %s", task.name, why)

    def taken_over(self, pieces: Sequence[Piece]) -> dict[Key, Any]:
        """The values of those calls that an earlier run finished."""
        found: dict[Key, Any] = {}
        if self.earlier is None:
            return found
        wanted: dict[Key, Digest] = {}
        for piece in pieces:
            node = self.progress.nodes[piece[0]]
            for key in keys_of(piece) if node.task.policy.journal else ():
                identity = self.identity(node, key[1])
                if identity is not None:
                    wanted[key] = identity
        self.earlier.fetch(wanted.values())
        for key, identity in wanted.items():
            taken = self.earlier.take_whole(identity)
            if taken is not None:
                self._enter(key, *taken)
                found[key] = taken[0]
                name = self.progress.nodes[key[0]].task.name
                self.taken[name] = self.taken.get(name, 0) + 1
        return found

    def begin(self, pieces: Sequence[Piece]) -> None:
        """Look at the constants that calls take, which they may change; write down that those begin that run once.

        That is on the disk when this returns.
        """
        for node, _, _ in pieces:
            if node not in self._begun:
                self._begun.add(node)
                self._digests.enter_constants(self.progress.nodes[node])
        first = self.progress.nodes[pieces[0][0]].task
        if self.writer is not None and not first.policy.idempotent:
            for piece in pieces:
                for node, index in keys_of(piece):
                    identity = self.identity(self.progress.nodes[node], index)
                    if identity is not None:
                        self.writer.begin(identity)

    def refused(self, pieces: Sequence[Piece], taken: Mapping[Key, Any]) -> dict[Key, Failure]:
        """Those calls that began in an earlier session, may not be made twice, and left no value."""
        found: dict[Key, Failure] = {}
        if self.earlier is None or self.unsafe:
            return found
        for piece in pieces:
            node = self.progress.nodes[piece[0]]
            for key in () if node.task.policy.idempotent else keys_of(piece):
                identity = self.identity(node, key[1])
                if key not in taken and identity is not None and self.earlier.began(identity):
                    found[key] = Failure(TaskState.CRASHED, WorkerLostError(BEGAN))
        return found

    def _enter(self, key: Key, value: Any, content: bytes | None) -> None:
        if key[1] is None:
            self._digests.enter(key[0], value, content)
        else:
            self._digests.enter_element(key[0], key[1], value, content)

    def identity(self, node: Node, index: int | None) -> Digest | None:
        """The identity of a call whose upstreams are over; None if it has none."""
        scope = self._scope(node.task)
        arguments = None if scope is None else self._digests.of_arguments(node, index)
        if scope is None or arguments is None:
            return None
        if node.task.policy.files:
            try:
                arguments += self._contents(node, index)
            except (LookupError, OSError, UnkeyedCallError):
                return None
        return combined([scope, *arguments])

    def _contents(self, node: Node, index: int | None) -> list[bytes]:
        """What the files hold that the declared arguments of a call name."""
        names = list(node.task.signature.parameters)
        places: dict[str, int | str] = {name: name for name in node.kwargs}
        places |= {name: at for at, name in enumerate(names[: len(node.args)])}
        found = []
        for name in node.task.policy.files:
            if name in places:
                value = argument(self.progress, node, places[name], index)
                held = self._identity_of(node.task).contents(name, value)
                found.append(bytes.fromhex(self._code.digest((name, held))))
        return found

    def _identity_of(self, task: AnyTask) -> CallIdentity:
        if task not in self._identities:
            self._identities[task] = CallIdentity(task, self._code)
        return self._identities[task]

    def _variables_of(self, task: AnyTask) -> Mapping[str, str | None]:
        return self._identity_of(task).variables

    def _scope(self, task: AnyTask) -> bytes | None:
        """What all calls of a task have in common; its code is written down when it is first asked for."""
        if task not in self._scopes:
            try:
                self._scopes[task] = self._identity_of(task).scope().encode()
                if self.writer is not None:
                    self.writer.put_parts(task.name, self._identity_of(task).parts())
            except UnkeyedCallError as error:
                self._scopes[task] = None
                logger.warning("calls of %s are not kept in the journal: %s", task.name, error)
        return self._scopes[task]
