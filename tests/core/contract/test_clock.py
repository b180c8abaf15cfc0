"""The clock of a run."""

from queue import Empty, SimpleQueue

import pytest

from turgo.contract.clock import SYSTEM_CLOCK, Clock, clock_of


class Timed:
    """Stands for an executor that lives in a time of its own."""

    clock = Clock()


def test_a_run_reads_the_clock_of_its_executor_if_that_has_one():
    """Anything else of that name, and none, mean the clock of this computer."""
    assert clock_of(Timed()) is Timed.clock
    assert clock_of(object()) is SYSTEM_CLOCK
    other = Timed()
    other.clock = "09:30"
    assert clock_of(other) is SYSTEM_CLOCK


def test_time_goes_on_and_waiting_ends_with_what_is_there_or_with_its_time():
    """The first entry at once; an empty queue raises Empty after the seconds that were given."""
    before = SYSTEM_CLOCK.monotonic()
    queue = SimpleQueue()
    queue.put("first")
    assert SYSTEM_CLOCK.get(queue, 60.0) == "first"
    with pytest.raises(Empty):
        SYSTEM_CLOCK.get(queue, 0.01)
    assert SYSTEM_CLOCK.monotonic() - before >= 0.01
    assert SYSTEM_CLOCK.wall() > 1.7e9
