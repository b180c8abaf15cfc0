"""Random graphs end on every executor as an interpreter of sixty lines says, and each call runs as often as it says.

What is drawn, the interpreter and the comparison are those of the engine's own test. Here the functions note their
calls in a file, so that it does not matter in which process they run.
"""

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

import turgo
from turgo.engine.run import prepare_run
from turgo.executor import Executor
from turgo.registry.source_files import load_source

ENGINE = Path(__file__).parents[1] / "core" / "engine"
drawing = load_source(ENGINE / "drawn_graphs.py")
evaluation = load_source(ENGINE / "plain_evaluation.py")

ENGINES = ("local", "threads", "processes", "synchronous", "dask")
GRAPHS = {"local": 5 * drawing.GRAPHS}
GRAPHS_ELSEWHERE = drawing.GRAPHS // 2


class Noted:
    """The function of a drawn task. Each call is a byte in a file; `calls` is how many there were."""

    def __init__(self, spec: Any, number: int, folder: Path) -> None:
        self.spec, self.number = spec, number
        self.file = str(folder / str(number))

    def __call__(self, *args: Any) -> Any:
        note = os.open(self.file, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.write(note, b".")
        os.close(note)
        return drawing.deed(self.spec, self.number, args, turgo.current().attempt - 1)

    @property
    def calls(self) -> int:
        return os.path.getsize(self.file) if os.path.exists(self.file) else 0


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_random_graphs_end_as_plain_evaluation_does(engine: tuple[str, Executor], tmp_path: Path) -> None:
    """States, values and the number of executions are those of the reference."""
    name, executor = engine
    drawn_so_far = 0

    @settings(
        max_examples=GRAPHS.get(name, GRAPHS_ELSEWHERE),
        deadline=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(drawing.graphs())
    def draw(drawn: Any) -> None:
        nonlocal drawn_so_far
        drawn_so_far += 1
        folder = tmp_path / str(drawn_so_far)
        folder.mkdir()
        graph, functions = drawing.record(*drawn, made=lambda spec, number: Noted(spec, number, folder))
        evaluation.compare(drawn, prepare_run(graph, executor).go(), functions, once=True)

    draw()
    assert drawn_so_far >= GRAPHS.get(name, GRAPHS_ELSEWHERE)
