"""`turgo compare`, as somebody uses it who wonders which executor to take."""

import json
from pathlib import Path
from typing import Any

import pytest

from turgo.cli import main

FLOW = """
import os
from turgo import flow, task

@task
def weigh(number: int) -> int:
    return number * number

@task
def pid(numbers) -> int:
    return os.getpid()

@task
def burst(numbers):
    raise OSError(f"{len(numbers)} are too many")

@flow
def weights(count: int):
    return weigh.map(range(count))

@flow
def where():
    return pid(weigh.map([1, 2]))

@flow
def bursts():
    return burst(weigh.map([1, 2]))

@flow
def broken():
    1 / 0
"""

PROFILES = """
[executors.twin]
use = "local"
[executors.broken]
use = "./broken.py:Broken"
"""

BROKEN = """
from turgo import Executor
class Broken(Executor):
    def start(self):
        raise OSError("no route to the moon")
    def submit(self, fn, /, *args, extra_context=None, **kwargs): ...
"""


@pytest.fixture(autouse=True)
def _flows(project: Path, inline_as_local: None) -> None:
    """A file with flows, and a profile that is another name of `local`."""
    (project / "flows.py").write_text(FLOW)
    (project / "turgo.toml").write_text(PROFILES)
    (project / "broken.py").write_text(BROKEN)


def compared(capfd: pytest.CaptureFixture[str], *args: str) -> tuple[int, str, str]:
    """Exit code, standard output, standard error."""
    code = main(["compare", *args])
    shown = capfd.readouterr()
    return code, shown.out, shown.err


def test_a_table_a_verdict_and_a_sentence(capfd: pytest.CaptureFixture[str]) -> None:
    """In a pipe: a line for each; on standard error how far it is."""
    code, out, err = compared(
        capfd, "flows.py:weights", "--on", "local,twin", "-p", "count=5", "--times", "2"
    )
    assert code == 0, err
    header, first, second, _, verdict, sentence = out.splitlines()
    assert header.split("  ")[0] == "executor"
    assert [first.split()[0], second.split()[0]] == ["local", "twin"]
    assert verdict == "the results of all 4 runs are equal"
    assert sentence.startswith(("Stay with local", "Take twin"))
    assert [line.partition(":")[0] for line in err.splitlines()][-1] == "run 2 of 2 on twin"


def test_a_narrow_terminal_gets_a_table_that_fits(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of forty columns: cells below each other, sentences broken."""
    monkeypatch.setattr("turgo.cli.compare.command.terminal_width", lambda: 40)
    code, out, _ = compared(capfd, "flows.py:where", "--on", "local,twin")
    assert code == 0
    assert max(map(len, out.splitlines())) <= 40
    assert "overhead a task: " in out


def test_machines_get_json(capfd: pytest.CaptureFixture[str]) -> None:
    """Each trial, and the sentence."""
    code, out, _ = compared(capfd, "flows.py:where", "--on", "local", "--on", "twin", "--json")
    found: dict[str, Any] = json.loads(out)
    assert (code, found["agree"], found["flow"]) == (0, True, "where")
    assert [each["name"] for each in found["executors"]] == ["local", "twin"]
    assert found["executors"][0]["trials"][0]["calls"] == 3


def test_a_run_that_fails_is_shown(capfd: pytest.CaptureFixture[str]) -> None:
    """Exit code 1; an executor that does not start fails by itself."""
    code, out, _ = compared(capfd, "flows.py:bursts", "--on", "local")
    assert code == 1
    assert "local failed: burst (numbers=[1, 4]): OSError: 2 are too many" in out
    code, out, _ = compared(capfd, "flows.py:weights", "--on", "local,broken", "-p", "count=2")
    assert code == 1
    assert "no route to the moon" in out


def test_a_flow_that_fails_before_its_first_task(capfd: pytest.CaptureFixture[str]) -> None:
    """As with `turgo run`."""
    code, out, err = compared(capfd, "flows.py:broken", "--on", "local,twin")
    assert (code, out) == (1, "")
    assert "flow 'broken' failed before its first task ran" in err


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["--on", "local,,twin"], "expected names with commas between them"),
        (["--on", "local,local"], "'local' is named twice; --times"),
        (["--on", "local,lokal"], "did you mean 'local'?"),
        (["--on", "local", "--times", "0"], "--times"),
        (["--on", "local", "-p", "size=1"], "has no parameter 'size'"),
        ([], "--on"),
    ],
)
def test_slips_are_found_before_anything_runs(
    capfd: pytest.CaptureFixture[str], args: list[str], said: str
) -> None:
    """Exit code 2."""
    code, out, err = compared(capfd, "flows.py:weights", *args)
    assert (code, out) == (2, "")
    assert said in err
