"""Writes the report of a run, with the inputs of its calls if the run keeps its values."""

from __future__ import annotations

from pathlib import Path

from turgo.engine.outcome.explain import Explanation
from turgo.records.flow_run import FlowRun


def report(run: FlowRun, path: Path, explanation: Explanation) -> None:
    """Write the report of a run. Raises as `run_report.page.write_report` does."""
    from turgo.run_report.page import write_report  # late: few runs have one

    write_report(path, run, explanation.ledger, explanation.structure, explanation.input_of)
