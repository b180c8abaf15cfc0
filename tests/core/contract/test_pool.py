"""The pool face: a true `concurrent.futures.Executor` over any executor."""

import asyncio
import concurrent.futures
import threading
import time
from concurrent.futures import Future
from pathlib import Path

import pytest

from turgo.errors import ExecutorNotStartedError
from turgo.executor import Executor
from turgo.registry.source_files import load_source
from turgo.testing import ManualExecutor

InlineExecutor = load_source(Path(__file__).parents[1] / "inline_executor.py").InlineExecutor


class StrangeFuture:
    """The five methods over a real future, and no subclass of it: as dask's are."""

    def __init__(self, real):
        self._real = real

    def result(self, timeout=None):
        return self._real.result(timeout)

    def exception(self, timeout=None):
        return self._real.exception(timeout)

    def done(self):
        return self._real.done()

    def cancel(self):
        self._real.cancel()  # and says nothing, as dask's does

    def add_done_callback(self, fn):
        self._real.add_done_callback(lambda _: fn(self))


class StrangeExecutor(ManualExecutor):
    def submit(self, fn, /, *args, extra_context=None, **kwargs):
        return StrangeFuture(super().submit(fn, *args, **kwargs))


@pytest.fixture(params=[ManualExecutor, StrangeExecutor])
def executor(request):
    with request.param().start() as started:
        yield started


def running_soon(executor):
    """Run what is held in another thread, in a moment."""

    def run():
        time.sleep(0.02)
        executor.run_all()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def test_its_futures_are_real_ones(executor):
    """concurrent.futures.wait and as_completed accept nothing else."""
    with executor.as_pool() as pool:
        futures = [pool.submit(int, text) for text in ("1", "2", "x")]
        assert all(isinstance(future, Future) for future in futures)
        executor.run_all()
        assert concurrent.futures.wait(futures, timeout=20).not_done == set()
        assert len(list(concurrent.futures.as_completed(futures, timeout=20))) == 3
        assert [future.result() for future in futures[:2]] == [1, 2]
        assert isinstance(futures[2].exception(), ValueError)


def test_real_futures_pass_through():
    """No bridge where none is needed."""
    with ManualExecutor().start() as executor, executor.as_pool() as pool:
        future = pool.submit(int)
        assert future is executor.calls[0]
        executor.run_all()


def test_leaving_waits_and_leaves_the_executor_open(executor):
    """All calls of the pool are done when it is left; the executor takes further ones."""
    with executor.as_pool() as pool:
        future = pool.submit(int, "3")
        thread = running_soon(executor)
    thread.join()
    assert future.result() == 3
    assert executor.started


def test_after_shutdown_nothing_is_taken(executor):
    """RuntimeError, in the words of the standard library."""
    with executor.as_pool() as pool:
        pool.shutdown()
        with pytest.raises(RuntimeError, match="after shutdown"):
            pool.submit(int)


def test_shutdown_can_take_calls_back(executor):
    """Waiting calls are cancelled, and shutdown returns; those that wait for others included."""
    upstream = Future()
    with executor.as_pool() as pool:
        futures = [pool.submit(int), pool.submit(abs, upstream)]
        pool.shutdown(cancel_futures=True)
    assert all(future.cancelled() for future in futures)
    upstream.set_result(1)
    executor.run_all()


def test_cancel_says_true_where_the_future_behind_says_nothing():
    """The pool's future is cancelled for real, though dask's kind of cancel() returns None."""
    with StrangeExecutor().start() as executor, executor.as_pool() as pool:
        future = pool.submit(int)
        assert future.cancel()
        assert future.cancelled()
        executor.run_all()
        assert future.cancelled()


def test_the_executor_counts_what_it_cancelled(executor):
    """executor.cancel counts futures whose cancel() says nothing, and leaves alone what is done."""
    finished, waiting = executor.submit(int, "1"), executor.submit(int, "2")
    executor.run_next()
    assert executor.cancel([finished, {"a": waiting}]) == 1
    assert finished.result() == 1


def test_asyncio_takes_it(executor):
    """run_in_executor and wrap_future are awaited as on any pool."""

    async def use(pool):
        loop = asyncio.get_running_loop()
        futures = [loop.run_in_executor(pool, int, "1"), asyncio.wrap_future(pool.submit(int, "2"))]
        thread = running_soon(executor)
        try:
            return await asyncio.wait_for(asyncio.gather(*futures), 5)
        finally:
            thread.join()

    with executor.as_pool() as pool:
        assert asyncio.run(use(pool)) == [1, 2]


def test_it_needs_a_started_executor():
    """as_pool outside start() is refused like everything else."""
    with pytest.raises(ExecutorNotStartedError), ManualExecutor().as_pool():
        pass


def test_an_error_that_submit_raises_is_the_callers():
    """An executor that refuses a call refuses it through the pool too."""

    class Refuses(Executor):
        def submit(self, fn, /, *args, extra_context=None, **kwargs):
            raise RuntimeError("full")

    with Refuses().start() as executor, executor.as_pool() as pool, pytest.raises(RuntimeError, match="full"):
        pool.submit(int)


def test_shutdown_waits_for_a_call_that_is_on_its_way_in():
    """A thread that is inside `submit` when the pool is shut down counts: its call is waited for."""
    inside, go_on = threading.Event(), threading.Event()

    class Slow(ManualExecutor):
        def submit(self, fn, /, *args, extra_context=None, **kwargs):
            inside.set()
            go_on.wait(40)
            return super().submit(fn, *args, **kwargs)

    taken = []
    with Slow().start() as executor, executor.as_pool() as pool:
        thread = threading.Thread(target=lambda: taken.append(pool.submit(int, "3")))
        thread.start()
        assert inside.wait(20)
        shutting = threading.Thread(target=pool.shutdown)
        shutting.start()
        go_on.set()
        thread.join()
        shutting.join(0.05)
        assert shutting.is_alive()
        executor.run_all()
        shutting.join(20)
        assert not shutting.is_alive()
    assert taken[0].result(timeout=0) == 3


def test_a_call_may_shut_down_the_pool_that_computes_it():
    """On an executor that computes in `submit` the pool does not wait for the call that shuts it down."""

    with InlineExecutor().start() as executor, executor.as_pool() as pool:
        assert pool.submit(pool.shutdown).result(timeout=0) is None
        with pytest.raises(RuntimeError, match="after shutdown"):
            pool.submit(int)
