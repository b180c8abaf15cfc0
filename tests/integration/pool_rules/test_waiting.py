"""Waiting for the calls of a pool: wait, as_completed, map and shutdown."""

import concurrent.futures
import sys
import threading
from concurrent.futures import ALL_COMPLETED, FIRST_COMPLETED, FIRST_EXCEPTION, Future

import cloudpickle
import pytest

from turgo.testing import calls

cloudpickle.register_pickle_by_value(sys.modules[__name__])  # the workers do not have this file

SECONDS = 30.0  # more than enough for anything that comes at all


# wait


def test_wait_for_the_first_that_completes(pool, gates, waits):
    """FIRST_COMPLETED returns while another runs; one that is done already counts."""
    quick, (slow, number) = pool.submit(abs, -1), gates.call(pool)
    for _ in range(2):
        done, waiting = concurrent.futures.wait([slow, quick], SECONDS, FIRST_COMPLETED)
        assert (done, waiting) == ({quick}, {slow})
    gates.open(number)


def test_wait_for_the_first_error(pool, gates, waits):
    """FIRST_EXCEPTION passes over values, returns at an error, one there before too, while another runs."""
    (slow, number), fine = gates.call(pool), pool.submit(abs, -1)
    fine.result(timeout=SECONDS)
    assert concurrent.futures.wait([slow, fine], 0.05, FIRST_EXCEPTION).not_done == {slow}
    failed = pool.submit(calls.fail, "first")
    for _ in range(2):
        done, waiting = concurrent.futures.wait([slow, fine, failed], SECONDS, FIRST_EXCEPTION)
        assert (done, waiting) == ({fine, failed}, {slow})
    gates.open(number)


def test_wait_for_the_first_error_where_there_is_none(pool):
    """FIRST_EXCEPTION is then ALL_COMPLETED."""
    futures = {pool.submit(abs, -number) for number in range(5)}
    assert concurrent.futures.wait(futures, SECONDS, FIRST_EXCEPTION) == (futures, set())


def test_wait_for_all(pool):
    """ALL_COMPLETED takes values and errors alike, and a future that is given twice once."""
    futures = [pool.submit(abs, -1), pool.submit(calls.fail, "one of them"), pool.submit(abs, 2)]
    done, waiting = concurrent.futures.wait([*futures, futures[0]], SECONDS, ALL_COMPLETED)
    assert (done, waiting) == (set(futures), set())


def test_wait_with_a_timeout(pool, gates, waits):
    """It returns what is done by then, and raises nothing."""
    quick, (slow, number) = pool.submit(abs, -1), gates.call(pool)
    quick.result(timeout=SECONDS)
    assert concurrent.futures.wait([slow, quick], 0.05) == ({quick}, {slow})
    gates.open(number)


# as_completed


def test_as_completed_gives_each_once_in_the_order_of_completion(pool, gates, waits):
    """The one that was let go last comes last; doubles come once; errors come like values."""
    (slow, number), quick, failed = gates.call(pool), pool.submit(abs, -1), pool.submit(calls.fail)
    came = []
    for future in concurrent.futures.as_completed([slow, quick, failed, slow], SECONDS):
        came.append(future)
        if len(came) == 2:
            gates.open(number)
    assert came[2] is slow
    assert set(came) == {slow, quick, failed}


def test_as_completed_times_out_with_what_is_done(pool, gates, waits):
    """What is done comes first, then TimeoutError, which says how many are missing."""
    quick, (slow, number) = pool.submit(abs, -1), gates.call(pool)
    quick.result(timeout=SECONDS)
    came = []
    with pytest.raises(concurrent.futures.TimeoutError, match=r"1 \(of 2\)"):
        came.extend(concurrent.futures.as_completed([slow, quick], timeout=0.05))
    assert came == [quick]
    gates.open(number)


# map


def test_map_gives_values_in_order(pool):
    """Of one iterable or several, until the shortest ends; nothing of nothing."""
    assert list(pool.map(abs, range(0, -10, -1))) == list(range(10))
    assert list(pool.map(calls.add, [1, 2, 3], [10, 20])) == [11, 22]
    assert list(pool.map(abs, [])) == []
    assert list(pool.map(abs, [-1, -2, -3], chunksize=2)) == [1, 2, 3]


