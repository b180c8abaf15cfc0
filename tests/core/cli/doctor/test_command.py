"""`turgo doctor`, as somebody uses it whose flow does not run."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from turgo.cli import main

FLOW = """
from turgo import flow, task

@task
def weigh(name: str) -> int:
    return len(name)

@flow
def scales(names: list[str]):
    return weigh.map(names)
"""
PLANTED = "import pathlib; pathlib.Path('ran').touch()\n"


@pytest.fixture(autouse=True)
def _in_an_empty_project(project: Path, inline_as_local: None) -> None:
    """`local` is an executor of the tests' own, by the user's file."""


def asked(capfd: pytest.CaptureFixture[str], *args: str) -> tuple[int, dict[str, list[dict[str, Any]]]]:
    """The exit code, and the findings by topic."""
    code = main(["doctor", *args, "--json"])
    found: dict[str, list[dict[str, Any]]] = {}
    for each in json.loads(capfd.readouterr().out)["findings"]:
        found.setdefault(each["topic"], []).append(each)
    return code, found


def test_where_all_is_well_it_says_so(site: Any, capfd: pytest.CaptureFixture[str]) -> None:
    """Exit code 0; a topic for each thing that was looked at."""
    site.install_plugin("turbine")
    code, found = asked(capfd, "turbine")
    assert code == 0, found
    assert {"python", "packages", "plugins", "config", "executor", "workers", "speed"} <= set(found)
    assert main(["doctor", "turbine"]) == 0
    assert capfd.readouterr().out.splitlines()[-1].startswith("nothing is wrong")


def test_an_executor_that_is_not_installed_has_its_line(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit code 1, and the finding's remedy is what to type."""
    monkeypatch.setattr("turgo.registry.resolve.installed", lambda path: {})
    code, found = asked(capfd, "dask")
    assert code == 1
    assert found["executor"][0]["mend"] == f"{sys.executable} -m pip install turgo-dask"


def test_each_thing_that_is_wrong_has_a_line(project: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Whatever it is."""
    (project / "scales.py").write_text(FLOW.replace("return weigh.map", "1 / 0; return weigh.map"))
    (project / "turgo.toml").write_text('executor = "gone"\n')
    for args in (
        (),
        ("./scales.py:Mine",),
        ("local", "-o", "size=3"),
        ("--flow", "scales.py", "-p", "names=[]"),
    ):
        code, found = asked(capfd, *args)
        wrong = [each for same in found.values() for each in same if each["mark"] == "wrong"]
        assert code == 1 and wrong and all(each["mend"] for each in wrong), args


def test_a_name_that_does_not_exist_is_a_slip(capfd: pytest.CaptureFixture[str]) -> None:
    """Exit code 2, as with `run`."""
    assert main(["doctor", "lokal"]) == 2
    assert "did you mean 'local'?" in capfd.readouterr().err


def test_a_file_that_is_no_toml_is_one_finding(project: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """With its line; what depends on it is not looked at."""
    (project / "turgo.toml").write_text("executor = \n")
    code, found = asked(capfd)
    assert code == 1
    assert "turgo.toml" in found["config"][0]["text"]


def test_an_executor_that_does_not_start_is_a_finding(
    project: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Whatever it raises."""
    (project / "mine.py").write_text(
        "from turgo import Executor\nclass Mine(Executor):\n"
        "    def start(self):\n        raise OSError('no route to the moon')\n"
        "    def submit(self, fn, /, *args, extra_context=None, **kwargs): ...\n"
    )
    code, found = asked(capfd, "./mine.py:Mine")
    assert (code, found["workers"][0]["text"]) == (1, "OSError: no route to the moon")


def test_a_flow_is_looked_at_with_its_parameters(project: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """One that lacks them is a slip, one that fails a finding."""
    (project / "scales.py").write_text(FLOW)
    code, found = asked(capfd, "local", "--flow", "scales.py", "-p", "names=['a', 'b']")
    assert code == 0, found
    assert "scales: 1 task" in found["flow"][0]["text"]
    assert main(["doctor", "local", "--flow", "scales.py"]) == 2
    assert "give -p names=…" in capfd.readouterr().err
    (project / "scales.py").write_text(FLOW.replace("return weigh.map", "1 / 0; return weigh.map"))
    code = main(["doctor", "-p", "names=['a']"])
    assert code == 2
    assert "--flow FILE" in capfd.readouterr().err


def test_a_flow_that_fails_is_a_finding(project: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """In its own words."""
    (project / "scales.py").write_text(FLOW.replace("return weigh.map", "1 / 0; return weigh.map"))
    code, found = asked(capfd, "--flow", "scales.py", "-p", "names=['a']")
    assert code == 1
    assert found["flow"][0]["text"].endswith("ZeroDivisionError: division by zero")


def test_no_code_of_the_folder_runs_unasked(project: Path) -> None:
    """Neither a module that shadows another, nor the executor that a turgo.toml names by its file."""
    for name in ("pip", "turgo_local", "attrs", "sitecustomize", "mine"):
        (project / f"{name}.py").write_text(PLANTED)
    (project / "turgo.toml").write_text(
        'executor = "own"\n[executors.own]\nuse = "./mine.py:Mine"\n[executors.elsewhere]\nuse = "mine.Mine"\n'
    )
    planted = project / "planted-1.0.dist-info"
    planted.mkdir()
    (planted / "METADATA").write_text("Metadata-Version: 2.1\nName: planted\nVersion: 1.0\n")
    (planted / "entry_points.txt").write_text("[turgo.executors]\nmine = mine\n")
    for command in (["-P", "-m", "turgo"], ["-m", "turgo"]):
        (project / "attrs.py").unlink(
            missing_ok=True
        )  # `python -m` itself looks here, for what it loads first
        (project / "pip.py").write_text(PLANTED)
        done = subprocess.run(
            [sys.executable, *command, "doctor"], capture_output=True, text=True, timeout=200, check=False
        )
        assert "which is not run unasked" in done.stdout, done.stdout + done.stderr
        assert not (project / "ran").exists(), command
        assert done.returncode in (0, 1)
    done = subprocess.run(
        [sys.executable, "-m", "turgo", "doctor", "elsewhere"],
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert "there is no module 'mine'" in done.stdout
    assert not (project / "ran").exists()
