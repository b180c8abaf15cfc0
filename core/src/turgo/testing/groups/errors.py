"""Errors of calls: of every kind, with all that they tell; and what cannot be sent."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from turgo.testing import calls
from turgo.testing import failing_calls as mishaps
from turgo.testing.checks import Checks, rule

FAILING_CALLS = 200
"""How many calls are asked for their own errors."""

COUNTED_CALLS = 20
"""How many failing calls are counted."""


class Errors(Checks):
    """A call that goes wrong harms itself alone."""

    @rule("errors of the standard library come with class and arguments, those with odd constructors too")
    def test_standard_errors_come_whole(self) -> None:
        errors: list[Exception] = [
            KeyError("key"),
            OSError(2, "no such file", "name"),
            UnicodeDecodeError("utf-8", b"\xff", 0, 1, "bad byte"),
            StopIteration(3),
            AssertionError(),
            ImportError("gone", name="module"),
        ]
        for error in errors:
            came = self.error(self.running().submit(mishaps.throw, error))
            assert (type(came), came.args) == (type(error), error.args)

    @rule("what an error carries besides its arguments comes with it: attributes and notes")
    def test_attributes_come_along(self) -> None:
        error: Any = self.error(self.running().submit(mishaps.fail_with_more))
        assert (error.code, error.__notes__) == (7, ["a note"])

    @rule("the cause of an error comes with it: the traceback shows `raise … from …`")
    def test_causes_come_along(self) -> None:
        future = self.running().submit(mishaps.fail_for_a_reason)
        shown = self._shown(future.result)
        assert "the reason behind" in shown, f"nothing is said of the cause:\n{shown}"

    @rule(
        "the context of an error comes with it: the traceback shows what was being handled when it was raised"
    )
    def test_contexts_come_along(self) -> None:
        future = self.running().submit(mishaps.fail_while_failing)
        shown = self._shown(future.result)
        assert "the first trouble" in shown, f"nothing is said of the context:\n{shown}"

    @rule("of many calls that fail each has its own error")
    def test_errors_are_never_swapped(self) -> None:
        numbers = range(self.at_most(FAILING_CALLS))
        futures = self.running().map(calls.fail, numbers)
        wrong = [number for number in numbers if self.error(futures[number]).args != (number,)]
        assert not wrong, (
            f"{len(wrong)} of {len(numbers)} calls have the error of another one, {wrong[0]} among them"
        )

    @rule("a call that fails runs once: whether it is tried again is for the engine to decide")
    def test_failing_calls_run_once(self) -> None:
        count = self.at_most(COUNTED_CALLS)
        with self.folder() as folder:
            notes = folder / "notes"
            for future in self.running().map(calls.note_and_fail, [str(notes)] * count, range(count)):
                self.error(future)
            self._counted(notes, count)

    @rule("of many calls each runs once")
    def test_calls_run_once(self) -> None:
        count = self.at_most(FAILING_CALLS)
        with self.folder() as folder:
            notes = folder / "notes"
            self.running().wait(self.running().map(calls.note, [str(notes)] * count))
            self._counted(notes, count)

    def _counted(self, notes: Path, count: int) -> None:
        ran = len(notes.read_text(encoding="utf-8").splitlines()) if notes.exists() else 0
        assert ran == count, f"{count} calls ran {ran} times"

    @rule("an exception group comes with its members")
    def test_groups_come_whole(self) -> None:
        error = self.error(self.running().submit(mishaps.fail_in_a_group))
        assert isinstance(error, ExceptionGroup)
        assert [(type(each), each.args) for each in error.exceptions] == [
            (ValueError, (1,)),
            (KeyError, (2,)),
        ]

    @rule("the error of a call can be asked for again and again, by result() and by exception()")
    def test_errors_stay(self) -> None:
        future = self.running().submit(calls.fail, "again")
        for _ in range(3):
            assert self.error(future).args == ("again",)
            assert "again" in self._shown(future.result)

    @rule("a call that raises SystemExit fails alone: its future has an error, and later calls run")
    def test_exits_are_errors(self) -> None:
        assert self.error(self.running().submit(mishaps.leave)) is not None
        self.still_works(self.running())

    @rule("a call that raises a BaseException of its own fails alone, and later calls run")
    def test_base_exceptions_are_errors(self) -> None:
        assert self.error(self.running().submit(mishaps.throw, mishaps.Halt("all"))) is not None
        self.still_works(self.running())

    @rule("an error whose message cannot be shown fails its own call, and later calls are unharmed")
    def test_unshowable_errors_fail_their_call(self) -> None:
        self.error(self.running().submit(mishaps.fail_without_words))
        self.still_works(self.running())

    @rule("an error of a class that the worker alone knows fails its own call, and later calls are unharmed")
    def test_unknown_errors_fail_their_call(self) -> None:
        self.error(self.running().submit(mishaps.fail_unknown))
        self.still_works(self.running())

    @rule("an error with a message of 1 MiB fails its own call, and later calls are unharmed")
    def test_huge_errors_fail_their_call(self) -> None:
        self.error(self.running().submit(calls.fail, "x" * 2**20))
        self.still_works(self.running())

    @rule("a value that pickles and does not unpickle either comes or fails its own call")
    def test_poisoned_values_harm_nobody(self) -> None:
        future = self.running().submit(mishaps.Poison.made)
        self._ends(future.result)
        self.still_works(self.running())

    @rule("a value whose pickling fails in a way of its own either comes or fails its own call")
    def test_stubborn_values_harm_nobody(self) -> None:
        future = self.running().submit(mishaps.Stubborn)
        self._ends(future.result)
        self.still_works(self.running())

    @rule("an argument that pickles and does not unpickle either arrives or fails its own call")
    def test_poisoned_arguments_harm_nobody(self) -> None:
        future = self.running().submit(calls.given, mishaps.Poison())
        self._ends(future.result)
        self.still_works(self.running())

    @rule("a call that recurses too deep fails alone, and its error says so, however long the traceback is")
    def test_recursion_is_an_error(self) -> None:
        error = self.error(self.running().submit(mishaps.recurse))
        assert "RecursionError" in repr(error), repr(error)
        self.still_works(self.running())

    @rule("a call that asks for more memory than there is fails alone: MemoryError")
    def test_memory_errors_are_errors(self) -> None:
        assert isinstance(self.error(self.running().submit(calls.zeros, 2**60)), MemoryError)
        self.still_works(self.running())

    @rule("cancelling, or asking for what failed, does no harm: cancel of a call that failed is 0")
    def test_failed_calls_are_not_cancelled(self) -> None:
        future = self.running().submit(calls.fail, "early")
        self.error(future)
        assert self.running().cancel(future) == 0
        assert self.error(future).args == ("early",)

    def _shown(self, result: Callable[[float], Any]) -> str:
        """What the traceback of the error says that `result` raises."""
        try:
            value = result(self.patience)
        except Exception as error:  # noqa: BLE001  (whatever the call raised)
            return "".join(traceback.format_exception(error))
        raise AssertionError(f"the call has the value {value!r} instead of an error")

    def _ends(self, result: Callable[[float], Any]) -> None:
        """The call ends in bounded time, with its value or with an error."""
        try:
            result(self.patience)
        except TimeoutError as late:
            raise AssertionError(f"the call does not end within {self.patience:g} s") from late
        except Exception:  # noqa: BLE001  (an error of any kind is as good as the value here)
            return
