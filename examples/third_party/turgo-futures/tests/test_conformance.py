"""The executor keeps the contract, on each kind of pool that can be had here."""

from __future__ import annotations

import concurrent.futures

import pytest
from turgo.testing import ExecutorConformance


class TestThreads(ExecutorConformance):
    """Every rule of the contract, on CPython's threads, which are the default."""

    executor = "futures"
    executor_options = {"max_workers": 2}
    failing_options = {"initializer": "no function"}


class TestProcesses(ExecutorConformance):
    """Every rule of the contract, on CPython's processes."""

    executor = "futures"
    executor_options = {"pool": "concurrent.futures.ProcessPoolExecutor", "max_workers": 2}
    failing_options = {"pool": "concurrent.futures.ProcessPoolExecutor", "mp_context": "no such method"}


class TestLoky(ExecutorConformance):
    """Every rule of the contract, on loky's processes."""

    executor = "futures"
    executor_options = {"pool": "loky.ProcessPoolExecutor", "max_workers": 2}
    failing_options = {"pool": "loky.ProcessPoolExecutor", "context": "no such method"}


@pytest.mark.skipif(
    not hasattr(concurrent.futures, "InterpreterPoolExecutor"), reason="interpreters came with CPython 3.14"
)
class TestInterpreters(ExecutorConformance):
    """Every rule of the contract, on CPython's interpreters."""

    executor = "futures"
    executor_options = {"pool": "concurrent.futures.InterpreterPoolExecutor", "max_workers": 2}
