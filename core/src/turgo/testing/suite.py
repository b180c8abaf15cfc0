"""What pytest collects for `--turgo-executor NAME`; `session` says which executor it is."""

from __future__ import annotations

from turgo.testing import ExecutorConformance


class TestExecutor(ExecutorConformance):
    """The conformance suite of the executor that the command line names."""
