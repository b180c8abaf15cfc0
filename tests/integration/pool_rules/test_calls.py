"""A call of a pool: its future, how it is cancelled, its callbacks, and that it is let go."""

import concurrent.futures
import gc
import logging
import sys
import threading
import weakref
from concurrent.futures import CancelledError, Future

import cloudpickle
import pytest

from turgo.testing import calls

cloudpickle.register_pickle_by_value(sys.modules[__name__])  # the workers do not have this file

SECONDS = 30.0  # more than enough for anything that comes at all


class Heard:
    """A callback that keeps the futures it was called with, in order."""

    def __init__(self):
        self.futures, self.event = [], threading.Event()

    def __call__(self, future):
        self.futures.append(future)
        self.event.set()


# submit and its futures


def test_submit_takes_keywords_of_its_own_names(pool):
    """`self` and `fn` are keywords like any other, and a function is necessary."""
    future = pool.submit(calls.given, 1, self=2, fn=3)
    assert future.result(timeout=SECONDS) == ((1,), {"self": 2, "fn": 3})
    with pytest.raises(TypeError):
        pool.submit()
    with pytest.raises(TypeError):
        pool.submit(fn=abs, arg=1)


def test_a_future_goes_from_pending_to_running_to_done(pool, gates, tells_running):
    """`running()` is true while a worker runs the call, and `done()` after it; both never at once."""
    future, number = gates.call(pool)
    gates.begun(number)
    assert gates.until(future.running)
    assert not future.done()
    gates.open(number)
    assert future.result(timeout=SECONDS) is True
    assert (future.running(), future.done(), future.cancelled()) == (False, True, False)


def test_a_future_that_depends_on_others_tells_that_it_runs(pool, gates, tells_running):
    """`running()` is false while the call waits for its arguments and true while a worker has it."""
    upstream = Future()
    sign, gate = gates.folder / "sign-1", gates.folder / "gate-1"
    future = pool.submit(calls.meet, str(sign), upstream, SECONDS)
    assert not future.running()
    gates.count = 1
    upstream.set_result(str(gate))
    gates.begun(1)
    assert gates.until(future.running)
    gates.open(1)
    assert future.result(timeout=SECONDS) is True


def test_result_and_exception_time_out_and_the_call_goes_on(pool, gates, waits):
    """TimeoutError in time; the value is had afterwards."""
    future, number = gates.call(pool)
    for ask in (future.result, future.exception):
        with pytest.raises(concurrent.futures.TimeoutError):
            ask(timeout=0.01)
    gates.open(number)
    assert future.exception(timeout=SECONDS) is None
    assert future.result(timeout=0) is True


def test_the_error_of_a_call_is_the_same_object_each_time(pool):
    """`exception()` gives what `result()` raises; an error that is false in a condition is an error still."""
    future = pool.submit(calls.fail, "once")
    error = future.exception(timeout=SECONDS)
    with pytest.raises(ValueError, match="once") as caught:
        future.result(timeout=0)
    assert caught.value is error
    assert type(pool.submit(fail_falsely).exception(timeout=SECONDS)).__name__ == "FalseError"


class FalseError(ArithmeticError):
    def __bool__(self):
        return False


def fail_falsely():
    raise FalseError("no less an error")


def test_a_settled_future_cannot_be_settled_again(pool):
    """InvalidStateError from set_result and set_exception; the value stays."""
    future = pool.submit(abs, -1)
    assert future.result(timeout=SECONDS) == 1
    with pytest.raises(concurrent.futures.InvalidStateError):
        future.set_result(2)
    with pytest.raises(concurrent.futures.InvalidStateError):
        future.set_exception(ValueError())
    with pytest.raises(RuntimeError):
        future.set_running_or_notify_cancel()
    assert future.result(timeout=0) == 1


def test_no_more_calls_run_than_there_are_slots(pool, executor, gates, waits):
    """One more than fits begins only when another is over."""
    with gates.all_slots_taken(pool, executor) as taken:
        future, number = gates.call(pool)
        sign = str(gates.folder / f"sign-{number}")
        assert not calls.wait_for(sign, 0.1)
        gates.open(1)
        gates.begun(number)
    gates.open_all()
    assert concurrent.futures.wait([future, *taken], timeout=SECONDS).not_done == set()


# cancelling


def test_a_running_call_is_cancelled_only_where_that_is_declared(pool, executor, gates, tells_running):
    """`cancel()` is False once a worker runs the call, and its value comes; `cancels_running` says otherwise."""
    future, number = gates.call(pool)
    gates.begun(number)
    assert gates.until(future.running)
    stops = "cancels_running" in executor.capabilities
    assert future.cancel() is stops
    gates.open(number)
    assert concurrent.futures.wait([future], timeout=SECONDS).done == {future}
    assert future.cancelled() is stops


