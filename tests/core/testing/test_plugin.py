"""`pytest --turgo-executor NAME`: the suite with no file; and the page that says what it checks."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from turgo.testing.specification import page, rules

HERE = Path(__file__).parent
RIGHT = f"{HERE / 'right_executor.py'}:Right"
OUTCOME = re.compile(r"(\d+) (passed|failed|skipped)")


def run_pytest(folder: Path, *args: str) -> subprocess.CompletedProcess[str]:
    """Run pytest in a folder, with the plugin of turgo and no other."""
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "turgo", "-p", "no:cacheprovider", *args],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )


def test_the_suite_runs_with_no_file(tmp_path: Path) -> None:
    """Options are converted as `-o` converts them, and the header says which executor is checked."""
    chosen = ("-k", "starts_again or slots", "--turgo-option", "workers=3")
    done = run_pytest(tmp_path, "--turgo-executor", RIGHT, *chosen)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Right(workers=3)" in done.stdout
    assert ("4", "passed") in OUTCOME.findall(done.stdout)
    assert list(tmp_path.iterdir()) == []


def test_files_that_are_named_run_beside_it(tmp_path: Path) -> None:
    """The suite comes after them."""
    (tmp_path / "test_mine.py").write_text("def test_mine():\n    pass\n")
    done = run_pytest(tmp_path, "--turgo-executor", RIGHT, "test_mine.py", "-k", "mine or starts_again")
    assert ("2", "passed") in OUTCOME.findall(done.stdout), done.stdout + done.stderr


def test_a_broken_rule_is_told_with_its_place(tmp_path: Path) -> None:
    """In words, with the heading in docs/contract.md; the exit code is that of failed tests."""
    wrong = f"{HERE / 'wrong_executors' / 'lifecycle.py'}:StartsOnce"
    done = run_pytest(tmp_path, "--turgo-executor", wrong, "-k", "starts_again")
    assert done.returncode == 1
    assert "an executor can be started again after it was left, and works as before" in done.stdout
    assert "docs/contract.md#starts-again" in done.stdout
    assert "the contract is NOT kept" in done.stdout
    module = re.search(r"\(python -m (\S+) prints it\)", done.stdout)
    assert module is not None
    printed = subprocess.run(
        [sys.executable, "-m", module[1]], capture_output=True, text=True, timeout=60, check=True
    )
    assert "### starts again\n" in printed.stdout


def test_each_check_has_an_executor_that_was_made_for_it(tmp_path: Path) -> None:
    """Not a copy, which would have passed by what the constructor opens."""
    wrong = f"{HERE / 'wrong_executors' / 'strictness.py'}:OpensWhenMade"
    done = run_pytest(
        tmp_path, "--turgo-executor", wrong, "-k", "nothing_is_open_before", "--turgo-patience", "1"
    )
    assert done.returncode == 1, done.stdout
    assert "opens nothing: no thread" in done.stdout


def test_what_was_proven_is_written_down(tmp_path: Path) -> None:
    """Of each capability whether it is claimed and proven; one whose checks did not run is not."""
    file = tmp_path / "certificate.json"
    chosen = ("-k", "parallel or slots_are_true", "--turgo-certificate", str(file))
    run_pytest(tmp_path, "--turgo-executor", RIGHT, *chosen)
    certificate = json.loads(file.read_text())
    assert certificate["capabilities"]["parallel"] == {"claimed": True, "proven": True, "because": ""}
    assert certificate["capabilities"]["resources"]["claimed"] is False
    run_pytest(tmp_path, "--turgo-executor", RIGHT, "-k", "starts_again", "--turgo-certificate", str(file))
    parallel = json.loads(file.read_text())["capabilities"]["parallel"]
    assert parallel == {"claimed": True, "proven": False, "because": "its check did not run"}


def test_what_is_asked_can_be_said_by_options_and_by_the_project(tmp_path: Path) -> None:
    """The header and the certificate say it; texts are converted as those of `--turgo-option` are."""
    (tmp_path / "pyproject.toml").write_text("[tool.turgo.certify]\nload = 40\npatience = 3\n")
    asked = (
        "--turgo-patience",
        "9",
        "--turgo-lasting-thread",
        "pool",
        "--turgo-shared-folder",
        str(tmp_path),
    )
    failing = ("--turgo-failing-option", "workers=0")
    file = tmp_path / "certificate.json"
    chosen = ("-k", "many_calls or failed_starts", "--turgo-certificate", str(file))
    done = run_pytest(tmp_path, "--turgo-executor", RIGHT, *asked, *failing, *chosen)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "asked: load 40, patience 9.0" in done.stdout
    record = json.loads(file.read_text())
    assert (record["asked"]["load"], record["asked"]["lasting_threads"]) == (40, ["pool"])
    assert record["asked"]["failing_options"] == {"workers": 0} and record["skips"] == {}


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("--turgo-executor", "nowhere-to-be-found"), "nowhere-to-be-found"),
        (("--turgo-executor", RIGHT, "--turgo-option", "wrkers=3"), "workers"),
        (("--turgo-executor", RIGHT, "--turgo-option", "workers"), "key=value"),
        (("--turgo-option", "workers=3"), "--turgo-executor NAME is missing"),
    ],
)
def test_mistakes_are_usage_errors(tmp_path: Path, args: tuple[str, ...], said: str) -> None:
    """A name or an option that is wrong is said on one line; nothing is collected."""
    done = run_pytest(tmp_path, *args)
    assert done.returncode == 4
    assert said in done.stderr


def test_the_plugin_costs_nothing_unasked(tmp_path: Path) -> None:
    """Without the option pytest imports the module of the plugin and nothing else of turgo."""
    code = (
        "import sys, pytest\n"
        "pytest.main(['-p', 'turgo', '--collect-only', '-q'])\n"
        "print(sorted(name for name in sys.modules if name.partition('.')[0] in ('turgo', 'attr', 'click')))"
    )
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    command = [sys.executable, "-c", code]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60, check=True
    )
    loaded = done.stdout.splitlines()[-1]
    assert loaded == "['turgo', 'turgo.testing', 'turgo.testing.plugin']"


def test_every_rule_has_its_anchor_and_every_anchor_its_rule() -> None:
    """What a failure links to is a heading of the page, and each heading of a rule is linked to by one."""
    headings = re.findall(r"^### (.+)$", page(), flags=re.MULTILINE)
    anchors = [heading.replace(" ", "-") for heading in headings]
    assert sorted(anchors) == sorted(rule.anchor for rule in rules())
    assert len(set(anchors)) == len(anchors)
    links = re.findall(r"\]\(#(.+?)\)", page())
    assert set(links) <= set(anchors)


def test_every_capability_is_proven_by_a_check() -> None:
    """There is none that could be declared without proof."""
    from turgo.executor import CAPABILITIES

    assert {rule.proves for rule in rules()} - {""} == set(CAPABILITIES)
