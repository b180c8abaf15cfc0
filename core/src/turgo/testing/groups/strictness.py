"""What is not seen in one call: changes of the process, what is opened too early, now and then a wrong answer."""

from __future__ import annotations

import concurrent.futures
import contextlib
import io
import random
import threading
from typing import Any

from turgo.testing import calls
from turgo.testing.checks import Checks, rule
from turgo.testing.groups.leaks import descriptors
from turgo.testing.observed.process_state import ProcessState

SHUFFLED_CALLS = 1000
"""How many calls are asked for their values in an order of their own."""

FLIGHT_CALLS = 500
"""How many calls are submitted while all slots are taken."""

LIMIT_SECONDS = 1.0
"""The time limit of a call that is to be killed."""

KILLED_WITHIN_SECONDS = 3.0
"""How long after its limit a call may still run."""


class Strictness(Checks):
    """Nothing is held that is not needed, nothing of the process is changed, and no answer is another call's."""

    @rule("making an executor and calling start() opens nothing: no thread, no process, no descriptor")
    def test_nothing_is_open_before_it_is_entered(self) -> None:
        self.subject.close()
        with self.fresh() as executor:  # what the library behind opens once and for all is open now
            self.value(executor.submit(calls.nothing))
        threads, before = threading.active_count(), descriptors()
        with self.subject.nothing_left():
            executor = self.make()
            manager = executor.start()
            more = threading.active_count() - threads
            assert more <= 0, f"{more} threads run before start() is entered"
            opened = descriptors() - before
            assert opened <= 0, f"{opened} descriptors are open before start() is entered"
            del manager

    @rule("submit returns while hundreds of calls are in flight")
    def test_many_calls_in_flight(self) -> None:
        self.needs_waiting_calls()
        count = self.at_most(FLIGHT_CALLS)
        with self.folder() as folder, self.fresh() as executor, self.occupied(executor, folder):
            submitted: list[Any] = []
            thread = threading.Thread(
                target=lambda: submitted.extend(executor.submit(calls.nothing) for _ in range(count)),
                daemon=True,
            )
            thread.start()
            thread.join(self.patience / 2)  # before the slots become free again
            blocked = thread.is_alive()
            (folder / "gate").touch()
            thread.join(self.patience)
            assert not blocked, (
                f"submit blocks while all slots are taken: not all of {count} calls were taken"
            )
            concurrent.futures.wait(submitted, self.patience) if _real(submitted) else None

    @rule("None among the arguments arrives as None, by position and by name")
    def test_none_arrives(self) -> None:
        executor = self.running()
        found = self.value(executor.submit(calls.given, None, 1, None, first=None, second=0, third=None))
        assert found == ((None, 1, None), {"first": None, "second": 0, "third": None}), (
            f"the function got {found}"
        )

    @rule("of many calls that end in any order, each future has the value of its own call")
    def test_values_are_never_swapped(self) -> None:
        executor = self.running()
        order = random.Random(4711)
        numbers = list(range(self.at_most(SHUFFLED_CALLS)))
        futures = {number: executor.submit(calls.identity, number) for number in numbers}
        order.shuffle(numbers)
        wrong = [number for number in numbers if self.value(futures[number]) != number]
        assert not wrong, (
            f"{len(wrong)} of {len(numbers)} calls have the value of another one, {wrong[0]} among them"
        )

    @rule("the executor prints nothing to standard output, which belongs to the program")
    def test_nothing_is_printed(self) -> None:
        printed, _ = self._left_by_a_start()
        assert not printed, f"it printed {printed[:200]!r}"

    @rule(
        "the process is as it was once start() is left: folder, variables, signals, umask, filters, locale …"
    )
    def test_the_process_is_left_as_it_was(self) -> None:
        _, changed = self._left_by_a_start()
        assert not changed, "; ".join(changed)

    def _left_by_a_start(self) -> tuple[str, list[str]]:
        """What one start printed, and what of the process is another than before.

        Starts for other checks may have changed it before, so it is made what it was before the first of them.
        """
        measured = self.subject.measured
        if "start" not in measured:
            self.subject.close()
            self.make()
            present, printed = ProcessState.now(), io.StringIO()
            self.untouched.restore()
            try:
                before = ProcessState.now()
                with contextlib.redirect_stdout(printed), self.fresh() as executor:
                    self.value(executor.submit(calls.nothing))
                    self.error(executor.submit(calls.fail))
                measured["start"] = (printed.getvalue(), list(before.changes(ProcessState.now())))
            finally:
                present.restore()
        left: tuple[str, list[str]] = measured["start"]
        return left

    @rule("`hard_timeouts`: a call is killed within 3 seconds of its limit", proves="hard_timeouts")
    def test_late_calls_are_killed_in_time(self) -> None:
        executor = self.needs_declared("hard_timeouts")
        seconds = LIMIT_SECONDS + KILLED_WITHIN_SECONDS
        with self.folder() as folder:
            future = executor.submit(
                calls.beat, str(folder), seconds, extra_context={"task_timeout": LIMIT_SECONDS}
            )
            self.error(future)
            assert not (folder / "end").exists(), (
                f"a call with a limit of {LIMIT_SECONDS:g} s ran for {seconds:g} s"
            )


def _real(futures: list[Any]) -> bool:
    return all(isinstance(future, concurrent.futures.Future) for future in futures)
