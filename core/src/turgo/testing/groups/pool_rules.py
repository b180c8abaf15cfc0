"""The pool face, in full: what CPython's own tests ask of every `concurrent.futures.Executor`."""

from __future__ import annotations

import concurrent.futures
import time
from concurrent.futures import FIRST_COMPLETED, FIRST_EXCEPTION
from functools import partial
from typing import Any

import pytest

from turgo.testing import calls
from turgo.testing.checks import Checks, rule

RealFuture = concurrent.futures.Future[Any]


class PoolRules(Checks):
    """`as_pool()` behaves as pools of the standard library do."""

    @rule("concurrent.futures.wait returns with the first that is done, if it is asked so")
    def test_waits_for_the_first(self) -> None:
        self.needs_waiting_calls()
        with self.folder() as folder, self.running().as_pool() as pool:
            late = pool.submit(calls.value_when, str(folder / "gate"), 1, self.patience)
            early = pool.submit(calls.identity, 2) if self.running().slots > 1 else _done(2)
            began = time.monotonic()
            done, waiting = concurrent.futures.wait([late, early], self.patience, FIRST_COMPLETED)
            assert (done, waiting) == ({early}, {late})
            assert time.monotonic() - began < self.patience / 2, "it waited on"
            (folder / "gate").touch()

    @rule("concurrent.futures.wait returns with the first that fails, if it is asked so")
    def test_waits_for_the_first_error(self) -> None:
        self.needs_waiting_calls()
        with self.folder() as folder, self.running().as_pool() as pool:
            failing = pool.submit(calls.fail, "early")
            late = pool.submit(calls.value_when, str(folder / "gate"), 1, self.patience)
            began = time.monotonic()
            done, waiting = concurrent.futures.wait([failing, late], self.patience, FIRST_EXCEPTION)
            assert (done, waiting) == ({failing}, {late})
            assert time.monotonic() - began < self.patience / 2, "it waited on"
            (folder / "gate").touch()

    @rule("concurrent.futures.wait with a timeout returns in time, and says what is not done")
    def test_waits_no_longer_than_asked(self) -> None:
        self.needs_waiting_calls()
        with self.folder() as folder, self.running().as_pool() as pool:
            late = pool.submit(calls.value_when, str(folder / "gate"), 1, self.patience)
            done, waiting = concurrent.futures.wait([late], 0.05)
            assert (done, waiting) == (set(), {late})
            (folder / "gate").touch()

    @rule("as_completed with a timeout raises TimeoutError in time, after it gave what is done")
    def test_as_completed_gives_up(self) -> None:
        self.needs_waiting_calls()
        with self.folder() as folder, self.running().as_pool() as pool:
            early = pool.submit(calls.identity, 1)
            assert early.result(timeout=self.patience) == 1
            late = pool.submit(calls.value_when, str(folder / "gate"), 2, self.patience)
            given: list[RealFuture] = []
            with pytest.raises(TimeoutError):
                given.extend(concurrent.futures.as_completed([early], timeout=0.0))
                given.extend(concurrent.futures.as_completed([late], timeout=0.05))
            assert given == [early]
            (folder / "gate").touch()

    @rule("as_completed gives a future once that it is given twice")
    def test_as_completed_counts_once(self) -> None:
        with self.running().as_pool() as pool:
            future = pool.submit(calls.identity, 1)
            assert list(concurrent.futures.as_completed([future, future], self.patience)) == [future]

    @rule("callbacks of the pool's futures are called in the order in which they were added, with the future")
    def test_pool_callbacks_keep_their_order(self) -> None:
        called: list[tuple[int, Any]] = []
        with self.running().as_pool() as pool:
            future = pool.submit(calls.late, 1, 0.05)
            for number in range(4):
                future.add_done_callback(partial(_note_call, called, number))
        self.eventually(lambda: len(called) == 4, "all callbacks are called")
        assert called == [(number, future) for number in range(4)]

    @rule("a callback that raises keeps no other callback from being called")
    def test_callbacks_fail_alone(self) -> None:
        called: list[tuple[int, Any]] = []
        with self.running().as_pool() as pool:
            future = pool.submit(calls.late, 1, 0.05)
            future.add_done_callback(_stumble)
            future.add_done_callback(partial(_note_call, called, 1))
            assert future.result(timeout=self.patience) == 1
        self.eventually(lambda: called == [(1, future)], "the other callback is called")

    @rule(
        "a call of the pool that waits and is cancelled is cancelled and done, and its callbacks are called"
    )
    def test_pool_calls_are_cancelled(self) -> None:
        self.needs_waiting_calls()
        called: list[tuple[int, Any]] = []
        with self.folder() as folder, self.running().as_pool() as pool, self.occupied(self.running(), folder):
            futures = [pool.submit(calls.nothing) for _ in range(6 + 4 * self.running().slots)]
            last = futures[-1]
            last.add_done_callback(partial(_note_call, called, 1))
            assert last.cancel()
            assert (last.cancelled(), last.done(), last.running()) == (True, True, False)
            with pytest.raises(concurrent.futures.CancelledError):
                last.result(timeout=0)
            self.eventually(lambda: called == [(1, last)], "the callback is called")

    @rule("cancel of a call of the pool that is done is False, and its value stays")
    def test_done_pool_calls_stay(self) -> None:
        with self.running().as_pool() as pool:
            future = pool.submit(calls.identity, 1)
            assert future.result(timeout=self.patience) == 1
            assert (future.cancel(), future.cancelled(), future.result()) == (False, False, 1)

    @rule("the pool's map takes several iterables until the shortest ends, and begins with its calls at once")
    def test_the_pools_map_is_eager(self) -> None:
        with self.folder() as folder, self.running().as_pool() as pool:
            values = pool.map(calls.add, [1, 2, 3], [10, 20])
            signs = [str(folder / "one"), str(folder / "two")]
            pool.map(calls.touch, signs)  # nobody asks for what it gives
            self.eventually(lambda: len(list(folder.iterdir())) == 2, "the calls begin")
            assert list(values) == [11, 22]

    @rule("the pool's map with a timeout raises TimeoutError where a value is late")
    def test_the_pools_map_gives_up(self) -> None:
        self.needs_waiting_calls()
        with self.folder() as folder, self.running().as_pool() as pool:
            values = pool.map(calls.wait_for, [str(folder / "gate")], [self.patience], timeout=0.05)
            with pytest.raises(TimeoutError):
                next(values)
            (folder / "gate").touch()

    @rule("shutdown(wait=False) returns at once; the calls of the pool come to their end")
    def test_shutdown_need_not_wait(self) -> None:
        self.needs_waiting_calls()
        with self.folder() as folder, self.running().as_pool() as pool:
            future = pool.submit(calls.value_when, str(folder / "gate"), 1, self.patience)
            began = time.monotonic()
            pool.shutdown(wait=False)
            assert time.monotonic() - began < self.patience / 2, "shutdown() waited for a call that runs"
            assert not future.done()
            (folder / "gate").touch()
            assert future.result(timeout=self.patience) == 1

    @rule("shutdown may be called again and again")
    def test_shutdown_is_repeatable(self) -> None:
        with self.running().as_pool() as pool:
            future = pool.submit(calls.identity, 1)
            pool.shutdown()
            pool.shutdown(wait=False, cancel_futures=True)
            assert future.result(timeout=0) == 1

    @rule("two pools of one executor do not know of each other: shutting one down leaves the other open")
    def test_pools_are_apart(self) -> None:
        with self.running().as_pool() as one, self.running().as_pool() as other:
            one.shutdown()
            assert other.submit(calls.add, 1, 1).result(timeout=self.patience) == 2

    @rule("leaving the pool through an error waits for its calls as well, and the error comes out unchanged")
    def test_errors_leave_the_pool(self) -> None:
        error = KeyError("inside")
        with pytest.raises(KeyError) as caught, self.running().as_pool() as pool:
            future = pool.submit(calls.late, 1, 0.05)
            raise error
        assert caught.value is error
        assert future.done()


def _done(value: Any) -> RealFuture:
    future: RealFuture = concurrent.futures.Future()
    future.set_result(value)
    return future


def _note_call(called: list[tuple[int, Any]], number: int, future: Any) -> None:
    called.append((number, future))


def _stumble(future: Any) -> None:
    raise LookupError("a callback of the user's")
