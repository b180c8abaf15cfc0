"""The pool face: the rules of `concurrent.futures`."""

from __future__ import annotations

import asyncio
import concurrent.futures

import pytest

from turgo.testing import calls
from turgo.testing.checks import Checks, rule


class Pool(Checks):
    """`executor.as_pool()`."""

    @rule("as_pool gives a concurrent.futures.Executor, and its futures are real concurrent.futures.Future")
    def test_the_pool_is_a_real_one(self) -> None:
        with self.running().as_pool() as pool:
            assert isinstance(pool, concurrent.futures.Executor)
            future = pool.submit(calls.add, 1, second=1)
            assert isinstance(future, concurrent.futures.Future)
            assert future.result(timeout=self.patience) == 2

    @rule("concurrent.futures.wait and as_completed take the pool's futures")
    def test_the_library_takes_its_futures(self) -> None:
        with self.running().as_pool() as pool:
            futures = [pool.submit(calls.identity, number) for number in range(5)]
            completed = concurrent.futures.as_completed(futures, timeout=self.patience)
            assert {future.result() for future in completed} == set(range(5))
            done, waiting = concurrent.futures.wait(futures, timeout=self.patience)
            assert (len(done), len(waiting)) == (5, 0)

    @rule("asyncio awaits the pool's calls, by run_in_executor and by wrap_future")
    def test_asyncio_awaits_its_calls(self) -> None:
        with self.running().as_pool() as pool:

            async def both() -> list[int]:
                loop = asyncio.get_running_loop()
                one = loop.run_in_executor(pool, calls.add, 1, 1)
                other = asyncio.wrap_future(pool.submit(calls.add, 2, 2))
                return list(await asyncio.wait_for(asyncio.gather(one, other), self.patience))

            assert asyncio.run(both()) == [2, 4]

    @rule("the pool's map gives values in order, and raises the error of a call where its value would be")
    def test_the_pools_map(self) -> None:
        with self.running().as_pool() as pool:
            assert list(pool.map(calls.add, range(10), timeout=self.patience)) == list(range(1, 11))
            values = pool.map(calls.add, [1, "one"], timeout=self.patience)
            assert next(values) == 2
            with pytest.raises(TypeError):
                next(values)

    @rule("the error of a call is the error of the pool's future")
    def test_errors_come_through(self) -> None:
        with self.running().as_pool() as pool:
            error = pool.submit(calls.fail, "in the pool").exception(timeout=self.patience)
        assert isinstance(error, ValueError)

    @rule("leaving the pool waits for its calls; the executor stays open")
    def test_leaving_waits(self) -> None:
        with self.running().as_pool() as pool:
            futures = [pool.submit(calls.late, number, 0.05) for number in range(3)]
        assert all(future.done() for future in futures)
        assert self.value(self.running().submit(calls.add, 1, 1)) == 2

    @rule("submit to a pool that was shut down raises RuntimeError")
    def test_shut_down_is_shut(self) -> None:
        with self.running().as_pool() as pool:
            pool.shutdown()
            with pytest.raises(RuntimeError):
                pool.submit(calls.nothing)

    @rule("shutdown(cancel_futures=True) takes back the calls that wait and returns when the others are done")
    def test_shutdown_takes_back(self) -> None:
        self.needs_waiting_calls()
        with self.running().as_pool() as pool:
            futures = [pool.submit(calls.late, None, 0.05) for _ in range(10 + 6 * self.running().slots)]
            pool.shutdown(cancel_futures=True)
            assert all(future.done() for future in futures)
            assert any(future.cancelled() for future in futures), "none was taken back"

    @rule("a call of the pool that waits for a future and is cancelled is done for concurrent.futures.wait")
    def test_cancelled_counts_as_done(self) -> None:
        upstream: concurrent.futures.Future[int] = concurrent.futures.Future()
        with self.running().as_pool() as pool:
            future = pool.submit(calls.identity, upstream)
            assert future.cancel()
            done, _ = concurrent.futures.wait([future], timeout=self.patience)
            assert done == {future}
            upstream.set_result(0)
