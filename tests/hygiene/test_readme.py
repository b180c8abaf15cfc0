"""What the README shows is true: its blocks run. `readme_runner.py` states the rule of what is run."""

import os
import re
import shutil
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path

import pytest

PAGES = [
    "README.md",
    "core/README.md",
    "plugins/local/README.md",
    "plugins/local_dask/README.md",
    "plugins/dask/README.md",
    "docs/api-versions.md",
    "docs/catalogue.md",
    "docs/compare.md",
    "docs/configuration.md",
    "docs/dask.md",
    "docs/design.md",
    "docs/doctor.md",
    "docs/executors.md",
    "docs/first-flow.md",
    "docs/index.md",
    "docs/local-dask.md",
    "docs/logs.md",
    "docs/migration.md",
    "docs/migration-prefect.md",
    "docs/observers.md",
    "docs/pictures.md",
    "docs/places.md",
    "docs/progress.md",
    "docs/runs.md",
    "docs/secrets.md",
    "docs/security.md",
    "docs/test-your-flow.md",
    "docs/troubleshooting.md",
]
# The guide and the pages on flows are played by the integration tests, the example of a third party by a job of CI.
PLAYED_ELSEWHERE = ["docs/flows.md", "docs/flows/*.md", "docs/write-an-executor.md"]
LINKS_ALONE = [
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "examples/third_party/turgo-futures/README.md",
]
RUNNER = Path(__file__).with_name("readme_runner.py")
LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)")


def play(page: Path, folder: Path) -> "subprocess.CompletedProcess[str]":
    """Run a page's blocks in `folder`: this environment's commands first in PATH, no settings of ours."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TURGO_")}
    path = f"{Path(sys.executable).parent}{os.pathsep}{kept['PATH']}"
    command = [sys.executable, str(RUNNER), str(page)]
    environment = {**kept, "PATH": path, "HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
    environment["XDG_STATE_HOME"] = str(folder / "state")
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=280, check=False
    )


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("page", PAGES)
def test_every_block_of_a_readme_runs(page: str, root: Path, tmp_path: Path) -> None:
    """The Python blocks and shell lines of the page run, in order, in a folder that holds the examples."""
    shutil.copytree(root / "examples", tmp_path / "examples", ignore=shutil.ignore_patterns("__pycache__"))
    done = play(root / page, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_link_within_the_project_leads_somewhere(root: Path) -> None:
    """A relative link of a page names a file or folder of the checkout."""
    pages = {*PAGES, *LINKS_ALONE, *(str(page.relative_to(root)) for page in root.glob("docs/**/*.md"))}
    assert len(pages) > 60
    for page in sorted(pages):
        for target in LINK.findall((root / page).read_text(encoding="utf-8")):
            assert ((root / page).parent / target).exists(), f"{page}: {target}"


def test_no_page_shows_what_nothing_runs(root: Path) -> None:
    """A page with a block of Python or of shell is played, here or by another test; or it sets up alone."""
    for file in (root / "docs").rglob("*.md"):
        page = file.relative_to(root).as_posix()
        text = file.read_text(encoding="utf-8")
        shown = re.findall(
            r"^```(?:python|console|shell|sh|bash)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL
        )
        runs = [
            block
            for block in shown
            if not all(line.startswith(("$ make ", " ")) for line in block.splitlines())
        ]
        played = page in PAGES or any(fnmatch(page, pattern) for pattern in PLAYED_ELSEWHERE)
        assert played or not runs, page


def test_the_runner_stops_at_what_fails(tmp_path: Path) -> None:
    """A page whose Python raises, or whose command ends otherwise than it states, does not pass."""
    good = (
        "```python\nx = 1\n```\n```python\nassert x\n```\n```console\n$ exit 3  # exit code 3\nshown\n```\n"
    )
    bad = [
        "```python\nraise ValueError\n```\n",
        "```console\n$ false\n```\n",
        "```sh\ntrue # exit code 1\n```\n",
    ]
    page = tmp_path / "page.md"
    page.write_text(good)
    assert play(page, tmp_path).returncode == 0
    for text in bad:
        page.write_text(good + text)
        assert play(page, tmp_path).returncode != 0
