"""The guide for authors of executors, gone from its first line to its last: installs, builds and the upload too."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tools.release.local_index import local_index

ROOT = Path(__file__).resolve().parents[2]
RUNNER = ROOT / "tests" / "hygiene" / "readme_runner.py"


@pytest.fixture
def index(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """A package index on loopback: its address, and the folder of what was uploaded to it."""
    folder = tmp_path / "index"
    with local_index(folder) as address:
        yield address, folder


@pytest.mark.installs
@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_guide_leads_from_nothing_to_a_published_executor(
    new_environment: Callable[[Path], Any], index: tuple[str, Path], tmp_path: Path
) -> None:
    """Every block of the page runs, in order, in an environment of its own."""
    environment = new_environment(tmp_path / "author")
    shutil.copytree(
        ROOT / "examples",
        environment.folder / "examples",
        ignore=shutil.ignore_patterns("__pycache__", "third_party"),
    )
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TURGO_")}
    variables = {
        "PATH": f"{environment.python.parent}{os.pathsep}{kept['PATH']}",
        "HOME": str(tmp_path),
        "XDG_CONFIG_HOME": str(tmp_path),
        "PIP_NO_BUILD_ISOLATION": "0",  # pip's way to say yes to an option that begins with no
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "TWINE_REPOSITORY_URL": index[0],
        "TWINE_USERNAME": "author",
        "TWINE_PASSWORD": "of no use",
        "TWINE_NON_INTERACTIVE": "1",
    }
    done = subprocess.run(
        [str(environment.python), str(RUNNER), str(ROOT / "docs" / "write-an-executor.md"), "--installs"],
        cwd=environment.folder,
        env={**kept, **variables},
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    uploaded = sorted(file.name for file in index[1].iterdir())
    assert uploaded == ["turgo_turbine-0.1.0-py3-none-any.whl", "turgo_turbine-0.1.0.tar.gz"]
