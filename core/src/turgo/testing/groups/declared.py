"""Capabilities that are declared: each is proven by doing it."""

from __future__ import annotations

import logging
import os
import time
from concurrent.futures import BrokenExecutor
from typing import Any

import pytest

from turgo.errors import TaskTimeoutError, WorkerLostError
from turgo.executor import Executor
from turgo.testing import calls
from turgo.testing import failing_calls as mishaps
from turgo.testing.checks import Checks, rule
from turgo.testing.observed.captured_logs import CapturedLogs

LOST = (WorkerLostError, BrokenExecutor)

SLOT_CALLS = 64
"""How many calls are asked to run at the same time, where there are more slots than that."""

MORE_SECONDS = 0.3
"""How long calls have to begin for which there is no slot."""

COUNTED_SECONDS = 3
"""How old the number of slots may be: executors of clusters count their workers now and then."""


class Declared(Checks):
    """What an executor says that it can do, it does."""

    @rule("`parallel`: two calls run at the same time, where there are two slots or more", proves="parallel")
    def test_parallel_is_parallel(self) -> None:
        executor = self.needs_declared("parallel")
        if executor.slots < 2:
            pytest.skip("it has one slot only")
        self._meet(executor, 2)

    @rule("`parallel`: as many calls as there are slots run at the same time, 64 or fewer", proves="parallel")
    def test_slots_are_true(self) -> None:
        executor = self.needs_declared("parallel")
        self._meet(executor, min(SLOT_CALLS, executor.slots))

    def _meet(self, executor: Executor, count: int) -> None:
        begun = self._begun(executor, count, count, self.patience / 2)
        assert begun == count, f"{begun} of {count} calls ran at the same time"

    @rule("no more calls run at the same time than there are slots")
    def test_slots_are_kept(self) -> None:
        self.needs_waiting_calls()
        executor = self.running()
        slots = executor.slots
        if slots > SLOT_CALLS:
            pytest.skip(f"it has more than {SLOT_CALLS} slots")
        begun = self._begun(executor, 2 * slots + 2, slots + 1, MORE_SECONDS)
        most = max(slots, self._slots_seen(executor, begun))
        assert begun <= most, f"{begun} calls ran at the same time on {most} slots"

    def _slots_seen(self, executor: Executor, begun: int) -> int:
        """The slots, once those are counted that have come while the calls began."""
        end = time.monotonic() + COUNTED_SECONDS
        while executor.slots < begun and time.monotonic() < end:
            time.sleep(0.05)
        return executor.slots

    def _begun(self, executor: Executor, count: int, enough: int, seconds: float) -> int:
        """How many of `count` calls that wait for each other begin, within so many seconds or until it is enough."""
        with self.folder() as folder:
            gate = folder / "gate"
            futures = [
                executor.submit(calls.begin, str(folder), own, str(gate), 2 * self.patience)
                for own in range(count)
            ]
            end = time.monotonic() + seconds
            while (begun := len(list(folder.iterdir()))) < enough and time.monotonic() < end:
                time.sleep(0.005)
            gate.touch()
            for future in futures:
                self.value(future)
        return begun

    @rule("`distributed`: calls run in other processes than the driver's (more one machine cannot prove)",
          proves="distributed")  # fmt: skip
    def test_distributed_leaves_the_process(self) -> None:
        executor = self.needs_declared("distributed")
        own = calls.where()
        places = [self.value(future) for future in executor.map(_where, range(2 * executor.slots))]
        assert own not in places, "a call ran in the driver's process"

    @rule("`distributed`: arguments and values travel by value: what a call changes is its own copy",
          proves="distributed")  # fmt: skip
    def test_distributed_copies(self) -> None:
        executor = self.needs_declared("distributed")
        mine = [1]
        assert self.value(executor.submit(calls.add_to, mine, 2)) == [1, 2]
        assert mine == [1], "the call changed the driver's own list"

    @rule(
        "`cancels_running`: a call that runs is stopped, and its slot is free again", proves="cancels_running"
    )
    def test_cancels_running_is_true(self) -> None:
        executor = self.needs_declared("cancels_running")
        with self.folder() as folder:
            sign, gate, end = folder / "sign", folder / "gate", folder / "end"
            future = executor.submit(calls.finish, str(sign), str(gate), str(end), 4 * self.patience)
            self.eventually(sign.exists, "the call begins")
            assert executor.cancel(future) == 1
            self.still_works(executor)
            gate.touch()
            with pytest.raises(calls.CANCELLED):
                self.value(future)
            assert not end.exists(), "the call went on"

    @rule("`hard_timeouts`: a call that heeds nothing is killed after its `task_timeout`, and its slot is free again",
          proves="hard_timeouts")  # fmt: skip
    def test_hard_timeouts_kill(self) -> None:
        executor = self.needs_declared("hard_timeouts")
        with self.folder() as folder:
            future = executor.submit(
                mishaps.hang, str(folder / "never"), 4 * self.patience, extra_context={"task_timeout": 0.5}
            )
            error = self.error(future)
            assert isinstance(error, (TaskTimeoutError, TimeoutError)), f"{type(error).__name__}: {error}"
            self._meet(executor, min(SLOT_CALLS, executor.slots))

    @rule("`hard_timeouts`: a call that ends in time is left alone", proves="hard_timeouts")
    def test_hard_timeouts_spare(self) -> None:
        executor = self.needs_declared("hard_timeouts")
        context: Any = {"task_timeout": self.patience}
        assert self.value(executor.submit(calls.late, 1, 0.1, extra_context=context)) == 1
        self.still_works(executor)

    @rule("`survives_worker_loss`: the call that loses its worker fails with WorkerLostError or BrokenExecutor",
          proves="survives_worker_loss")  # fmt: skip
    def test_lost_workers_are_named(self) -> None:
        executor = self.needs_workers()
        error = self.error(executor.submit(mishaps.die))
        assert isinstance(error, LOST), f"it is {type(error).__name__}: {error}"

    @rule(
        "`survives_worker_loss`: calls that come after the loss run, on all slots",
        proves="survives_worker_loss",
    )
    def test_later_calls_survive(self) -> None:
        executor = self.needs_workers()
        for _ in range(2):
            self.error(executor.submit(mishaps.die))
            self.still_works(executor)

    @rule("`keeps_results_remote`: a value goes from call to call without being unpickled by the driver",
          proves="keeps_results_remote")  # fmt: skip
    def test_values_stay_remote(self) -> None:
        executor = self.needs_declared("keeps_results_remote")
        value = executor.submit(mishaps.HomeSick, os.getpid(), 2**20)
        sizes = executor.map(calls.size_of, [value] * (2 * executor.slots))
        assert [self.value(future) for future in sizes] == [2**20] * (2 * executor.slots)

    @rule("`keeps_results_remote`: values stay remote where they stand in lists, tuples and dicts",
          proves="keeps_results_remote")  # fmt: skip
    def test_nested_values_stay_remote(self) -> None:
        executor = self.needs_declared("keeps_results_remote")
        first, second = (executor.submit(mishaps.HomeSick, os.getpid(), size) for size in (10, 20))
        future = executor.submit(calls.sizes_in, {"list": [first], "tuple": ("text", second)})
        assert sorted(self.value(future)) == [10, 20]

    @rule("`forwards_logs`: what a call logs reaches the driver's handlers, once", proves="forwards_logs")
    def test_logs_are_forwarded(self) -> None:
        executor = self.needs_declared("forwards_logs")
        with CapturedLogs.of("turgo.conformance") as logs:
            self.value(executor.submit(calls.log, logs.name, "from afar"))
            self.eventually(lambda: bool(logs.messages), "the record reaches the driver")
            self.still_works(executor)
        assert (logs.messages, logs.levels) == (["from afar"], [logging.WARNING])

    @rule("`resources`: `resource_tag` says how a tag asks for one, with the fields {name} and {amount}",
          proves="resources")  # fmt: skip
    def test_resources_can_be_asked_for(self) -> None:
        executor = self.needs_declared("resources")
        assert executor.resource_tag, "an executor that declares `resources` says how they are asked for"
        one, other = (executor.resource_tag.format(name=name, amount=1) for name in ("GPU", "TPU"))
        assert one != other

    @rule("`resources`: a call that asks for what no worker has does not begin, and the others go on",
          proves="resources")  # fmt: skip
    def test_missing_resources_are_waited_for(self) -> None:
        executor = self.needs_declared("resources")
        tag = executor.resource_tag.format(name="TURGO-NOWHERE", amount=1)
        with self.folder() as folder:
            sign = folder / "sign"
            future = executor.submit(calls.touch, str(sign), extra_context={"task_tags": [tag]})
            self.still_works(executor)
            assert not sign.exists(), "it ran without the resource"
            executor.cancel(future)
            self.eventually(future.done, "a call that waits for a resource can be cancelled")
            assert not sign.exists(), "it ran without the resource"


def _where(_: int) -> tuple[str, int]:
    return calls.where()
