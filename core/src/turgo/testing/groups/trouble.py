"""Whole flows in trouble: failures, retries, timeouts, triggers, skips, lost workers, Ctrl-C."""

from __future__ import annotations

import os
from typing import Any

import pytest

from turgo.errors import TaskFailedError, TaskTimeoutError
from turgo.flows.mapping import unmapped
from turgo.flows.task import task
from turgo.hooks import hookimpl
from turgo.records.flow_run import FlowRun
from turgo.records.states import TaskState
from turgo.runner import flow
from turgo.testing import calls
from turgo.testing import failing_calls as mishaps
from turgo.testing.checks import Checks, rule
from turgo.testing.groups.flows import add, fail, identity, total


class Trouble(Checks):
    """The engine's promises hold on every executor."""

    @rule(
        "one element of a map that fails fails alone; the others succeed, what needs all of them does not run"
    )
    def test_elements_of_flows_fail_alone(self) -> None:
        @flow
        def mixed() -> Any:
            return total(add.map([1, "two", 3]))

        run = mixed.run(executor=self.running())
        assert _states(run, "add") == ["Success", "Failed", "Success"]
        assert _states(run, "sum") == ["TriggerFailed"]

    @rule("asking a failed run for its result raises TaskFailedError with the task's own error as its cause")
    def test_failures_are_raised(self) -> None:
        @flow
        def failing() -> Any:
            return fail("on purpose")

        run = failing.run(executor=self.running())
        with pytest.raises(TaskFailedError, match="fail") as caught:
            run.result  # noqa: B018  (asking for it is what raises)
        assert isinstance(caught.value.__cause__, ValueError)
        shown = "".join([run.task_runs[0].traceback, str(caught.value.__cause__)])
        assert "on purpose" in shown

    @rule("a task with retries is tried again until it succeeds, and no more often")
    def test_flows_retry(self) -> None:
        flaky = task(retries=3)(mishaps.fail_until)

        @flow
        def retried(path: str) -> Any:
            return flaky(path, 2)

        with self.folder() as folder:
            run = retried.run(path=str(folder / "notes"), executor=self.running())
            assert run.result == 3
            assert len((folder / "notes").read_text().splitlines()) == 3
        assert len(run.task_runs[0].attempts) == 3

    @rule("a task whose retries are used up is Failed with its last error")
    def test_retries_end(self) -> None:
        flaky = task(retries=1, retry_delay=0.01)(mishaps.fail_until)

        @flow
        def hopeless(path: str) -> Any:
            return flaky(path, 100)

        with self.folder() as folder:
            run = hopeless.run(path=str(folder / "notes"), executor=self.running())
        assert _states(run, "fail_until") == ["Failed"]
        assert "call 2 fails" in str(run.task_runs[0].error)

    @rule("a task that takes longer than its timeout is TimedOut, in time, and the rest of the flow runs")
    def test_flows_time_out(self) -> None:
        waiting = task(timeout=0.3)(calls.wait_for)

        @flow
        def slow(path: str) -> Any:
            return [waiting(path, 2 * self.patience), add(1, 1)]

        with self.folder() as folder:
            run = slow.run(path=str(folder / "never"), executor=self.running())
        assert (_states(run, "wait_for"), _states(run, "add")) == (["TimedOut"], ["Success"])
        error = next(each.error for each in run.task_runs if each.name == "wait_for")
        assert isinstance(error, TaskTimeoutError)

    @rule("`hard_timeouts`: a task that heeds nothing is TimedOut, and its worker works for others again",
          proves="hard_timeouts")  # fmt: skip
    def test_flows_kill_what_hangs(self) -> None:
        executor = self.needs_declared("hard_timeouts")
        hanging = task(timeout=0.3)(mishaps.hang)

        @flow
        def stuck(path: str) -> Any:
            return [hanging(path, 2 * self.patience), add.map(range(5))]

        with self.folder() as folder:
            run = stuck.run(path=str(folder / "never"), executor=executor)
            assert (_states(run, "hang"), _states(run, "add")) == (["TimedOut"], ["Success"] * 5)
            self.still_works(executor)

    @rule(
        "triggers decide what runs after a failure: always_run and any_failed do, all_failed and all_successful do not"
    )
    def test_flows_trigger(self) -> None:
        after = {
            name: task(trigger=name, name=name)(_ran) for name in ("always_run", "any_failed", "all_failed")
        }
        never = task(name="all_successful")(_ran)

        @flow
        def triggered() -> Any:
            bad, good = fail("on purpose"), add(1, 1)
            return [each(bad, good) for each in (*after.values(), never)]

        run = triggered.run(executor=self.running())
        wanted = {"always_run": "Success", "any_failed": "Success", "all_failed": "TriggerFailed"}
        assert {name: _states(run, name)[0] for name in after} == wanted
        assert _states(run, "all_successful") == ["TriggerFailed"]

    @rule("a task that raises Skip is Skipped, and so is what depends on it; the run succeeds")
    def test_flows_skip(self) -> None:
        skipping = task(mishaps.skip)

        @flow
        def skipped() -> Any:
            return [identity(skipping()), add(1, 1)]

        run = skipped.run(executor=self.running())
        assert run.ok
        assert (_states(run, "skip"), _states(run, "identity")) == (["Skipped"], ["Skipped"])

    @rule("SystemExit in a task fails that task alone")
    def test_exits_fail_their_task(self) -> None:
        leaving = task(mishaps.leave)

        @flow
        def left() -> Any:
            return [leaving(), add(1, 1)]

        run = left.run(executor=self.running())
        assert (_states(run, "leave"), _states(run, "add")) == (["Failed"], ["Success"])

    @rule("a value or error that cannot be sent fails its own task at most; the others of the flow succeed")
    def test_unportable_values_fail_their_task(self) -> None:
        locks, odd = task(calls.make_lock), task(calls.fail_with_lock)

        @flow
        def unportable() -> Any:
            return [locks(), odd(), add.map(range(5))]

        run = unportable.run(executor=self.running())
        assert _states(run, "add") == ["Success"] * 5
        assert _states(run, "fail_with_lock") == ["Failed"]
        assert _states(run, "make_lock") in (["Success"], ["Failed"])

    @rule("a worker that is lost costs no run: what it had is tried again, and the flow succeeds")
    def test_flows_survive_lost_workers(self) -> None:
        executor = self.needs_workers()
        dying = task(crash_retries=2)(mishaps.die_once)

        @flow
        def shaken(path: str) -> Any:
            return [dying(path), add.map(range(10))]

        with self.folder() as folder:
            run = shaken.run(path=str(folder / "died"), executor=executor)
            assert run.result == ["survived", list(range(1, 11))]

    @rule("the one element whose call kills its workers is found and is Crashed; all others succeed")
    def test_killers_are_found(self) -> None:
        executor = self.needs_workers()
        deadly = task(crash_retries=1)(mishaps.die_in)

        @flow
        def deadly_flow() -> Any:
            return deadly.map(range(20), unmapped(os.getpid()))

        run = deadly_flow.run(executor=executor)
        wanted = ["Crashed" if number == 13 else "Success" for number in range(20)]
        assert _states(run, "die_in") == wanted

    @rule("Ctrl-C in a flow comes out as KeyboardInterrupt; the executor that was started for it is closed")
    def test_flows_are_interrupted(self) -> None:
        @flow
        def interrupted() -> Any:
            return [add.map(range(50)), identity.map(range(50))]

        executor = self.alone()
        with self.subject.nothing_left(), pytest.raises(KeyboardInterrupt):
            interrupted.run(executor=executor, observers=[_Interrupts()])
        assert not executor.started
        with executor.start():
            assert self.value(executor.submit(calls.add, 1, 1)) == 2

    @rule("after a flow that failed the started executor is as good as before")
    def test_executors_outlive_failed_flows(self) -> None:
        @flow
        def failing() -> Any:
            return [fail.map(range(20)), add(1, 1)]

        assert not failing.run(executor=self.running()).ok
        self.still_works(self.running())


class _Interrupts:
    """An observer in whose hook the user presses Ctrl-C."""

    @hookimpl
    def turgo_flow_started(self, run: FlowRun) -> None:
        raise KeyboardInterrupt


def _ran(*values: Any) -> int:
    return len(values)


def _states(run: FlowRun, name: str) -> list[str]:
    """The states of the task runs of that name, in order."""
    return [TaskState(each.state).value for each in run.task_runs if each.name == name]
