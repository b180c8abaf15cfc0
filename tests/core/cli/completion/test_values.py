"""What a shell completes: executors, their options, parameters of the flow and their values."""

import os
import subprocess
import sysconfig
from pathlib import Path
from typing import Any

import pytest

from turgo import flow, task
from turgo.cli.completion.values import executor_names, executor_options, flow_parameters, run_ids

FLOW = """
from typing import Literal
from turgo import flow

@flow
def census(root: str, deep: bool = False, kind: Literal["quick", "whole"] = "quick"):
    return root
"""


@pytest.fixture(autouse=True)
def _in_an_empty_project(project: Path) -> None:
    """The current folder is empty, but for a flow file."""
    (project / "census.py").write_text(FLOW)


def completed(words: str) -> list[str]:
    """What a bash would show for the last of the words, asked as bash asks."""
    turgo = Path(sysconfig.get_path("scripts"), "turgo")
    asked = {
        "COMP_WORDS": words,
        "COMP_CWORD": str(len(words.split()) - 1),
        "_TURGO_COMPLETE": "bash_complete",
    }
    done = subprocess.run(
        [turgo], env={**os.environ, **asked}, capture_output=True, text=True, check=False, timeout=60
    )
    return [line.partition(",")[2] for line in done.stdout.splitlines()]


class Line:
    """What click knows of a command line so far."""

    def __init__(self, **params: Any) -> None:
        self.params = params
        self.args: list[str] = []


def values(found: list[Any]) -> list[str]:
    """The texts of completions."""
    return [item.value for item in found]


@pytest.mark.parametrize(
    ("incomplete", "texts"),
    [("tur", ["turbine"]), ("", ["east", "turbine"]), ("x", []), ("./my", ["./my"])],
)
def test_executors_are_completed_by_name(site: Any, project: Path, incomplete: str, texts: list[str]) -> None:
    """Plugins and profiles; what begins like a path is left to the shell."""
    site.install_plugin("turbine")
    (project / "turgo.toml").write_text('[executors.east]\nuse = "turbine"')
    found = values(executor_names(Line(), None, incomplete))  # type: ignore[arg-type]
    assert set(texts) <= set(found)
    assert texts != [] or found == []


def test_options_of_the_executor_of_the_line_are_completed(site: Any) -> None:
    """Of the one that `--executor` or NAME names; a bool has two values."""
    site.install_plugin("turbine")
    for line in (Line(executor="turbine"), Line(name="turbine")):
        assert values(executor_options(line, None, "bl")) == ["blades="]  # type: ignore[arg-type]
    assert values(executor_options(Line(executor="turbine"), None, "debug=")) == ["debug=true", "debug=false"]  # type: ignore[arg-type]


def test_where_something_fails_there_is_nothing_to_complete(project: Path) -> None:
    """A mistake is not the time for a message."""
    (project / "turgo.toml").write_text("no toml")
    assert executor_names(Line(), None, "") == []  # type: ignore[arg-type]
    assert executor_options(Line(executor="gone"), None, "") == []  # type: ignore[arg-type]
    assert flow_parameters(Line(target="gone.py"), None, "") == []  # type: ignore[arg-type]


def test_a_shell_gets_parameters_of_the_flow_and_their_values() -> None:
    """Asked by the protocol that click has with bash."""
    assert completed("turgo run census.py -p r") == ["root="]
    assert completed("turgo run census.py -p kind=w") == ["kind=whole"]


@pytest.mark.usefixtures("inline_as_local")
def test_runs_are_completed_by_their_ids(project: Path) -> None:
    """Those that have a journal, the last one first; nothing where the journals cannot be looked at."""
    body = flow(name="tally")(lambda: task(name="count")(lambda: 1)())
    first, last = body.run(journal=True), body.run(journal=True)
    assert values(run_ids(Line(), None, "tal")) == [last.id, first.id]  # type: ignore[arg-type]
    assert values(run_ids(Line(), None, "x")) == []  # type: ignore[arg-type]
    (project / "turgo.toml").write_text("no toml")
    assert run_ids(Line(), None, "tal") == []  # type: ignore[arg-type]
