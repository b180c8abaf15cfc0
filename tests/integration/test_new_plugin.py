"""What `turgo executors new` writes works untouched: it installs, lists, runs, passes its tests and linters.

The environments are made anew and see what is installed beside the tests, so nothing is fetched.
"""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from turgo.cli.executors.project import NAME_WIDTH

CENSUS = Path(__file__).resolve().parents[2] / "examples" / "census.py"
LONGEST = "w" * NAME_WIDTH  # it makes the longest lines


@pytest.fixture(scope="module", params=["installed", pytest.param("editable", marks=pytest.mark.matrix)])
def turbine(
    request: pytest.FixtureRequest,
    new_environment: Callable[[Path], Any],
    tmp_path_factory: pytest.TempPathFactory,
) -> Any:
    """An environment with the plugin `turbine`, as it was written: installed, or as an editable one."""
    environment = new_environment(tmp_path_factory.mktemp("new"))
    environment.run("turgo", "executors", "new", "turbine")
    environment.install(*(["-e"] if request.param == "editable" else []), "./turgo-turbine")
    return environment


@pytest.mark.installs
def test_it_is_listed_by_its_name(turbine: Any) -> None:
    """With its distribution and what it can do, and not as broken."""
    listed = json.loads(turbine.run("turgo", "executors", "list", "--json"))["executors"]
    (found,) = [each for each in listed if each["name"] == "turbine"]
    assert (found["distribution"], found["version"]) == ("turgo-turbine", "0.1.0")
    assert (found["broken"], found["capabilities"]) == (None, ["parallel"])


@pytest.mark.installs
def test_its_option_is_shown_with_its_meaning(turbine: Any) -> None:
    """`turgo executors show` reads the option from the class and its docstring."""
    shown = json.loads(turbine.run("turgo", "executors", "show", "turbine", "--json"))
    (option,) = shown["options"]
    assert (option["name"], option["type"], option["default"]) == ("workers", "int", 4)
    assert option["meaning"].startswith("how many of them")


@pytest.mark.installs
def test_it_runs_the_census(turbine: Any) -> None:
    """The bytes are those that the local executor brings."""
    for name in ("turbine", "local"):
        turbine.run("turgo", "run", str(CENSUS), "-e", name, "-p", "limit=30", "-p", f"out={name}.json")
    found = [(turbine.folder / f"{name}.json").read_bytes() for name in ("turbine", "local")]
    assert found[0] == found[1] and len(found[0]) > 1000


@pytest.mark.installs
@pytest.mark.slow
def test_it_passes_its_own_tests(turbine: Any) -> None:
    """The conformance suite runs as the command that was printed says, every check of it, and is green."""
    summary = turbine.run("pytest", "-q", "./turgo-turbine").splitlines()[-1]
    passed = int(summary.split(" passed")[0].split()[-1])
    assert passed > 50, summary


@pytest.mark.installs
@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "tools"),
    [
        ("x", ["ruff check", "ruff format --check"]),
        (LONGEST, ["ruff check", "ruff format --check"]),
        ("my-grid", ["ruff check", "ruff format --check", "mypy"]),
    ],
)
def test_it_passes_the_linters(name: str, tools: list[str], tmp_path: Path) -> None:
    """Linter and formatter have nothing to say, however short or long the name is, nor have strict types."""
    done = subprocess.run(
        [sys.executable, "-m", "turgo", "executors", "new", name, "--dir", str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (project,) = tmp_path.iterdir()
    for tool in tools:
        said = subprocess.run(
            [sys.executable, "-m", *tool.split()],
            cwd=project,
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        assert said.returncode == 0, said.stdout + said.stderr


@pytest.mark.installs
def test_it_builds_a_wheel_with_all_that_belongs_in(turbine: Any) -> None:
    """Modules, the marker of types, the licence's place and the entry point."""
    turbine.run(
        "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "-w", "built", "./turgo-turbine"
    )
    listing = turbine.run("zipfile", "-l", "built/turgo_turbine-0.1.0-py3-none-any.whl")
    for path in ("__init__.py", "executor.py", "plugin.py", "py.typed"):
        assert f"turgo_turbine/{path} " in listing
    assert "dist-info/entry_points.txt" in listing and "licenses/LICENSE" in listing
    assert "test_conformance" not in listing
