"""What pytest collects for `--penstock-executor NAME`; `session` says which executor it is."""

from __future__ import annotations

from penstock.testing import ExecutorConformance


class TestExecutor(ExecutorConformance):
    """The conformance suite of the executor that the command line names."""
