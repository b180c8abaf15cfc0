"""Records the attempts of calls. Knows which were tried, are to be tried again, or have to go alone. Pure.

A failure and the loss of a worker have budgets of their own: a call that fails is tried again as often as `retries`
says, one whose worker was lost while it ran alone as often as `crash_retries` says. The calls of a batch that was lost
go again in parts, which share a batch with nothing else. Where nobody can say which of several batches it was in, each
goes again isolated. Where workers tell which call they begin, the second loss names the one that kills; elsewhere the
parts are parted again.

Each call of a lost batch is a suspect. If it loses another worker for sure, the first loss was its own and counts too;
if that was another call of its batch, it is none any more. So a call that kills costs two workers, or as many as its
`crash_retries` allow.

In an ordinary run all of this is empty, and costs nothing for a call.
"""

from __future__ import annotations

from collections.abc import Iterable

from turgo.engine.schedule.pieces import Piece, keys_of
from turgo.errors import TaskPolicyError
from turgo.flows.policy.options import Policy
from turgo.flows.policy.retries import delay_after, is_retried
from turgo.records.ledger import Failure, Key, Ledger
from turgo.records.states import TaskState

EXCUSED_TIMES = 10
"""How often a call goes again whose worker was lost by others. It may be that each time it was its own doing."""


class Attempts:
    """The attempts of the calls of one run.

    waiting: calls that are to be tried again, and after how many seconds; whoever has a clock takes them from here.
    isolated: whether lost calls run while nothing else does, as the loss of a worker could not be ascribed to a batch.
    troubled: whether any call had to be tried or submitted again, so that an entry may have to be removed.
    """

    def __init__(self, ledger: Ledger) -> None:
        self.waiting: list[tuple[float, Key]] = []
        self.isolated = False
        self.troubled = False
        self._ledger = ledger
        self._tries: dict[Key, int] = {}
        self._crashes: dict[Key, int] = {}
        self._losses: dict[Key, int] = {}
        self._excused: dict[Key, int] = {}
        self._suspects: set[Key] = set()

    def number(self, key: Key) -> int:
        """Which attempt of a call runs now or comes next: 1 for the first."""
        return 1 + self._tries.get(key, 0) + self._crashes.get(key, 0) + self._losses.get(key, 0)

    def later(self, pieces: Iterable[Piece]) -> dict[Key, int]:
        """The numbers of those calls that are not at their first attempt."""
        if not (self._tries or self._crashes or self._losses):
            return {}
        keys = (key for piece in pieces for key in keys_of(piece))
        return {key: number for key in keys if (number := self.number(key)) > 1}

    def failed(self, key: Key, failure: Failure, policy: Policy) -> Failure | None:
        """A call failed, timed out, crashed or was skipped. Returns None if it is to be tried again, else why not."""
        self._ledger.failures[key] = failure
        crashed = failure.state is TaskState.CRASHED
        crash_retries = policy.crash_retries if policy.idempotent else 0
        tries, allowed = (self._crashes, crash_retries) if crashed else (self._tries, policy.retries)
        tried = tries.get(key, 0)
        lost_before = crashed and key in self._suspects
        if failure.state is TaskState.SKIPPED or tried + lost_before >= allowed:
            return failure
        try:
            if not crashed and not is_retried(policy.retry_on, failure.error):
                return failure
            delay = 0.0 if crashed else delay_after(policy.retry_delay, tried + 1)
        except TaskPolicyError as error:
            final = self._ledger.failures[key] = _without_retry(failure, error)
            return final
        tries[key] = tried + 1
        self.troubled = True
        self._ledger.keep_attempt(key)
        self.waiting.append((delay, key))
        return None

    def lost(self, keys: list[Key], failure: Failure, *, sure: bool) -> bool:
        """The worker of a batch was lost; returns whether the one call that was in it has crashed for sure.

        If not, nobody knows which of its calls had begun: each of them may run a second time, and has this attempt in
        its record.
        """
        self.troubled = True
        if len(keys) == 1 and sure:
            return True
        self.isolated = self.isolated or not sure
        self._suspects.update(keys)
        self._went(keys, failure)
        return False

    def cleared(self, keys: list[Key], failure: Failure) -> None:
        """Another call of their batch lost its worker: they go again, and are no suspects."""
        self.troubled = True
        self._suspects.difference_update(keys)
        self._went(keys, failure)

    def excused(self, keys: list[Key], failure: Failure) -> bool:
        """A batch was lost by what was not its own doing; returns whether it simply goes again."""
        count = self._excused[keys[0]] = self._excused.get(keys[0], 0) + 1
        if count > EXCUSED_TIMES:
            return False
        self.troubled = True
        self._went(keys, failure)
        return True

    def _went(self, keys: list[Key], failure: Failure) -> None:
        """Calls were submitted, and are to be submitted again: they may have run."""
        for key in keys:
            self._losses[key] = self._losses.get(key, 0) + 1
            self._ledger.keep_loss(key, failure)

    def recovered(self, key: Key) -> None:
        """A call has a value: an earlier failure of it no longer counts."""
        self._ledger.failures.pop(key, None)

    def crashed(self, key: Key) -> bool:
        """Whether a call has lost a worker for sure before, so that it shares a batch with no other."""
        return key in self._crashes


def _without_retry(failure: Failure, error: TaskPolicyError) -> Failure:
    """The failure of a call whose `retry_on` or `retry_delay` failed; the call's own error is its context."""
    raised: BaseException = error.__cause__ or error
    if raised is not failure.error and raised.__context__ is None:
        raised.__context__ = failure.error
    return failure._replace(state=TaskState.FAILED, error=error)
