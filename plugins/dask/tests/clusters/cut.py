"""A flow that waits for a network to be cut under it: `python cut.py PROFILE FOLDER`.

Prints a line when all pieces are made, and JSON in the end.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from turgo import flow, task
from turgo.hooks import hookimpl
from turgo.records.flow_run import FlowRun
from turgo.records.states import TaskState
from turgo.records.task_run import TaskEvent

PIECES = 12
LARGE = 100_000  # bytes, which stay where they were made


@task(crash_retries=5, batch=False)
def make(number: int, folder: str) -> bytes:
    with Path(folder, f"make-{number}").open("a") as file:
        file.write(f"{os.getpid()}\n")
    time.sleep(0.2)
    return bytes([number]) * LARGE


@task(crash_retries=5)
def gate(folder: str) -> None:
    """Ends when the link is cut."""
    while not Path(folder, "cut").exists():
        time.sleep(0.1)


@task(crash_retries=5)
def weigh(made: bytes) -> int:
    return sum(made)


@task
def total(weights: list[int]) -> int:
    return sum(weights)


@flow
def pieces(folder: str) -> int:
    made = [make(number, folder) for number in range(PIECES)]
    opened = gate.after(*made)(folder)
    return total([weigh.after(opened)(each) for each in made])


class Telling:
    """Says once that all pieces are made."""

    made = 0

    @hookimpl
    def turgo_task_events(self, run: FlowRun, events: Sequence[TaskEvent]) -> None:
        before = self.made
        self.made += sum(
            each.count for each in events if each.task == "make" and each.state is TaskState.SUCCESS
        )
        if before < PIECES <= self.made:
            print("made", flush=True)


def main(profile: str, folder: str) -> None:
    """Run it, and say what came of it."""
    run = pieces.run(folder, executor=profile, observers=[Telling()])
    states = sorted({str(each.state) for each in run.task_runs})
    print(json.dumps({"state": run.state, "states": states, "result": run.result if run.ok else None}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
