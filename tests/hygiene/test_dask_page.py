"""What docs/dask.md shows is what the tests against real clusters run: its profiles, its options, its commands."""

import inspect
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from turgo_dask import DaskExecutor

BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PROFILES = "plugins/dask/tests/clusters/turgo.toml"


def page(root: Path) -> str:
    """The text of the page."""
    return (root / "docs" / "dask.md").read_text(encoding="utf-8")


def test_every_profile_of_the_page_is_run_against_the_real_thing(root: Path) -> None:
    """The profiles of the page and those of the tests are the same, none more or less, each with the same options."""
    shown: dict[str, Any] = {}
    for kind, text in BLOCK.findall(page(root)):
        if kind == "toml":
            shown.update(tomllib.loads(text)["executors"])
    assert shown == tomllib.loads((root / PROFILES).read_text(encoding="utf-8"))["executors"]
    tests = "".join(file.read_text(encoding="utf-8") for file in (root / PROFILES).parent.glob("test_*.py"))
    assert [name for name in shown if f'"{name}"' not in tests] == []
    suite = (root / PROFILES).with_name("test_conformance.py").read_text(encoding="utf-8")
    assert [name for name in shown if f'"{name}"' not in suite] == ["kubernetes"]


def test_the_table_has_every_option(root: Path) -> None:
    """Each keyword of the class has a row, and each row is one of them."""
    table = page(root).partition("## Options\n")[2].partition("## ")[0]
    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == list(
        inspect.signature(DaskExecutor).parameters
    )


@pytest.mark.parametrize("command", ["scheduler", "worker"])
def test_the_options_of_dasks_commands_exist(command: str, root: Path) -> None:
    """What the page shows of `dask scheduler` and `dask worker` is what their help lists."""
    lines = [line for kind, text in BLOCK.findall(page(root)) if kind == "text" for line in text.splitlines()]
    shown = {
        option for line in lines if f"dask {command} " in line for option in re.findall(r"--[\w-]+", line)
    }
    done = subprocess.run(
        [sys.executable, "-m", "dask", command, "--help"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert shown and shown <= set(re.findall(r"--[\w-]+", done.stdout))
