"""Futures that follow another one, or wait for others before their call is made."""

import concurrent.futures
import threading
from concurrent.futures import CancelledError, Future

import pytest

from turgo.contract.deferred import BridgedFuture, DeferredFuture
from turgo.futures import failure_of


def done(value):
    future = Future()
    future.set_result(value)
    return future


def failed(error):
    future = Future()
    future.set_exception(error)
    return future


@pytest.mark.parametrize("outcome", [done(1), failed(KeyError("k"))])
def test_a_bridge_takes_on_what_becomes_of_the_other(outcome):
    """Value and error come through."""
    bridge = BridgedFuture()
    bridge.follow(outcome)
    assert bridge.done()
    assert bridge.exception() is outcome.exception()


def test_a_bridge_passes_cancelling_on():
    """A call that waits behind is cancelled too, and both are done for concurrent.futures.wait."""
    inner, bridge = Future(), BridgedFuture()
    bridge.follow(inner)
    assert bridge.cancel()
    assert inner.cancelled()
    assert concurrent.futures.wait([bridge], timeout=20).done == {bridge}


def test_a_bridge_to_a_running_call_is_not_cancelled():
    """cancel() says False, and the value comes."""
    inner, bridge = Future(), BridgedFuture()
    inner.set_running_or_notify_cancel()
    bridge.follow(inner)
    assert not bridge.cancel()
    inner.set_result(1)
    assert bridge.result(timeout=20) == 1


def test_a_bridge_cancelled_before_it_follows_cancels_what_it_follows():
    """Cancelled while the call behind was being made: the call is taken back."""
    inner, bridge = Future(), BridgedFuture()
    assert bridge.cancel()
    bridge.follow(inner)
    assert inner.cancelled()


def test_a_bridge_tells_of_a_value_that_cannot_be_had():
    """Where asking for the value fails, that is the error, and nobody waits for ever."""

    class Lost(Future):
        def result(self, timeout=None):
            raise LookupError("the worker has gone")

    inner, bridge = Lost(), BridgedFuture()
    bridge.follow(inner)
    inner.set_result(1)
    with pytest.raises(LookupError, match="gone"):
        bridge.result(timeout=20)


def test_a_deferred_call_is_made_when_the_last_is_done():
    """Not before, and in whichever order they come."""
    first, second, made = Future(), Future(), []
    deferred = DeferredFuture([first, second, first], lambda: made.append(1) or done("made"))
    second.set_result(2)
    assert made == []
    first.set_result(1)
    assert deferred.result(timeout=20) == "made"
    assert made == [1]


def test_a_deferred_call_takes_on_the_first_error():
    """One that failed is enough; the call is never made."""
    first, second, made = Future(), Future(), []
    deferred = DeferredFuture([first, second], lambda: made.append(1) or done(None))
    second.set_exception(KeyError("second"))
    assert isinstance(deferred.exception(timeout=20), KeyError)
    first.set_result(1)
    assert made == []


def test_a_deferred_call_that_is_cancelled_is_never_made():
    """It is done at once for concurrent.futures.wait, and what comes later changes nothing."""
    first, made = Future(), []
    deferred = DeferredFuture([first], lambda: made.append(1) or done(None))
    assert deferred.cancel()
    assert concurrent.futures.wait([deferred], timeout=20).done == {deferred}
    first.set_result(1)
    assert made == []
    with pytest.raises(CancelledError):
        deferred.result(timeout=20)


def test_a_long_chain_of_calls_that_finish_at_once_is_no_deep_recursion():
    """Five thousand links behind one future, each computed as it is submitted."""
    first = last = Future()
    for _ in range(5000):
        last = DeferredFuture([last], lambda before=last: done(before.result() + 1))
    first.set_result(0)
    assert last.result(timeout=20) == 5000


@pytest.mark.parametrize("end", [lambda first: first.set_exception(KeyError("first")), Future.cancel])
def test_a_long_chain_behind_a_failure_fails_to_its_end(end):
    """The last of five thousand links takes on the error, or is cancelled, as the second does."""
    first = last = Future()
    for _ in range(5000):
        last = DeferredFuture([last], lambda: done(None))
    end(first)
    assert isinstance(failure_of(last), (KeyError, CancelledError))
    assert last.done()


def test_a_call_made_in_the_depth_of_a_chain_is_made_at_once():
    """What is submitted and waited for inside a call is not put off behind the chain that it is part of."""
    first = last = Future()
    for _ in range(100):
        last = DeferredFuture(
            [last], lambda: done(DeferredFuture([done(1)], lambda: done(2)).result(timeout=20))
        )
    first.set_result(0)
    assert last.result(timeout=20) == 2


def test_a_cancelled_future_cancels_what_waits_for_it():
    """A call that depends on a cancelled one is cancelled, not failed."""
    first = Future()
    deferred = DeferredFuture([first], lambda: done(None))
    first.cancel()
    assert deferred.cancelled()
    assert isinstance(failure_of(deferred), CancelledError)


def test_an_error_in_submitting_is_the_error_of_the_deferred_call():
    """What `submit` raises, even to stop the program, leaves nobody waiting."""

    def stop():
        raise KeyboardInterrupt

    first = Future()
    deferred = DeferredFuture([first], stop)
    with pytest.raises(KeyboardInterrupt):
        first.set_result(1)
    assert isinstance(deferred.exception(timeout=20), KeyboardInterrupt)


def test_cancel_and_completion_at_the_same_time_end_in_one_of_the_two():
    """Whoever wins, the future is done, consistently, and nothing is raised."""
    for _ in range(200):
        first, line = Future(), threading.Barrier(2)
        deferred = DeferredFuture([first], lambda: done("made"))

        def finish(first=first, line=line):
            line.wait()
            first.set_result(1)

        thread = threading.Thread(target=finish)
        thread.start()
        line.wait()
        cancelled = deferred.cancel()
        thread.join()
        assert deferred.done()
        assert deferred.cancelled() == cancelled
        assert concurrent.futures.wait([deferred], timeout=20).done == {deferred}
