"""What authors of executors import in their tests; core itself never does.

    from turgo.testing import ExecutorConformance


    class TestMyExecutor(ExecutorConformance):
        executor = "mine"                       # a name, class path, mapping, class or instance
        executor_options = {"workers": 2}

`pytest` collects one check per rule of the contract (needs `pip install 'turgo[testing]'`); a failure says
in words which rule is broken, and where docs/contract.md has it. Without any file, the same suite runs by
`pytest --turgo-executor mine --turgo-option workers=2`. `ManualExecutor` is a fake that holds every call until
it is asked to run it. `SimulatedExecutor` runs flows in virtual time, on as many workers as one likes.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from turgo.testing.conformance import ExecutorConformance
    from turgo.testing.manual import ManualExecutor
    from turgo.testing.simulated import SimulatedExecutor

__all__ = ["ExecutorConformance", "ManualExecutor", "SimulatedExecutor"]


def __getattr__(name: str) -> object:
    """Import what is asked for, so that pytest can load `turgo.testing.plugin` at no cost."""
    if name == "ManualExecutor":
        from turgo.testing.manual import ManualExecutor

        return ManualExecutor
    if name == "SimulatedExecutor":
        from turgo.testing.simulated import SimulatedExecutor

        return SimulatedExecutor
    if name != "ExecutorConformance":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import pytest  # here, so that the fake needs no pytest

    if f"{__name__}.groups" not in sys.modules:
        pytest.register_assert_rewrite(f"{__name__}.groups")  # failing checks show the values that differ
    from turgo.testing.conformance import ExecutorConformance

    return ExecutorConformance
