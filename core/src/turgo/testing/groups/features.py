"""Whole flows, with each thing that the engine can do."""

from __future__ import annotations

from typing import Any

from turgo.flows.mapping import unmapped
from turgo.flows.task import task
from turgo.runner import flow
from turgo.testing import calls
from turgo.testing import failing_calls as mishaps
from turgo.testing.checks import Checks, rule
from turgo.testing.groups.flows import add, identity, total
from turgo.testing.observed.captured_logs import CapturedLogs

log = task(calls.log)
touch = task(calls.touch)
exists = task(calls.wait_for)
zeros = task(calls.zeros)
size = task(len)


class Features(Checks):
    """What a flow may say, it may say on every executor."""

    @rule("map over map over map: each element goes its own way")
    def test_flows_map_over_map(self) -> None:
        @flow
        def layers() -> Any:
            return add.map(add.map(add.map(range(30))), list(range(30)))

        assert layers.run(executor=self.running()).result == [2 * n + 2 for n in range(30)]

    @rule("a map may spread several arguments, hold others fixed, and take its elements from a task")
    def test_flows_spread_and_hold(self) -> None:
        @flow
        def spread() -> Any:
            elements = identity([1, 2, 3])
            return [add.map(elements, [10, 20, 30]), add.map(elements, unmapped(identity(100)))]

        assert spread.run(executor=self.running()).result == [[11, 22, 33], [101, 102, 103]]

    @rule("a map over nothing, known only at run time, gives an empty list, and what follows runs")
    def test_flows_map_nothing(self) -> None:
        @flow
        def empty() -> Any:
            return total(add.map(identity([])))

        assert empty.run(executor=self.running()).result == 0

    @rule("layers of tasks that each need several of the layer above give what plain calls give")
    def test_flows_in_layers(self) -> None:
        @flow
        def layered() -> Any:
            layer: list[Any] = [identity(n) for n in range(8)]
            for _ in range(6):
                layer = [add(layer[at], layer[at - 1]) for at in range(8)]
            return layer

        wanted = list(range(8))
        for _ in range(6):
            wanted = [wanted[at] + wanted[at - 1] for at in range(8)]
        assert layered.run(executor=self.running()).result == wanted

    @rule("values of every kind go from task to task and come home")
    def test_flows_carry_values(self) -> None:
        kinds: list[Any] = [
            None, True, 10**40, 2j, "ünïcödé", b"\0", [], (), {}, set(), frozenset({1}), range(3), ..., int,
            calls.Pair(1, [2]), {"a": [(1, {2})]}, calls.Counter(1), KeyError("a value"),
        ]  # fmt: skip

        @flow
        def carried() -> Any:
            return [identity(identity(value)) for value in kinds]

        came = carried.run(executor=self.running()).result
        assert [repr(value) if isinstance(value, KeyError) else value for value in came] == [
            repr(value) if isinstance(value, KeyError) else value for value in kinds
        ]

    @rule("functions that cannot be imported are tasks too: lambdas, closures, those of a test")
    def test_flows_of_closures(self) -> None:
        factor = 3
        times = task(lambda number: number * factor)

        @flow
        def closed() -> Any:
            return total(times.map(range(10)))

        assert closed.run(executor=self.running()).result == 135

    @rule("a task may be a coroutine function")
    def test_flows_of_coroutines(self) -> None:
        later = task(calls.add_later)

        @flow
        def awaited() -> Any:
            return [later(1, 2), total(later.map(range(5), range(5)))]

        assert awaited.run(executor=self.running()).result == [3, 20]

    @rule("a task runs after those that it is to wait for, although it uses none of their values")
    def test_flows_wait_for_upstreams(self) -> None:
        @flow
        def ordered(path: str) -> Any:
            return exists.after(touch(path))(path, 0.0)

        with self.folder() as folder:
            assert ordered.run(path=str(folder / "sign"), executor=self.running()).result is True

    @rule("a flow may call a flow, whose tasks become its own")
    def test_flows_within_flows(self) -> None:
        @flow
        def inner(start: int) -> Any:
            return add(start, 1)

        @flow
        def outer() -> Any:
            return [inner(1), add(inner(2), 1)]

        assert outer.run(executor=self.running()).result == [2, 4]

    @rule("large values go from task to task of a flow whole")
    def test_flows_carry_large_values(self) -> None:
        @flow
        def heavy() -> Any:
            return size.map(zeros.map([2**22] * 6))

        assert heavy.run(executor=self.running()).result == [2**22] * 6

    @rule("tasks that do not depend on each other run at the same time, where the executor is `parallel`")
    def test_flows_overlap(self) -> None:
        executor = self.needs_declared("parallel")
        meeting = task(batch=False)(calls.meet)

        @flow
        def overlapping(one: str, other: str) -> Any:
            return [meeting(one, other, self.patience / 3), meeting(other, one, self.patience / 3)]

        with self.folder() as folder:
            signs = str(folder / "one"), str(folder / "other")
            met = overlapping.run(*signs, executor=executor).result if executor.slots > 1 else [True, True]
        assert met == [True, True], "they ran one after the other"

    @rule("what the tasks of a flow log reaches the driver's handlers once, and is kept with their runs")
    def test_flows_tell_their_logs(self) -> None:
        @flow
        def logging_flow(name: str) -> Any:
            return log.map([name] * 3, ["one", "two", "three"])

        with CapturedLogs.of("turgo.conformance") as logs:
            run = logging_flow.run(name=logs.name, executor=self.running())
        assert run.ok
        assert sorted(logs.messages) == ["one", "three", "two"]
        kept = [line.message for task_run in run.task_runs for line in task_run.logs]
        assert kept == ["one", "two", "three"]

    @rule("the records of a run say of each task run when it started, how long it took and where")
    def test_flows_are_recorded(self) -> None:
        late = task(calls.late)

        @flow
        def recorded() -> Any:
            return late.map(range(3), [0.05] * 3)

        run = recorded.run(executor=self.running())
        assert len(run.task_runs) == 3
        for task_run in run.task_runs:
            assert task_run.worker
            assert task_run.duration is not None and task_run.duration >= 0.05
            assert task_run.started is not None and run.started is not None
            assert abs(task_run.started - run.started) < self.patience

    @rule("the same flow may be run again and again on one started executor, and computes anew")
    def test_flows_run_again(self) -> None:
        again = task(mishaps.fail_until)

        @flow
        def counted(path: str) -> Any:
            return again(path, 0)

        with self.folder() as folder:
            runs = [counted.run(path=str(folder / "notes"), executor=self.running()) for _ in range(3)]
        assert [run.result for run in runs] == [1, 2, 3]
