"""What becomes of a call: its value or its error, asked for in every way."""

from __future__ import annotations

import threading
import traceback
from typing import Any

import pytest

from turgo.futures import is_future
from turgo.testing import calls
from turgo.testing.checks import Checks, rule


class Results(Checks):
    """`result`, `exception`, `done`, `add_done_callback` of the future."""

    @rule("None is a value like any other: done, no error")
    def test_none_is_a_value(self) -> None:
        future = self.running().submit(calls.nothing)
        assert self.value(future) is None
        assert future.exception(timeout=self.patience) is None
        assert future.done()

    @rule("an exception that a call returns is its value, not its error")
    def test_returned_exceptions_are_values(self) -> None:
        future = self.running().submit(calls.identity, KeyError("a value"))
        assert isinstance(self.value(future), KeyError)
        assert future.exception(timeout=self.patience) is None

    @rule("a value of 8 MiB comes as a small one does")
    def test_large_values_come(self) -> None:
        assert len(self.value(self.running().submit(calls.zeros, 8 * 2**20))) == 8 * 2**20

    @rule("a result can be asked for any number of times")
    def test_results_stay(self) -> None:
        future = self.running().submit(calls.identity, [1])
        assert [self.value(future) for _ in range(3)] == [[1]] * 3

    @rule("the error of a call keeps its class and its arguments; result() raises it, exception() returns it")
    def test_errors_come_whole(self) -> None:
        future = self.running().submit(calls.fail, "message", 3)
        error = self.error(future)
        assert type(error) is ValueError
        assert error.args == ("message", 3)
        with pytest.raises(ValueError, match="message"):
            self.value(future)

    @rule("the traceback of an error shows the line of the user's function that raised it")
    def test_tracebacks_show_the_culprit(self) -> None:
        future = self.running().submit(calls.fail_deeply)
        with pytest.raises(LookupError) as caught:
            self.value(future)
        shown = "".join(traceback.format_exception(caught.value))
        assert "_the_culprit" in shown, f"the traceback says nothing of it:\n{shown}"

    @rule(
        "an error with a constructor of its own kind still fails its own call, and later calls are unharmed"
    )
    def test_odd_errors_fail_their_call(self) -> None:
        self.error(self.running().submit(calls.fail_oddly))
        assert self.value(self.running().submit(calls.add, 1, 1)) == 2

    @rule("an error that cannot be pickled still fails its own call, and later calls are unharmed")
    def test_unpicklable_errors_fail_their_call(self) -> None:
        self.error(self.running().submit(calls.fail_with_lock))
        assert self.value(self.running().submit(calls.add, 1, 1)) == 2

    @rule("a value that cannot be pickled either comes or fails its own call, and later calls are unharmed")
    def test_unpicklable_values_harm_nobody(self) -> None:
        future = self.running().submit(calls.make_lock)
        future.exception(timeout=self.patience)
        assert future.done()
        assert self.value(self.running().submit(calls.add, 1, 1)) == 2

    @rule("done() is false while a call runs and true once it has its result")
    def test_done_tells(self) -> None:
        self.needs_waiting_calls()
        with self.folder() as folder:
            future = self.running().submit(calls.value_when, str(folder / "gate"), 1, self.patience)
            assert not future.done()
            (folder / "gate").touch()
            assert self.value(future) == 1
        assert future.done()

    @rule("result(timeout) and exception(timeout) raise TimeoutError in time, and the call runs on")
    def test_timeouts_of_results(self) -> None:
        self.needs_waiting_calls()
        with self.folder() as folder:
            future = self.running().submit(calls.value_when, str(folder / "gate"), 1, self.patience)
            with pytest.raises(TimeoutError):
                future.result(timeout=0.05)
            with pytest.raises(TimeoutError):
                future.exception(timeout=0.05)
            (folder / "gate").touch()
            assert self.value(future) == 1

    @rule("add_done_callback calls with the future, once, when the call is done")
    def test_callbacks_are_called_once(self) -> None:
        for fn, arguments in ((calls.late, (1, 0.1)), (calls.fail, ())):
            callback = _Callback()
            future = self.running().submit(fn, *arguments)
            future.add_done_callback(callback)
            self._called_with_a_done_future(callback)

    @rule("add_done_callback on a future that is done calls at once")
    def test_late_callbacks_are_called(self) -> None:
        future, callback = self.running().submit(calls.nothing), _Callback()
        self.value(future)
        future.add_done_callback(callback)
        self._called_with_a_done_future(callback)

    def _called_with_a_done_future(self, callback: _Callback) -> None:
        assert callback.event.wait(self.patience), f"it was not called within {self.patience:g} s"
        assert len(callback.futures) == 1, f"it was called {len(callback.futures)} times"
        assert is_future(callback.futures[0])
        assert callback.futures[0].done()


class _Callback:
    """A callback that keeps what it receives."""

    def __init__(self) -> None:
        self.event = threading.Event()
        self.futures: list[Any] = []

    def __call__(self, future: Any) -> None:
        self.futures.append(future)
        self.event.set()
