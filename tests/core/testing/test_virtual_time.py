"""Virtual time: events in their order, and waiting that takes no time of ours."""

from queue import Empty, SimpleQueue

import pytest

from turgo.testing.virtual_time import START_SECONDS, SimulatedClock, SimulatedFuture


def test_events_happen_at_their_time_and_in_the_order_of_asking():
    """The time leaps to the next one; none that is later than asked for."""
    clock, seen = SimulatedClock(), []
    for when, name in ((5.0, "second"), (2.0, "first"), (5.0, "third")):
        clock.at(when, lambda name=name: seen.append((clock.now, name)))
    assert clock.step(until=4.0) and not clock.step(until=4.0)
    assert clock.step() and clock.step() and not clock.step()
    assert seen == [(2.0, "first"), (5.0, "second"), (5.0, "third")]
    assert clock.monotonic() == 5.0 and clock.wall() == START_SECONDS + 5.0


def test_who_waits_for_a_queue_lets_the_time_go_on():
    """Until something is there, or for the seconds that were given."""
    clock, queue = SimulatedClock(), SimpleQueue()
    clock.at(100.0, lambda: queue.put("late"))
    with pytest.raises(Empty):
        clock.get(queue, 99.0)
    assert clock.now == 99.0
    assert clock.get(queue, 99.0) == "late" and clock.now == 100.0


def test_who_waits_for_a_future_lets_the_time_go_on():
    """An event that was dropped never happens."""
    clock = SimulatedClock()
    future = SimulatedFuture(clock)
    clock.at(7.0, lambda: future.set_result("value"))
    assert future.result() == "value" and clock.now == 7.0
    clock.at(8.0, lambda: pytest.fail("this event was dropped"))
    clock.clear()
    with pytest.raises(TimeoutError):
        SimulatedFuture(clock).result(timeout=3.0)
    assert clock.now == 10.0


def test_a_wait_too_short_to_be_seen_in_the_time_goes_on():
    """0.05 s less 0.05 s may leave a rest that no sum can see: whoever waits for it again and again gets there."""
    clock, queue = SimulatedClock(), SimpleQueue()
    clock.now = 1.0
    rest = 1e-20
    assert clock.now + rest == clock.now
    with pytest.raises(Empty):
        clock.get(queue, rest)
    assert clock.now > 1.0
