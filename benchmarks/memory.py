"""How much memory a run of a million tasks holds above the values that it is given and returns."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.rows import Budget, Row

SUBJECT = "memory"

MOST = """
import resource
def most():  # MiB; what getrusage tells is never less than what the parent process had
    try:
        with open("/proc/self/status") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) / 1024
    except OSError:
        kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return kib / 1024
"""
PREPARED = "from benchmarks.work import mapped; from penstock_local import LocalExecutor; n = {n}"
VALUES = f"""{MOST}
{PREPARED}
values = list(range(n))
print(most())
"""
RUN = f"""{MOST}
{PREPARED}
run = mapped.run(n, executor=LocalExecutor())
assert run.ok and len(run.result) == n
print(most())
"""


def rows(quick: bool) -> Iterator[Row]:
    """The peak of a process that runs the flow, less that of one that only holds the values."""
    n = 200_000 if quick else 1_000_000
    above = _peak(RUN.format(n=n)) - _peak(VALUES.format(n=n))
    yield Row(
        subject=SUBJECT,
        what=f"{n:,} mapped no-ops on local: resident memory above the values",
        ratio=above,
        unit="MiB",
        budget=Budget("≤", 1024),
    )


def _peak(code: str) -> float:
    root = Path(__file__).resolve().parent.parent
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    return float(done.stdout)
