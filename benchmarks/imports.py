"""What it costs to begin: importing penstock, listing the executors, being told of a mistyped one."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.rows import Budget, Row
from benchmarks.timing import side_by_side

SUBJECT = "imports"
BANNED = ("dask", "distributed", "rich", "click")
FLOW = """\
from penstock import flow, task

@task
def one(): return 1

@flow
def single(): return one()
"""
LOADED = f"import sys, penstock; print(*(name for name in {BANNED!r} if name in sys.modules))"
CLI = (sys.executable, "-c", "import sys; from penstock.cli import main; sys.exit(main())")
"""What the script `penstock` does."""


def rows(quick: bool) -> Iterator[Row]:
    """Each beside a bare interpreter, in a folder that holds no configuration."""
    with tempfile.TemporaryDirectory(prefix="penstock-bench-") as name:
        folder = Path(name)
        (folder / "x.py").write_text(FLOW, encoding="utf-8")
        rounds = 4 if quick else 12
        yield _over_bare(folder, rounds, "import penstock", Budget("≤", 60))
        yield _over_bare(folder, rounds, "from penstock import flow, task, get_executor", None)
        loaded = _run(folder, [sys.executable, "-c", LOADED], 0).split()
        yield Row(
            subject=SUBJECT,
            what=f"of {', '.join(BANNED)} loaded by `import penstock`",
            ratio=len(loaded),
            unit="modules",
            budget=Budget("≤", 0),
        )
        yield _command(folder, rounds, ("executors", "list"), 0, Budget("≤", 200))
        yield _command(folder, rounds, ("run", "x.py", "--executor", "daks"), 2, Budget("≤", 300))
        yield _command(folder, rounds, ("run", "x.py", "--executor", "local"), 0, None)


def _over_bare(folder: Path, rounds: int, code: str, budget: Budget | None) -> Row:
    ours, bare = _beside_bare(folder, rounds, [sys.executable, "-c", code], 0)
    return _row(f"`{code}`, over a bare interpreter", ours, bare, ours - bare, budget)


def _command(folder: Path, rounds: int, args: Sequence[str], code: int, budget: Budget | None) -> Row:
    ours, bare = _beside_bare(folder, rounds, [*CLI, *args], code)
    return _row(f"`penstock {' '.join(args)}`, all of it", ours, bare, ours, budget)


def _row(what: str, ours: float, bare: float, measure: float, budget: Budget | None) -> Row:
    return Row(
        subject=SUBJECT,
        what=what,
        ours_us=ours * 1e6,
        theirs_us=bare * 1e6,
        theirs_name="bare interpreter",
        ratio=measure * 1e3,
        unit="ms",
        budget=budget,
    )


def _beside_bare(folder: Path, rounds: int, command: Sequence[str], code: int) -> tuple[float, float]:
    def ours() -> None:
        _run(folder, command, code)

    def bare() -> None:
        _run(folder, [sys.executable, "-c", "pass"], 0)

    ours()  # compiles what is not compiled yet
    seconds = side_by_side(ours, bare, rounds=rounds)
    return seconds[0], seconds[1]


def _run(folder: Path, command: Sequence[str], code: int) -> str:
    """The standard output of the command. Raises if it does not end with exit code `code`."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PENSTOCK")}
    environment["XDG_CONFIG_HOME"] = str(folder)
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != code:
        raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}: {done.stderr}")
    return done.stdout
