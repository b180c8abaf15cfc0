"""Thirty runs of a flow of 500 tasks, each while a worker or two are killed.

Every one ends, right, with nothing done twice whose value was still there. The seeds decide what is killed when.
"""

from __future__ import annotations

import json
import queue
import subprocess
import sys
import threading
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

SEEDS = [*range(0, 30, 2), *range(1, 30, 2)]  # in the order in which the program runs them
SECONDS = 75.0  # for one run and, before the first, for a cluster to come up


@pytest.fixture(scope="module")
def lines(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[queue.SimpleQueue[str]]:
    """What the program says, line by line; it runs all seeds that are asked for, so that two clusters are enough."""
    folder, program = tmp_path_factory.mktemp("losses"), Path(__file__).with_name("losses.py")
    asked = [item.callspec.params["seed"] for item in request.session.items if item.path == request.path]
    said: queue.SimpleQueue[str] = queue.SimpleQueue()
    errors = folder / "errors.txt"
    with (
        errors.open("w") as file,
        subprocess.Popen(
            [sys.executable, str(program), str(folder), *map(str, asked)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=file,
            text=True,
        ) as process,
    ):

        def listen() -> None:
            for line in process.stdout:
                said.put(line)
            process.wait()
            said.put(f"it ended with {process.returncode}: {errors.read_text()[-3000:]}")

        listener = threading.Thread(target=listen, daemon=True)
        listener.start()
        yield said
        process.terminate()
        listener.join(20)
        process.kill()


@pytest.mark.parametrize("seed", SEEDS)
def test_a_run_survives_the_loss_of_workers(lines: queue.SimpleQueue[str], seed: int) -> None:
    """It ends with the right result; a task ran again only if its worker was killed, and never once it was home."""
    line = lines.get(timeout=SECONDS)
    if not line.startswith("{"):
        lines.put(line)  # for those that follow
        pytest.fail(line)
    facts: dict[str, Any] = json.loads(line)
    assert facts["seed"] == seed and facts["tasks"] == 500
    assert facts["right"], (facts["error"], facts["failed"])
    assert facts["killed"], "nothing was killed, so nothing was shown"
    executions: dict[str, list[tuple[float, int]]] = defaultdict(list)
    for label, pid, began in facts["executions"]:
        executions[label].append((float(began), int(pid)))
    assert len(executions) == 500
    again = {label: sorted(each) for label, each in executions.items() if len(each) > 1}
    for label, each in again.items():
        assert {pid for _, pid in each[:-1]} <= set(facts["killed"]), f"{label}: its worker was not lost"
        stays = label.startswith("block-")  # too large to come home: lost with the worker that holds it
        assert stays or each[-1][0] < facts["reported"][label], f"{label} ran again although it was at home"
