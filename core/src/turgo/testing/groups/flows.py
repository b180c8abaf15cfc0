"""Whole flows: what the engine makes of the executor."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from turgo.flows.task import Task, task
from turgo.records.states import TaskState
from turgo.runner import flow
from turgo.testing import calls
from turgo.testing.checks import Checks, rule

add = task(calls.add)
identity = task(calls.identity)
note = task(calls.note)
fail = task(calls.fail)
total: Task[[Iterable[int]], int] = task(sum)


class Flows(Checks):
    """`flow.run(executor=…)` on the executor under test."""

    @rule("a flow gives what it returned, in that shape, with values in the place of results")
    def test_flows_give_their_shape(self) -> None:
        @flow
        def shaped() -> Any:
            one = identity(1)
            return {"a": [one, (add(one, 1), "text")], "b": {"c": add(one, one)}}

        run = shaped.run(executor=self.running())
        assert run.ok
        assert run.result == {"a": [1, (2, "text")], "b": {"c": 2}}

    @rule("a mapped task runs once for each element, whose number may be known only at run time")
    def test_flows_map(self) -> None:
        @flow
        def mapped(width: int) -> Any:
            elements = identity(list(range(width)))
            return total(add.map(add.map(elements)))

        assert mapped.run(width=40, executor=self.running()).result == sum(range(40)) + 80

    @rule("a chain of tasks gives what calling the functions one after the other gives")
    def test_flows_chain(self) -> None:
        @flow
        def chain() -> Any:
            value = identity(0)
            for _ in range(50):
                value = add(value, 1)
            return value

        assert chain.run(executor=self.running()).result == 50

    @rule("every task run of a flow calls its function once")
    def test_flows_call_once(self) -> None:
        @flow
        def noted(path: str) -> Any:
            return note.map([path] * 20)

        with self.folder() as folder:
            run = noted.run(path=str(folder / "notes"), executor=self.running())
            assert run.ok
            assert len((folder / "notes").read_text().splitlines()) == 20

    @rule("a task that fails fails alone: its error is shown, what depends on it does not run, the rest does")
    def test_flows_survive_failures(self) -> None:
        @flow
        def broken() -> Any:
            return [add(fail("on purpose"), 1), add(1, 1)]

        run = broken.run(executor=self.running())
        assert not run.ok
        states = {task_run.name: task_run.state for task_run in run.task_runs if task_run.name != "add"}
        assert states == {"fail": TaskState.FAILED}
        after = sorted(task_run.state.value for task_run in run.task_runs if task_run.name == "add")
        assert after == ["Success", "TriggerFailed"]
        error = next(task_run.error for task_run in run.task_runs if task_run.name == "fail")
        assert "on purpose" in str(error)

    @rule("an executor that is not started is started for the flow and closed after it; nothing is left")
    def test_flows_start_and_close(self) -> None:
        @flow
        def small() -> Any:
            return add(1, 1)

        executor = self.alone()
        with self.subject.nothing_left():
            assert small.run(executor=executor).result == 2
        assert not executor.started
