"""Telling observers: in bunches."""

from penstock.engine.telling import INTERVAL, Observers
from penstock.hooks import hookimpl
from penstock.records import TaskEvent
from penstock.states import TaskState

EVENT = TaskEvent("t", TaskState.SUCCESS, 1, 0)


class Watch:
    def __init__(self):
        self.bunches = []

    @hookimpl
    def penstock_task_events(self, run, events):
        self.bunches.append(list(events))


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


def test_events_wait_until_the_last_bunch_is_old_enough():
    """What comes meanwhile is told together."""
    clock, watch = Clock(), Watch()
    observers = Observers([watch], clock)
    events = [EVENT]
    observers.pass_on(None, events)
    assert watch.bunches == [] and events == [EVENT]
    clock.now += INTERVAL / 2
    assert 0 < observers.due_in() <= INTERVAL / 2 + 1e-9
    clock.now += INTERVAL / 2 + 0.001
    assert observers.due_in() == 0.0
    events.append(EVENT)
    observers.pass_on(None, events)
    assert watch.bunches == [[EVENT, EVENT]] and events == []


def test_the_last_bunch_is_told_at_once():
    """At the end of a run nothing waits, and nothing empty is told."""
    watch = Watch()
    observers = Observers([watch], Clock())
    observers.pass_on(None, [EVENT], now=True)
    observers.pass_on(None, [], now=True)
    assert watch.bunches == [[EVENT]]


def test_without_observers_there_is_nothing_to_tell():
    """The engine makes no events then."""
    assert not Observers([])
    assert Observers([Watch()])


def test_one_that_fails_is_left_out(caplog):
    """The others are told."""

    class Broken:
        @hookimpl
        def penstock_task_events(self, run, events):
            raise OSError("full")

    watch = Watch()
    observers = Observers([Broken(), watch], Clock())
    for _ in range(2):
        observers.pass_on(None, [EVENT], now=True)
    assert len(watch.bunches) == 2 and len(caplog.records) == 1
