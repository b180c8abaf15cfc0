"""The hooks that plugins implement: who is asked, and what is said of each."""

import inspect

import pluggy
import pytest

from turgo import flow, task
from turgo.executor import ExecutorSpec
from turgo.hooks import EXECUTORS_GROUP, OBSERVERS_GROUP, PROJECT, ExecutorHooks, ObserverHooks, hookimpl

pytestmark = pytest.mark.usefixtures("inline_as_local")

HOOKS = [
    (kind, name)
    for kind in (ExecutorHooks, ObserverHooks)
    for name in vars(kind)
    if name.startswith("turgo_")
]


@pytest.mark.parametrize(("kind", "name"), HOOKS)
def test_a_hook_is_named_and_described(kind: type, name: str) -> None:
    """`turgo_<noun>_<verb>`, with a docstring that says when it is called."""
    assert name.startswith(f"{PROJECT}_") and inspect.getdoc(getattr(kind, name))
    assert hasattr(getattr(kind, name), f"{PROJECT}_spec")


def test_the_entry_points_are_those_of_the_project() -> None:
    """One group for executors, one for observers."""
    assert {EXECUTORS_GROUP, OBSERVERS_GROUP} == {"turgo.executors", "turgo.observers"}


def test_a_plugin_yields_its_specs() -> None:
    """As pluggy calls what `hookimpl` marks."""

    class Plugin:
        @hookimpl
        def turgo_executors(self):  # type: ignore[no-untyped-def]
            yield ExecutorSpec(name="turbine", target="turgo_turbine:Turbine")

    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(ExecutorHooks)
    manager.register(Plugin())
    ((spec,),) = manager.hook.turgo_executors()
    assert spec.name == "turbine"


def test_each_hook_of_an_observer_is_called_in_the_order_of_a_run() -> None:
    """It begins, something becomes of its task runs, it is over; in the thread that runs the flow."""
    seen: list[str] = []

    class Watch:
        @hookimpl
        def turgo_flow_started(self, run: object) -> None:
            seen.append("started")

        @hookimpl
        def turgo_task_events(self, run: object, events: object) -> None:
            seen.append("events")

        @hookimpl
        def turgo_flow_finished(self, run: object) -> None:
            seen.append("finished")

    @task
    def one() -> int:
        return 1

    @flow
    def ones() -> object:
        return one()

    assert ones.run(executor="local", observers=[Watch()]).ok
    assert seen[0] == "started" and seen[-1] == "finished" and set(seen[1:-1]) == {"events"}
