"""The executor as a value: its options travel, what it has opened stays behind."""

from __future__ import annotations

import inspect
import pickle

import cloudpickle

from turgo.executor import Executor
from turgo.testing import calls
from turgo.testing.checks import Checks, rule


class Pickles(Checks):
    """An executor can be sent elsewhere before, in and after `start()`."""

    def _travelled(self, executor: Executor) -> Executor:
        copy: Executor = pickle.loads(cloudpickle.dumps(executor))  # classes of a test travel by value
        return copy

    @rule("an executor that is not started pickles, keeps its options and works on the other side")
    def test_pickles_before_start(self) -> None:
        executor = self.alone()
        copy = self._travelled(executor)
        assert repr(copy) == repr(executor)
        with copy.start():
            assert self.value(copy.submit(calls.add, 1, 1)) == 2

    @rule("an executor that is started pickles; the copy is not started and holds its options only")
    def test_pickles_during_start(self) -> None:
        self.value(self.running().submit(calls.nothing))
        copy = self._travelled(self.running())
        assert not copy.started
        assert not [name for name in vars(copy) if name.startswith("_")]
        assert repr(copy) == repr(self.running())

    @rule("pickling an executor that is started does not disturb it")
    def test_pickling_disturbs_nothing(self) -> None:
        before = self.running().submit(calls.late, 1, 0.05)
        self._travelled(self.running())
        assert self.value(before) == 1
        assert self.value(self.running().submit(calls.add, 1, 1)) == 2

    @rule("every option of the constructor is a public attribute of its own name")
    def test_options_are_attributes(self) -> None:
        executor = self.make()
        kinds = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
        options = [
            name
            for name, parameter in inspect.signature(type(executor)).parameters.items()
            if parameter.kind not in kinds
        ]
        assert [name for name in options if name not in vars(executor) and not hasattr(executor, name)] == []
