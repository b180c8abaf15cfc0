"""A wrapper around the dask executor keeps the contract; `TEST_MATRIX=full` asks for every rule of it."""

import os
from typing import Any

import pytest

from turgo import WrappingExecutor
from turgo.testing import ExecutorConformance
from turgo.testing.groups.declared import Declared
from turgo.testing.groups.hints import Hints
from turgo.testing.groups.mapping import Mapping
from turgo.testing.groups.nested_futures import NestedFutures
from turgo.testing.groups.wait import Wait

pytest.importorskip("turgo_dask")

DASK = {"use": "dask", "cluster_kwargs": {"n_workers": 2, "threads_per_worker": 1}}


class Noted(WrappingExecutor):
    """Note the name of each call."""

    def submit(self, fn: Any, /, *args: Any, extra_context: Any = None, **kwargs: Any) -> Any:
        self._names = [*getattr(self, "_names", []), (extra_context or {}).get("task_name")][-10:]
        return super().submit(fn, *args, extra_context=extra_context, **kwargs)


class TestWrappedDask(Wait, Mapping, NestedFutures, Hints):
    """Dask's own futures, tags and ways to wait go through a wrapper."""

    executor = Noted
    executor_options = {"wrapped": DASK}  # noqa: RUF012  (read, never written)


@pytest.mark.matrix
class TestWhatWrappedDaskCanDo(Declared):
    """Its capabilities go through a wrapper."""

    executor = Noted
    executor_options = TestWrappedDask.executor_options


class TestAllOfWrappedDask(ExecutorConformance):
    """Every rule of the contract."""

    __test__ = os.environ.get("TEST_MATRIX") == "full"
    executor = Noted
    executor_options = TestWrappedDask.executor_options