def test_map_raises_an_error_in_its_place(pool):
    """Values before it come."""
    values = pool.map(divmod, [7, 7, 7], [2, 0, 3])
    assert next(values) == (3, 1)
    with pytest.raises(ZeroDivisionError):
        next(values)
    with pytest.raises(StopIteration):
        next(values)


# shutdown


def test_after_shutdown_nothing_is_taken(executor):
    """RuntimeError from `submit` and `map`, however often it was shut down."""
    with executor.as_pool() as pool:
        pool.shutdown()
        pool.shutdown(wait=False, cancel_futures=True)
        with pytest.raises(RuntimeError, match="after shutdown"):
            pool.submit(abs, -1)
        with pytest.raises(RuntimeError, match="after shutdown"):
            pool.map(abs, [-1])


def test_shutdown_waits_for_calls(executor):
    """All are done when it returns, those that wait for others included."""
    with executor.as_pool() as pool:
        first = [pool.submit(calls.late, number, 0.02) for number in range(4)]
        second = [pool.submit(abs, future) for future in first]
        pool.shutdown()
        assert all(future.done() for future in first + second)
        assert [future.result(timeout=0) for future in second] == [0, 1, 2, 3]


def test_shutdown_need_not_wait(executor, gates, waits):
    """`shutdown(wait=False)` returns at once, and the calls come to their end."""
    with executor.as_pool() as pool:
        future, number = gates.call(pool)
        second = pool.submit(calls.identity, future)
        pool.shutdown(wait=False)
        assert not future.done()
        gates.open(number)
        assert second.result(timeout=SECONDS) is True


def test_shutdown_cancels_what_waits_and_lets_run_what_runs(executor, gates, tells_running):
    """`cancel_futures=True`: those that run have their values, and of the others none is left over."""
    with executor.as_pool() as pool, gates.all_slots_taken(pool, executor) as taken:
        assert gates.until(lambda: all(future.running() for future in taken))
        waiting = gates.behind(pool, executor)
        dependent = pool.submit(calls.identity, waiting[-1])
        pool.shutdown(wait=False, cancel_futures=True)
        assert waiting[-1].cancelled()
        assert dependent.cancelled()
        assert not any(future.done() for future in taken)
        gates.open_all()
        pool.shutdown(wait=True)
    assert [future.result(timeout=0) for future in taken] == [True] * len(taken)
    assert all(future.done() for future in waiting)


def test_shutdown_cancels_what_waits_for_another(executor):
    """A call whose argument is not there yet is taken back, on a synchronous executor as well."""
    upstream = Future()
    with executor.as_pool() as pool:
        future = pool.submit(abs, upstream)
        pool.shutdown(cancel_futures=True)
        assert future.cancelled()
    upstream.set_result(-1)


def test_leaving_by_an_error_waits_too(executor):
    """The pool is shut down, its calls are done, the error goes on."""
    with pytest.raises(KeyError), executor.as_pool() as pool:
        future = pool.submit(calls.late, 1, 0.05)
        raise KeyError("inside")
    assert future.result(timeout=0) == 1
    with pytest.raises(RuntimeError):
        pool.submit(abs, -1)


def test_threads_submit_while_another_shuts_down(executor):
    """Each call that was taken comes to an end; each that was not is a RuntimeError; nobody hangs."""
    taken, refused = [], []
    line = threading.Barrier(4)

    def use(pool):
        line.wait(SECONDS)
        try:
            for number in range(200):
                taken.append(pool.submit(abs, -number))
        except RuntimeError as error:
            refused.append(error)

    with executor.as_pool() as pool:
        threads = [threading.Thread(target=use, args=(pool,)) for _ in range(3)]
        for thread in threads:
            thread.start()
        line.wait(SECONDS)
        pool.shutdown(wait=True)
        left = [future for future in list(taken) if not future.done()]
        for thread in threads:
            thread.join(SECONDS)
    assert left == [], "shutdown(wait=True) came back before a call that it had taken was done"
    assert concurrent.futures.wait(taken, timeout=SECONDS).not_done == set()
