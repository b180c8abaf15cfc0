"""`turgo executors certify` over right and wrong executors: the exit code, and the rule that is named.

A handful each time; all of them, each within three minutes, with `TEST_MATRIX=full`.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from turgo.registry.source_files import load_source

HERE = Path(__file__).parents[2] / "testing"
FULL = os.environ.get("TEST_MATRIX") == "full"
ASKED = () if FULL else ("--load", "200", "--patience", "1")
LIMIT_SECONDS = 180.0
"""How long a verdict may take."""

HANDFUL = {"LosesCalls", "NeverEnters", "TriesAgain", "FromTheFuture"}
"""Wrong executors of four sorts: two that would hang a suite, one that counts wrong, one too new.

One that boasts, and one that drops a value, are certified by test_certify.
"""


def wrong_ones() -> Iterator[object]:
    """A parameter for each wrong executor: its file and class, and the checks of which one has to fail."""
    for file in (*sorted((HERE / "wrong_executors").glob("*.py")), HERE / "hanging_executors.py"):
        module = load_source(file)
        for name, found in vars(module).items():
            own = isinstance(found, type) and found.__module__ == module.__name__
            hangs = own and file.name == "hanging_executors.py"
            if own and (hangs or found.__dict__.get("breaks")) and (FULL or name in HANDFUL):
                breaks = [f"test_{check}" for check in getattr(found, "breaks", ())]
                yield pytest.param(f"{file}:{name}", breaks, id=name)


def certified(*args: str) -> int:
    """The exit code of the command, in a process of its own: some wrong ones open a pool as soon as they are made."""
    return subprocess.run([sys.executable, "-m", "turgo", "executors", "certify", *args]).returncode


@pytest.mark.slow
@pytest.mark.parametrize(("path", "breaks"), list(wrong_ones()))
def test_a_wrong_executor_is_sent_away(path: str, breaks: list[str], tmp_path: Path) -> None:
    """Exit code 1; the certificate names a rule that it breaks, and nothing hangs."""
    file, began = tmp_path / "certificate.json", time.monotonic()
    asked = (
        [*ASKED, "--failing-option", "workers=0"] if "test_failed_starts_leave_nothing" in breaks else ASKED
    )
    assert certified(path, *asked, "--output", str(file)) == 1
    record = json.loads(file.read_text(encoding="utf-8"))
    impatient = any(reason.startswith("not run") for reason in record["skips"].values())
    assert record["failures"] and (impatient or not breaks or set(breaks) & set(record["failures"]))
    assert not FULL or time.monotonic() - began < LIMIT_SECONDS


@pytest.mark.slow
@pytest.mark.skipif(not FULL, reason="test_certify certifies one each time; TEST_MATRIX=full asks for all")
@pytest.mark.parametrize("path", ["right_executor.py:Right", "capable_executor.py:CapableExecutor"])
def test_a_right_executor_is_certified(path: str, tmp_path: Path) -> None:
    """Exit code 0."""
    assert certified(str(HERE / path), "--output", str(tmp_path / "c.json")) == 0