def test_a_waiting_call_is_cancelled(pool, executor, gates, waits):
    """`cancel()` is True, again as well; the future is cancelled and done, and asking it raises CancelledError."""
    with gates.all_slots_taken(pool, executor) as taken:
        future = gates.behind(pool, executor)[-1]
        assert future.cancel() is True
        assert future.cancel() is True
        assert (future.cancelled(), future.done(), future.running()) == (True, True, False)
        for ask in (future.result, future.exception):
            with pytest.raises(CancelledError):
                ask(timeout=0)
    assert concurrent.futures.wait([future, *taken], timeout=SECONDS).not_done == set()


def test_a_call_behind_a_cancelled_one_is_cancelled(pool, executor, gates, waits):
    """What needs the value of a call that was taken back is cancelled with it, and not failed."""
    with gates.all_slots_taken(pool, executor):
        first = gates.behind(pool, executor)[-1]
        second = pool.submit(abs, first)
        assert first.cancel()
    assert concurrent.futures.wait([second], timeout=SECONDS).done == {second}
    assert second.cancelled()


# callbacks


def test_callbacks_are_called_in_the_order_they_were_added(pool, gates, waits):
    """Each once, with the future, when it is done."""
    future, number = gates.call(pool)
    order, all_heard = [], threading.Event()
    for place in range(20):
        future.add_done_callback(lambda done, place=place: order.append((place, done is future, done.done())))
    future.add_done_callback(lambda _: all_heard.set())
    assert order == []
    gates.open(number)
    assert all_heard.wait(SECONDS)
    assert order == [(place, True, True) for place in range(20)]


@pytest.mark.parametrize("call", [(abs, -1), (calls.fail, "at once")])
def test_a_callback_added_to_a_done_future_is_called_at_once(pool, call):
    """In the thread that adds it, be the outcome a value or an error."""
    future = pool.submit(*call)
    future.exception(timeout=SECONDS)
    heard = []
    future.add_done_callback(lambda done: heard.append((done is future, threading.get_ident())))
    assert heard == [(True, threading.get_ident())]


def test_a_callback_hears_of_a_cancelled_call_once(pool, executor, gates, waits):
    """It is called when the call is cancelled, and not again when the workers come to it."""
    with gates.all_slots_taken(pool, executor):
        future = gates.behind(pool, executor)[-1]
        early, late = Heard(), Heard()
        future.add_done_callback(early)
        assert future.cancel()
        future.add_done_callback(late)
        assert early.futures == late.futures == [future]
        assert future.cancelled()
    pool.submit(abs, 1).result(timeout=SECONDS)
    assert len(early.futures) == 1


def test_an_error_in_a_callback_is_logged_and_harms_nobody(pool, gates, caplog, waits):
    """The next callback is called, the result stands, and the logger of concurrent.futures tells of the error."""
    future, number = gates.call(pool)
    heard = Heard()
    future.add_done_callback(lambda _: calls.fail("in the callback"))
    future.add_done_callback(heard)
    with caplog.at_level(logging.ERROR, logger="concurrent.futures"):
        gates.open(number)
        assert future.result(timeout=SECONDS) is True
        assert heard.event.wait(SECONDS)
    assert "in the callback" in caplog.text


def test_an_error_in_a_late_callback_is_logged_too(pool, caplog):
    """It is not raised at who adds the callback."""
    future = pool.submit(abs, -1)
    future.result(timeout=SECONDS)
    with caplog.at_level(logging.ERROR, logger="concurrent.futures"):
        future.add_done_callback(lambda _: calls.fail("too late"))
    assert "too late" in caplog.text


# memory


def test_a_pool_keeps_no_future_that_is_done(pool, gates):
    """Once who submitted has dropped a future, it is gone, and its value with it."""
    future = pool.submit(calls.identity, [1])
    future.result(timeout=SECONDS)
    gone = weakref.ref(future)
    del future
    assert gates.until(lambda: gc.collect() >= 0 and gone() is None)


class Weighed:
    """An argument whose end can be observed."""


def test_arguments_are_let_go_when_the_call_has_ended(pool, gates):
    """Neither a future nor the pool keeps them, where the call waited for another one either."""
    upstream, argument = Future(), Weighed()
    gone = weakref.ref(argument)
    futures = [pool.submit(forget, argument), pool.submit(forget, argument, upstream)]
    del argument
    upstream.set_result(1)
    assert [future.result(timeout=SECONDS) for future in futures] == [None, None]
    assert gates.until(lambda: gc.collect() >= 0 and gone() is None)


def forget(*_):
    return None
