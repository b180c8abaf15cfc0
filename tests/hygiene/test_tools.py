"""The tools of the checkout: what make, CI and contributors start."""

import re
import signal
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
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


HANGING_TEST = """
import subprocess, sys, time
def test_it():
    ignores = "import signal, time; signal.signal(signal.SIGABRT, signal.SIG_IGN); time.sleep(600)"
    subprocess.Popen([sys.executable, "-c", ignores])
    time.sleep(600)
"""


def test_tests_that_hang_are_ended_and_say_where(root: Path, tmp_path: Path) -> None:
    """`tools/time_limit.py` ends them with what they started, which has their stdout, too; else it has their code."""
    limit = [sys.executable, str(root / "tools/time_limit.py")]
    quick = subprocess.run([*limit, "60", sys.executable, "-c", "exit(3)"], timeout=60, check=False)
    assert quick.returncode == 3
    (tmp_path / "test_hanging.py").write_text(HANGING_TEST, encoding="utf-8")
    tests = [sys.executable, "-m", "pytest", "-s", "-p", "no:cacheprovider", str(tmp_path)]
    hung = subprocess.run([*limit, "5", *tests], capture_output=True, text=True, timeout=120, check=False)
    assert hung.returncode == 124 and "not over after 5 s" in hung.stdout
    assert re.search(r"test_hanging.py\", line \d+ in test_it", hung.stderr)


def test_what_has_a_time_limit_is_ended_as_the_limit_is(root: Path) -> None:
    """The command hears Ctrl-C and SIGTERM though it is in a process group of its own."""
    command = [sys.executable, "-c", "import time; print(1, flush=True); time.sleep(600)"]
    limit = [sys.executable, str(root / "tools/time_limit.py"), "60"]
    with subprocess.Popen([*limit, *command], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stdout.readline() == "1\n"
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 128 + signal.SIGTERM


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


UNSTEADY = """
import os, pytest
def test_good(): pass
@pytest.mark.parametrize("at", range({failures}))
def test_bad(at): assert os.environ["AGAIN"] == "1"
"""


@pytest.mark.parametrize(
    ("failures", "again", "counted"),
    [(2, "1", "3 passed, 0 failed, 0 skipped"), (2, "0", "1 passed, 2 failed, 0 skipped"), (4, None, None)],
)
def test_what_passes_when_it_runs_once_more_is_named(
    root: Path, tmp_path: Path, failures: int, again: str | None, counted: str | None
) -> None:
    """What fails again has failed; and of many tests that fail none is run again."""
    (tmp_path / "test_it.py").write_text(UNSTEADY.format(failures=failures), encoding="utf-8")
    count = [sys.executable, str(root / "tools/count_tests.py")]

    def run(report: str, again: str, *options: str) -> None:
        command = [sys.executable, "-m", "pytest", "-q", f"--junitxml={report}", *options, "test_it.py"]
        subprocess.run(command, cwd=tmp_path, env={"AGAIN": again}, capture_output=True, timeout=60)

    run("one.xml", "0")
    few = subprocess.run([*count, "--few", "one.xml"], cwd=tmp_path, timeout=60).returncode == 0
    assert few is (again is not None)
    if again is not None:
        run("one.again.xml", again, "--last-failed")
        printed = subprocess.run(
            [*count, "."], cwd=tmp_path, capture_output=True, text=True, timeout=60
        ).stdout
        assert printed.splitlines()[-1] == counted
        assert printed.count("unsteady") == (failures if again == "1" else 0)


def test_the_picture_of_the_readme_is_of_its_own_flow(root: Path) -> None:
    """It is drawn of what a terminal shows, in colours, asks no other host for a font, and the README shows it."""
    code = """
import tempfile
from pathlib import Path
from tools import pictures
compile(pictures.flow(), "lines.py", "exec")
lines = pictures.play("printf 'plain \\033[31mred\\033[0m\\n'", Path(tempfile.gettempdir()))
print(pictures.draw([("printf", lines)]))
"""
    made = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, timeout=60, check=True
    ).stdout
    assert ">red</text>" in made and "plain" in made and ">printf" in made
    assert "font-face" not in made and "url(http" not in made
    assert "(docs/run.svg)" in (root / "README.md").read_text(encoding="utf-8")
    shown = (root / "docs/run.svg").read_text(encoding="utf-8")
    assert "--resume" in shown and "Failed" in shown and "font-face" not in shown


def test_a_module_that_turns_the_lock_on_is_told_from_one_that_does_not(root: Path) -> None:
    """`tools/free_threads.py`, here on the build that there is; on an ordinary one the lock is always on."""
    script = "import free_threads as made; made.LIMIT = 10; print(made.has_lock('sys'), made.seconds(2) > 0)"
    command = [sys.executable, "-c", script]
    tools = root / "tools"  # the current folder of `-c` is on the path
    told = subprocess.run(command, cwd=tools, capture_output=True, text=True, timeout=120, check=True).stdout
    assert told.split() == [str(getattr(sys, "_is_gil_enabled", lambda: True)()), "True"]
