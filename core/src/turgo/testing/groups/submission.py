"""Handing in a call: at once, eagerly, with arguments of every kind."""

from __future__ import annotations

import functools
import time
from typing import Any

from turgo.futures import is_future
from turgo.testing import calls
from turgo.testing.checks import Checks, rule


class Submission(Checks):
    """`submit(fn, /, *args, extra_context=None, **kwargs)`."""

    @rule("submit returns a future: it has result, exception, done, cancel and add_done_callback")
    def test_submit_gives_a_future(self) -> None:
        future = self.running().submit(calls.nothing)
        assert is_future(future)
        self.value(future)

    @rule("submit returns at once: it waits neither for the call to begin nor for its result")
    def test_submit_never_blocks(self) -> None:
        self.needs_waiting_calls()
        with self.folder() as folder:
            gate = folder / "gate"
            futures = [
                self.running().submit(calls.wait_for, str(gate), self.patience / 3)
                for _ in range(self.running().slots + 1)
            ]
            gate.touch()
            came = [self.value(future) for future in futures]
        assert all(came), "submit came back only when the call was over"

    @rule("a call begins without anyone asking for its result")
    def test_calls_begin_eagerly(self) -> None:
        with self.folder() as folder:
            future = self.running().submit(calls.touch, str(folder / "sign"))
            self.eventually((folder / "sign").exists, "the call begins")
            self.value(future)

    @rule("positional and keyword arguments reach the function as they were given")
    def test_arguments_arrive(self) -> None:
        future = self.running().submit(calls.given, 1, "two", [3], four=4, five={"six": (7,)})
        assert self.value(future) == ((1, "two", [3]), {"four": 4, "five": {"six": (7,)}})

    @rule("keyword arguments may be called fn, self, func, args, kwargs, key, name, timeout, workers or pure")
    def test_keywords_of_any_name_arrive(self) -> None:
        names = (
            "fn",
            "self",
            "func",
            "args",
            "kwargs",
            "key",
            "name",
            "timeout",
            "workers",
            "pure",
            "retries",
        )
        named: dict[str, Any] = {name: number for number, name in enumerate(names)}
        assert self.value(self.running().submit(calls.given, **named)) == ((), named)

    @rule("the keyword arguments of one call are no other call's")
    def test_keywords_are_its_own(self) -> None:
        first = self.running().submit(calls.given, one=1)
        second = self.running().submit(calls.given, two=2)
        came = [self.value(future) for future in (first, second)]
        assert came == [((), {"one": 1}), ((), {"two": 2})], f"the functions got {came}"

    @rule("a call may have no arguments, and defaults of the function count")
    def test_defaults_count(self) -> None:
        assert self.value(self.running().submit(calls.given)) == ((), {})
        assert self.value(self.running().submit(calls.add, 1)) == 2

    @rule(
        "any callable can be called: functions, builtins, classes, bound methods, partials, callable objects"
    )
    def test_callables_of_every_kind(self) -> None:
        counter = calls.Counter(10)
        kinds = [
            (self.running().submit(len, "four"), 4),
            (self.running().submit(calls.Counter, 3), calls.Counter(3)),
            (self.running().submit(counter.plus, 1), 11),
            (self.running().submit(functools.partial(calls.add, second=5), 1), 6),
            (self.running().submit(counter, 2), 12),
        ]
        assert [self.value(future) for future, _ in kinds] == [wanted for _, wanted in kinds]

    @rule("values of every kind survive the way there and back")
    def test_values_of_every_kind(self) -> None:
        kinds: list[Any] = [
            None, True, -1, 10**40, 1.5, 2j, "ünïcödé", b"\0\xff", [], (), {}, set(), frozenset({1}),
            range(3), ..., int, calls.Pair(1, [2]), {"a": [(1, {2})]}, calls.Counter(1),
        ]  # fmt: skip
        futures = [self.running().submit(calls.identity, value) for value in kinds]
        came = [self.value(future) for future in futures]
        assert came == kinds
        assert [type(value) for value in came] == [type(value) for value in kinds]

    @rule("equal calls are calls of their own: each one runs")
    def test_equal_calls_run_each(self) -> None:
        with self.folder() as folder:
            notes = folder / "notes"
            context: Any = {"task_name": "note", "task_index": 0}
            futures = [self.running().submit(calls.note, str(notes), extra_context=context) for _ in range(3)]
            for future in futures:
                self.value(future)
            ran = len(notes.read_text().splitlines())
            assert ran == 3, f"of 3 equal calls {ran} ran"

    @rule("submit never raises for a failure of the call itself: that is the future's error")
    def test_submit_never_raises(self) -> None:
        future = self.running().submit(calls.fail, "on purpose")
        assert isinstance(self.error(future), ValueError)

    @rule("arguments that do not fit the function are the future's error, as any other failure of the call")
    def test_wrong_arguments_are_the_futures_error(self) -> None:
        future = self.running().submit(calls.nothing, "too", "many")
        assert isinstance(self.error(future), TypeError)

    @rule(
        "an argument that cannot be pickled either arrives or is the future's error; later calls are unharmed"
    )
    def test_unpicklable_arguments_harm_nobody(self) -> None:
        future = self.running().submit(calls.given, calls.make_lock())
        future.exception(timeout=self.patience)
        assert future.done()
        assert self.value(self.running().submit(calls.add, 1, 1)) == 2

    @rule("what was submitted while nobody waits is there later: 50 ms of pause lose nothing")
    def test_results_keep(self) -> None:
        futures = [self.running().submit(calls.identity, number) for number in range(20)]
        time.sleep(0.05)
        assert [self.value(future) for future in futures] == list(range(20))
