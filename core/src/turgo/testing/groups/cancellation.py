"""`cancel`: taking calls back."""

from __future__ import annotations

import concurrent.futures
from typing import Any

import pytest

from turgo.futures import failure_is_cancellation
from turgo.testing import calls
from turgo.testing.checks import Checks, rule


class Cancellation(Checks):
    """`executor.cancel(futures)` and `future.cancel()`."""

    @rule("a call that waits and is cancelled never begins; its result raises CancelledError")
    def test_waiting_calls_are_taken_back(self) -> None:
        self.needs_waiting_calls()
        with self.folder() as folder, self.occupied(self.running(), folder) as occupants:
            signs = [folder / f"sign-{number}" for number in range(6 + 4 * self.running().slots)]
            last = [self.running().submit(calls.touch, str(sign)) for sign in signs][-3:]
            taken = self.running().cancel({"nested": [last]})
            assert taken == 3, f"cancel() says that it took back {taken} of 3 calls"
            (folder / "gate").touch()
            for future in last:
                with pytest.raises(calls.CANCELLED):
                    self.value(future)
            for occupant in occupants:
                self.value(occupant)
            assert not any(sign.exists() for sign in signs[-3:]), "a call that was taken back ran"

    @rule("a cancelled future is done")
    def test_cancelled_is_done(self) -> None:
        self.needs_waiting_calls()
        with self.folder() as folder, self.occupied(self.running(), folder):
            futures = [self.running().submit(calls.nothing) for _ in range(6 + 4 * self.running().slots)]
            self.running().cancel(futures[-1])
            self.eventually(futures[-1].done, "the cancelled future is done")
            assert failure_is_cancellation(futures[-1])
            (folder / "gate").touch()
            for future in futures[:-1]:
                self.value(future)

    @rule(
        "future.cancel() of a call that waits is True; the future is cancelled, and its callbacks are called"
    )
    def test_futures_cancel_themselves(self) -> None:
        self.needs_waiting_calls()
        called: list[Any] = []
        with self.folder() as folder, self.occupied(self.running(), folder):
            futures = [self.running().submit(calls.nothing) for _ in range(6 + 4 * self.running().slots)]
            last = futures.pop()
            last.add_done_callback(called.append)
            answer = last.cancel()
            assert answer, f"cancel() of a call that waits is {answer!r}"
            self.eventually(lambda: len(called) == 1, "the callback of a cancelled future is called")
            assert failure_is_cancellation(last), "the future is not cancelled"
            (folder / "gate").touch()
            for future in futures:
                self.value(future)

    @rule("cancel counts none of the futures that are done, and they keep their values")
    def test_done_calls_keep_their_values(self) -> None:
        futures = self.running().map(calls.identity, [1, 2])
        assert self.running().wait(futures) == [1, 2]
        assert self.running().cancel(futures) == 0
        assert [self.value(future) for future in futures] == [1, 2]

    @rule("cancel of nothing is 0; what is no future is passed over")
    def test_nothing_is_cancelled(self) -> None:
        values: list[Any] = [[], {"a": (1, "text")}, None]
        for value in values:
            assert self.running().cancel(value) == 0

    @rule("a call that waits for another and is cancelled never begins")
    def test_dependent_calls_are_taken_back(self) -> None:
        upstream: concurrent.futures.Future[int] = concurrent.futures.Future()
        with self.folder() as folder:
            sign = folder / "sign"
            future = self.running().submit(calls.meet, str(sign), upstream, 0.0)
            assert self.running().cancel(future) == 1
            upstream.set_result(0)
            with pytest.raises(calls.CANCELLED):
                self.value(future)
            self.value(self.running().submit(calls.nothing))
            assert not sign.exists()

    @rule("cancelling a call that runs harms nobody: it ends or is cancelled, and later calls run")
    def test_running_calls_do_no_harm(self) -> None:
        self.needs_waiting_calls()
        with self.folder() as folder:
            sign, gate = folder / "sign", folder / "gate"
            future = self.running().submit(calls.meet, str(sign), str(gate), self.patience)
            self.eventually(sign.exists, "the call begins")
            self.running().cancel(future)
            gate.touch()
            self.eventually(future.done, "the call ends or is cancelled")
            assert self.value(self.running().submit(calls.add, 1, 1)) == 2
