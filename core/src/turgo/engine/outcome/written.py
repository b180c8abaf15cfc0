"""Writes the report of a run, with the inputs of its calls if the run keeps its values."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from turgo.engine.outcome.explain import Explanation
from turgo.engine.schedule.progress import Progress
from turgo.records.flow_run import FlowRun
from turgo.records.ledger import Key
from turgo.records.task_run import INPUTS_TASK_RUNS


class KeptInputs:
    """Finds the input of a call, also once the run is over. A run is pickled without it."""

    def __init__(self, progress: Progress | None) -> None:
        self.progress = progress

    def keep(self) -> bool:
        """The run is over: whether what the calls were made of is still held. It is let go of if nobody can use it."""
        progress = self.progress
        if progress is not None:
            widths = sum(each.width for each in progress.mapped.values())
            if not progress.keeping or len(progress.nodes) + widths > INPUTS_TASK_RUNS:
                self.progress = None
        return self.progress is not None

    def __call__(self, key: Key) -> str:
        """The input of a call; nothing if it is not known."""
        if self.progress is None:
            return ""
        from turgo.engine.schedule.inputs import input_of  # late, with all that shows values

        return input_of(self.progress, key)

    def __reduce__(self) -> tuple[Any, ...]:
        return (KeptInputs, (None,))


def report(run: FlowRun, path: Path, explanation: Explanation, inputs: KeptInputs) -> None:
    """Write the report of a run. Raises as `run_report.page.write_report` does."""
    from turgo.run_report.page import write_report  # late: few runs have one

    write_report(path, run, explanation.ledger, explanation.structure, inputs)
