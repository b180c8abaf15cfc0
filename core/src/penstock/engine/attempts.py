"""Attempts: which calls were tried before, which are to be tried again, and which have to go alone. Pure.

A failure and the loss of a worker have budgets of their own: a call that fails is tried again as often as `retries`
says, one whose worker was lost while it ran alone as often as `crash_retries` says. The calls of a batch that was lost
go again one by one, so that the one that kills is found; where even that leaves doubt, while nothing else runs.

In an ordinary run all of this is empty, and costs nothing for a call.
"""

from __future__ import annotations

from collections.abc import Iterable

from penstock.engine.pieces import Piece, first_of
from penstock.errors import TaskPolicyError
from penstock.flows.policy import Policy
from penstock.ledger import Failure, Key, Ledger
from penstock.retrying import delay_after, is_retried
from penstock.states import TaskState


class Attempts:
    """What the calls of one run have been through.

    waiting: calls that are to be tried again, and after how many seconds; whoever has a clock takes them from here.
    alone: calls that share a batch with no other. suspects: those of them that run while nothing else does.
    troubled: whether any call had to be tried or sent again, so that something may have to be struck out.
    """

    def __init__(self, ledger: Ledger) -> None:
        self.waiting: list[tuple[float, Key]] = []
        self.alone: set[Key] = set()
        self.suspects: set[Key] = set()
        self.troubled = False
        self._ledger = ledger
        self._tries: dict[Key, int] = {}
        self._crashes: dict[Key, int] = {}

    def number(self, key: Key) -> int:
        """Which attempt of a call runs now or comes next: 1 for the first."""
        return 1 + self._tries.get(key, 0) + self._crashes.get(key, 0)

    def later(self, pieces: Iterable[Piece]) -> dict[Key, int]:
        """The numbers of those calls that are not at their first attempt. (They become ready one by one.)"""
        if not self._tries and not self._crashes:
            return {}
        single = (first_of(piece) for piece in pieces if piece[2] - piece[1] <= 1)
        return {key: number for key in single if (number := self.number(key)) > 1}

    def failed(self, key: Key, failure: Failure, policy: Policy) -> Failure | None:
        """A call failed, timed out, crashed or was skipped. Returns None if it is to be tried again, else why not."""
        self._ledger.failures[key] = failure
        crashed = failure.state is TaskState.CRASHED
        tries, allowed = (self._crashes, policy.crash_retries) if crashed else (self._tries, policy.retries)
        tried = tries.get(key, 0)
        if failure.state is TaskState.SKIPPED or tried >= allowed:
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

    def lost(self, keys: list[Key], *, sure: bool) -> bool:
        """The worker of a batch was lost; returns whether the one call that was in it has crashed for sure."""
        self.alone.update(keys)
        self.troubled = True
        if len(keys) == 1 and not sure:
            self.suspects.add(keys[0])
        return len(keys) == 1 and sure

    def recovered(self, key: Key) -> None:
        """A call brought a value: an earlier failure of it no longer counts, and it need not go alone any more."""
        self._ledger.failures.pop(key, None)
        self.at_rest(key)

    def at_rest(self, key: Key) -> None:
        """A call is over."""
        self.alone.discard(key)
        self.suspects.discard(key)


def _without_retry(failure: Failure, error: TaskPolicyError) -> Failure:
    """The failure of a call of which nobody can say whether it is to be tried again; its own error is told of first."""
    raised: BaseException = error.__cause__ or error
    if raised is not failure.error and raised.__context__ is None:
        raised.__context__ = failure.error
    return failure._replace(state=TaskState.FAILED, error=error)
