"""The tools of the checkout: what make, CI and contributors start."""

import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import yaml

SIGINT_OF_A_CHILD = "import signal; print(signal.getsignal(signal.SIGINT) is signal.default_int_handler)"
IN_THE_BACKGROUND = 'trap "" INT; exec "$@"'


def background(*command: str) -> str:
    """What a command prints that was started with SIGINT ignored, as a shell does for `command &`."""
    started = ["sh", "-c", IN_THE_BACKGROUND, "sh", *command]
    return subprocess.run(started, capture_output=True, text=True, timeout=60, check=True).stdout.strip()


def test_ctrl_c_is_heard_in_the_background(root: Path) -> None:
    """A command that `tools/with_ctrl_c.py` runs is interrupted by SIGINT, also where its shell ignores that."""
    plain = [sys.executable, "-c", SIGINT_OF_A_CHILD]
    assert background(*plain) == "False"
    assert background(sys.executable, str(root / "tools/with_ctrl_c.py"), *plain) == "True"


def test_a_run_enters_modules_of_its_own(root: Path) -> None:
    """`tools/run_path.py` counts the modules of a run, and its path is as long as its changes say."""
    command = [sys.executable, str(root / "tools/run_path.py"), "--path"]
    *path, totals = subprocess.run(
        command, capture_output=True, text=True, timeout=60, check=True
    ).stdout.splitlines()
    assert "turgo.worker.execute" in path and "turgo_local.executor" in path
    assert all(one != other for one, other in pairwise(path))
    assert totals == f"modules: {len(set(path))}, changes: {len(path) - 1}"


def test_a_commit_is_linted_as_ci_lints(root: Path) -> None:
    """The hooks of `.pre-commit-config.yaml` are the commands of `make lint`, and need no network."""
    recipe = re.search(
        r"^lint:.*\n((?:\t.*\n)+)", (root / "Makefile").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert recipe
    linted = [line.strip().replace("$(BIN)", ".venv/bin") for line in recipe[1].splitlines()]
    repositories = yaml.safe_load((root / ".pre-commit-config.yaml").read_text(encoding="utf-8"))["repos"]
    assert [one["repo"] for one in repositories] == ["local"]
    hooks = repositories[0]["hooks"]
    assert [hook["entry"] for hook in hooks] == linted
    assert all(hook["language"] == "system" and not hook["pass_filenames"] for hook in hooks)
