"""Dispatch: what is no observer is refused with the name of the method, and events are passed on in bunches."""

import sys
from types import ModuleType

import pytest

from turgo import flow, task
from turgo.errors import ObserverError
from turgo.hooks import hookimpl
from turgo.observers.dispatch import BUNCH_SECONDS, HOOKS, Observers, manager_of
from turgo.records.states import TaskState
from turgo.records.task_run import TaskEvent

pytestmark = pytest.mark.usefixtures("inline_as_local")


class Watch:
    @hookimpl
    def turgo_flow_started(self, run):
        pass


class Unmarked:
    def turgo_flow_started(self, run):
        pass


class HalfMarked(Watch):
    def turgo_flow_finished(self, run):
        pass


class Overrides(Watch):
    """Its method hides the one that is marked."""

    def turgo_flow_started(self, run):
        pass


class Misspelt:
    @hookimpl
    def turgo_flow_begun(self, run):
        pass


class MisspeltAndUnmarked(Watch):
    def turgo_task_event(self, run, events):
        pass


class Misfit:
    @hookimpl
    def turgo_flow_started(self, run, weather):
        pass


class Deaf:
    def started(self, run):
        pass


@pytest.mark.parametrize(
    ("observer", "hook", "told"),
    [
        (Unmarked(), "turgo_flow_started", "Unmarked.turgo_flow_started is not marked as a hook"),
        (HalfMarked(), "turgo_flow_finished", "HalfMarked.turgo_flow_finished is not marked as a hook"),
        (Overrides(), "turgo_flow_started", "mark it with @hookimpl"),
        (Misspelt(), "turgo_flow_begun", "there is none of that name: there are turgo_flow_started, "),
        (MisspeltAndUnmarked(), "turgo_task_event", "is not marked as a hook"),
        (Misfit(), None, "weather"),
        (Deaf(), None, "Deaf implements none of the hooks turgo_flow_started, "),
        (Watch, None, "an object of it is: Watch()"),
        (print, None, "implements none of the hooks"),
    ],
)
def test_what_would_hear_nothing_is_refused_before_any_task_runs(observer, hook, told):
    """Pluggy alone would leave it out without a word, or of a class tell of a missing argument when it is called."""
    ran = []
    body = flow(lambda: task(lambda: ran.append(1))())
    with pytest.raises(ObserverError) as refused:
        body.run(executor="local", observers=[Watch(), observer])
    assert told in str(refused.value)
    assert refused.value.hook == hook
    assert not ran


def test_a_module_may_be_an_observer_and_a_plugin_of_executors():
    """Its other hook is none that an observer has to explain, nor are modules whose names begin as hooks do."""
    module = ModuleType("both")
    exec(
        "from turgo.hooks import hookimpl\n"
        "@hookimpl\ndef turgo_executors(): return []\n"
        "@hookimpl\ndef turgo_flow_started(run): pass\n",
        vars(module),
    )
    module.turgo_flow = sys
    hooks = {caller.name for caller in manager_of(module).get_hookcallers(module)}
    assert hooks == {"turgo_executors", "turgo_flow_started"}


def test_the_hooks_of_observers_are_four():
    """Those of executors are none of them."""
    assert len(HOOKS) == 4 and "turgo_executors" not in HOOKS


EVENT = TaskEvent("t", TaskState.SUCCESS, 1, 0)


class Bunches:
    def __init__(self):
        self.bunches = []

    @hookimpl
    def turgo_task_events(self, run, events):
        self.bunches.append(list(events))


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


def test_events_wait_until_the_last_bunch_is_old_enough():
    """What comes meanwhile is told together."""
    clock, watch = Clock(), Bunches()
    observers = Observers([watch], clock)
    events = [EVENT]
    observers.pass_on(None, events)
    assert watch.bunches == [] and events == [EVENT]
    clock.now += BUNCH_SECONDS / 2
    assert 0 < observers.due_in() <= BUNCH_SECONDS / 2 + 1e-9
    clock.now += BUNCH_SECONDS / 2 + 0.001
    assert observers.due_in() == 0.0
    events.append(EVENT)
    observers.pass_on(None, events)
    assert watch.bunches == [[EVENT, EVENT]] and events == []


def test_the_last_bunch_is_told_at_once():
    """At the end of a run nothing waits, and nothing empty is told."""
    watch = Bunches()
    observers = Observers([watch], Clock())
    observers.pass_on(None, [EVENT], now=True)
    observers.pass_on(None, [], now=True)
    assert watch.bunches == [[EVENT]]


def test_without_observers_there_is_nothing_to_tell():
    """The engine makes no events then."""
    assert not Observers([])
    assert Observers([Bunches()])


def test_one_that_fails_is_left_out(caplog):
    """The others are told."""

    class Broken:
        @hookimpl
        def turgo_task_events(self, run, events):
            raise OSError("full")

    watch = Bunches()
    observers = Observers([Broken(), watch], Clock())
    for _ in range(2):
        observers.pass_on(None, [EVENT], now=True)
    assert len(watch.bunches) == 2 and len(caplog.records) == 1
