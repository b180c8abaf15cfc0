"""The local executor keeps the contract."""

from __future__ import annotations

from turgo.testing import ExecutorConformance


class TestLocal(ExecutorConformance):
    """Every rule of the contract, on the local executor."""

    executor = "local"
