"""Observers: what would hear nothing is refused before the run begins, with the name of the method."""

import sys
from types import ModuleType

import pytest

from penstock import flow, task
from penstock.errors import ObserverError
from penstock.hooks import hookimpl
from penstock.listening import HOOKS, manager_of

pytestmark = pytest.mark.usefixtures("inline_as_local")


class Watch:
    @hookimpl
    def penstock_flow_started(self, run):
        pass


class Unmarked:
    def penstock_flow_started(self, run):
        pass


class HalfMarked(Watch):
    def penstock_flow_finished(self, run):
        pass


class Overrides(Watch):
    """Its method hides the one that is marked."""

    def penstock_flow_started(self, run):
        pass


class Misspelt:
    @hookimpl
    def penstock_flow_begun(self, run):
        pass


class MisspeltAndUnmarked(Watch):
    def penstock_task_event(self, run, events):
        pass


class Misfit:
    @hookimpl
    def penstock_flow_started(self, run, weather):
        pass


class Deaf:
    def started(self, run):
        pass


@pytest.mark.parametrize(
    ("observer", "hook", "told"),
    [
        (Unmarked(), "penstock_flow_started", "Unmarked.penstock_flow_started is not marked as a hook"),
        (HalfMarked(), "penstock_flow_finished", "HalfMarked.penstock_flow_finished is not marked as a hook"),
        (Overrides(), "penstock_flow_started", "mark it with @hookimpl"),
        (Misspelt(), "penstock_flow_begun", "there is none of that name: there are penstock_flow_started, "),
        (MisspeltAndUnmarked(), "penstock_task_event", "is not marked as a hook"),
        (Misfit(), None, "weather"),
        (Deaf(), None, "Deaf implements none of the hooks penstock_flow_started, "),
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
        "from penstock.hooks import hookimpl\n"
        "@hookimpl\ndef penstock_executors(): return []\n"
        "@hookimpl\ndef penstock_flow_started(run): pass\n",
        vars(module),
    )
    module.penstock_flow = sys
    hooks = {caller.name for caller in manager_of(module).get_hookcallers(module)}
    assert hooks == {"penstock_executors", "penstock_flow_started"}


def test_the_hooks_of_observers_are_four():
    """Those of executors are none of them."""
    assert len(HOOKS) == 4 and "penstock_executors" not in HOOKS
