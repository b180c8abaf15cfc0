"""Capabilities that are not declared: they are declined, in a way that the engine can rely on."""

from __future__ import annotations

import os
import socket
from typing import Any

import pytest

from turgo.errors import RequirementError
from turgo.executor import CAPABILITIES
from turgo.runner import flow
from turgo.testing import calls
from turgo.testing import failing_calls as mishaps
from turgo.testing.checks import Checks, rule
from turgo.testing.groups.declared import LOST
from turgo.testing.groups.flows import add
from turgo.testing.observed.captured_logs import CapturedLogs


class Undeclared(Checks):
    """What an executor does not say that it can do is not done by half."""

    @rule("offers() says yes to each capability that is declared and to no other")
    def test_offers_what_it_declares(self) -> None:
        executor = self.make()
        offered = {name for name in CAPABILITIES if executor.offers(name)}
        assert offered == executor.capabilities
        assert not executor.offers("teleports")

    @rule(
        "a flow that requires what is declared runs; one that requires anything else is refused before the start"
    )
    def test_requirements_are_weighed(self) -> None:
        executor = self.alone()
        runs = flow(requires=sorted(executor.capabilities))(_one)
        with executor.start():
            assert runs.run(executor=executor).result == 2
        for lacking in sorted(CAPABILITIES.keys() - executor.capabilities):
            with pytest.raises(RequirementError, match=lacking):
                flow(requires=[lacking])(_one).run(executor=executor)

    @rule("capabilities are the same before, in and after start()")
    def test_capabilities_are_constant(self) -> None:
        executor = self.alone()
        seen = [executor.capabilities]
        with executor.start():
            seen.append(executor.capabilities)
        seen.append(executor.capabilities)
        shown = [sorted(capabilities) for capabilities in seen]
        assert seen == [seen[0]] * 3, (
            f"they are {shown[0]} before, {shown[1]} in and {shown[2]} after start()"
        )

    @rule("not `parallel`: it has one slot, and calls run one after the other")
    def test_one_slot_without_parallel(self) -> None:
        executor = self.needs_undeclared("parallel")
        assert executor.slots == 1
        with self.folder() as folder:
            one, other = str(folder / "one"), str(folder / "other")
            pair = [
                executor.submit(calls.meet, one, other, 0.2),
                executor.submit(calls.meet, other, one, 0.2),
            ]
            met = [self.value(future) for future in pair]
        assert met != [True, True], "two calls ran at once"

    @rule("not `distributed`: calls run on the driver's machine")
    def test_at_home_without_distributed(self) -> None:
        executor = self.needs_undeclared("distributed")
        machine, _ = self.value(executor.submit(calls.where))
        assert machine == socket.gethostname()

    @rule("not `cancels_running`: cancel does not count a call that runs, which comes to its end")
    def test_running_calls_end_without_cancels_running(self) -> None:
        executor = self.needs_undeclared("cancels_running")
        self.needs_waiting_calls()
        with self.folder() as folder:
            sign, gate, end = folder / "sign", folder / "gate", folder / "end"
            future = executor.submit(calls.finish, str(sign), str(gate), str(end), self.patience)
            self.eventually(sign.exists, "the call begins")
            assert executor.cancel(future) == 0
            gate.touch()
            self.eventually(end.exists, "a call that was not stopped comes to its end")

    @rule("not `hard_timeouts`: `task_timeout` is a hint, and a call that takes longer comes to its end")
    def test_timeouts_are_hints_without_hard_timeouts(self) -> None:
        executor = self.needs_undeclared("hard_timeouts")
        context: Any = {"task_timeout": 0.01}
        assert self.value(executor.submit(calls.late, "ended", 0.1, extra_context=context)) == "ended"

    @rule(
        "not `survives_worker_loss`: a call that loses its worker has an error all the same, nobody waits for ever"
    )
    def test_lost_workers_are_errors(self) -> None:
        self.needs_undeclared("survives_worker_loss")
        with self.fresh() as executor:
            if self.in_this_process(executor):
                return  # there is no worker to lose
            error = self.error(executor.submit(mishaps.die))
            assert isinstance(error, LOST), f"it is {type(error).__name__}: {error}"

    @rule("not `keeps_results_remote`: values come to the driver, and stay there when start() is left")
    def test_values_come_home(self) -> None:
        self.needs_undeclared("keeps_results_remote")
        with self.fresh() as executor:
            futures = executor.map(calls.zeros, [10, 2**16])
            for future in futures:
                self.eventually(future.done, "the call is done")
        assert [len(self.value(future)) for future in futures] == [10, 2**16]

    @rule("not `forwards_logs`: what a call logs in another process reaches the driver through flows alone")
    def test_logs_stay_without_forwards_logs(self) -> None:
        executor = self.needs_undeclared("forwards_logs")
        with CapturedLogs.of("turgo.conformance") as logs:
            _, worker = self.value(executor.submit(calls.where))
            self.value(executor.submit(calls.log, logs.name, "from afar"))
            self.still_works(executor)
        here = worker == os.getpid()
        assert logs.messages == (["from afar"] if here else [])

    @rule("not `resources`: tags that ask for resources are passed over, and the call runs")
    def test_tags_are_passed_over_without_resources(self) -> None:
        executor = self.needs_undeclared("resources")
        assert executor.resource_tag == "", (
            "it says how to ask for resources and does not declare `resources`"
        )
        tags = ["resource:GPU=1000", "gpu=1000", "GPU"]
        assert self.value(executor.submit(calls.add, 1, 1, extra_context={"task_tags": tags})) == 2


def _one() -> Any:
    return add(1, 1)
