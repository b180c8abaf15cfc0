"""What it costs to begin: importing turgo, running one task, listing the executors, a mistyped name of one."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import attrs

from benchmarks.rows import Budget, Row, slower
from benchmarks.timing import side_by_side

SUBJECT = "imports"
BANNED = ("dask", "distributed", "rich", "click")
FLOW = """\
from turgo import flow, task

@task
def one(): return 1

@flow
def single(): return one()
"""
LOADED = f"import sys, turgo; print(*(name for name in {BANNED!r} if name in sys.modules))"
FIRST_RUN = (
    f"{FLOW}\nfrom turgo import get_executor\nassert single.run(executor=get_executor('local')).result == 1\n"
)
BARE = (sys.executable, "-c", "pass")
CLI = (sys.executable, "-c", "import sys; from turgo.cli import main; sys.exit(main())")
"""What the script `turgo` does."""


def rows(quick: bool) -> Iterator[Row]:
    """Each beside a bare interpreter, in a folder that holds no configuration."""
    with tempfile.TemporaryDirectory(prefix="turgo-bench-") as name:
        folder = Path(name)
        (folder / "x.py").write_text(FLOW, encoding="utf-8")
        (folder / "first.py").write_text(FIRST_RUN, encoding="utf-8")
        rounds = 4 if quick else 12
        yield _over_bare(folder, rounds, "import turgo", Budget("≤", 60))
        yield _over_bare(folder, rounds, "from turgo import flow, task, get_executor", None)
        yield from _first_run(folder, rounds)
        loaded = _run(folder, [sys.executable, "-c", LOADED], 0).split()
        yield Row(
            subject=SUBJECT,
            what=f"of {', '.join(BANNED)} loaded by `import turgo`",
            ratio=len(loaded),
            unit="modules",
            budget=Budget("≤", 0),
        )
        yield _command(folder, rounds, ("executors", "list"), 0, Budget("≤", 200))
        yield _command(folder, rounds, ("run", "x.py", "--executor", "daks"), 2, Budget("≤", 300))
        yield _command(folder, rounds, ("run", "x.py", "--executor", "local"), 0, None)


def _first_run(folder: Path, rounds: int) -> Iterator[Row]:
    """A script that imports turgo and runs one task on `local`, beside what importing dask.distributed costs."""
    script, dask = [sys.executable, "first.py"], [sys.executable, "-c", "import dask.distributed"]
    ours, theirs, bare = _in_turns(folder, rounds, script, dask, BARE)
    what = "a script that imports turgo and runs one task on local, over a bare interpreter"
    aim = _row(what, ours, bare, ours - bare, Budget("≤", 80))
    yield attrs.evolve(aim, later=True)  # what is promised is the next row
    name = "`import dask.distributed`, over it too"
    yield slower(SUBJECT, what, ours - bare, theirs - bare, name, 1 / 3)


def _over_bare(folder: Path, rounds: int, code: str, budget: Budget | None) -> Row:
    ours, bare = _beside_bare(folder, rounds, [sys.executable, "-c", code], 0)
    return _row(f"`{code}`, over a bare interpreter", ours, bare, ours - bare, budget)


def _command(folder: Path, rounds: int, args: Sequence[str], code: int, budget: Budget | None) -> Row:
    ours, bare = _beside_bare(folder, rounds, [*CLI, *args], code)
    return _row(f"`turgo {' '.join(args)}`, all of it", ours, bare, ours, budget)


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
    ours, bare = _in_turns(folder, rounds, command, BARE, code=code)
    return ours, bare


def _in_turns(folder: Path, rounds: int, *commands: Sequence[str], code: int = 0) -> list[float]:
    """Seconds of each command; the first ends with `code`, the others with 0."""
    candidates = []
    for at, command in enumerate(commands):
        expected = 0 if at else code
        _run(folder, command, expected)  # compiles what is not compiled yet
        candidates.append(partial(_run_unread, folder, command, expected))
    return side_by_side(*candidates, rounds=rounds)


def _run_unread(folder: Path, command: Sequence[str], code: int) -> None:
    """Without its output, in which one command differs from another."""
    _run(folder, command, code)


def _run(folder: Path, command: Sequence[str], code: int) -> str:
    """The standard output of the command. Raises if it does not end with exit code `code`."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("TURGO")}
    environment["XDG_CONFIG_HOME"] = str(folder)
    # As installed packages are: compiled once. Where nothing may be written beside the source, each run would compile.
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    environment["PYTHONPYCACHEPREFIX"] = str(folder / "compiled")
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != code:
        raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}: {done.stderr}")
    return done.stdout
