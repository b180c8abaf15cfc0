"""What the hygiene tests share: where the checkout is, and a Python that starts afresh."""

import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def root() -> Path:
    """The root of the checkout."""
    return ROOT


@pytest.fixture(scope="session")
def public_doors() -> set[str]:
    """The modules of core that others may import, from the one list of them."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = {each["id"]: each for each in project["tool"]["importlinter"]["contracts"]}
    return set(contracts["public-doors"]["doors"])


@pytest.fixture
def fresh_python(tmp_path: Path) -> Callable[..., str]:
    """Run a snippet in a new interpreter, in an empty folder, and return what it printed."""

    def run(code: str, *arguments: str) -> str:
        command = [sys.executable, "-c", code, *arguments]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run
