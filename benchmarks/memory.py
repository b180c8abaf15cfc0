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
PREPARED = {
    "local": "from turgo_local import LocalExecutor\nexecutor = LocalExecutor()",
    "dask": """
from benchmarks.clusters import OPTIONS
from turgo_dask import DaskExecutor
executor = DaskExecutor(cluster_kwargs=OPTIONS)
""",
}
PROGRAM = """
{most}
from benchmarks.work import mapped
{prepared}
mapped.run(100, executor=executor)
{deed}
print(most())
"""
HOLD = "values = list(range({n}))"
RUN = "run = mapped.run({n}, executor=executor)\nassert run.ok and len(run.result) == {n}"
WHERE = {
    "local": "on local: resident memory above the values",
    "dask": "on dask: driver and scheduler (one process), resident memory above the values",
}


def rows(quick: bool) -> Iterator[Row]:
    """The peak of a process that runs the flow, less that of one that runs a hundred tasks and holds the values."""
    n = 200_000 if quick else 1_000_000
    for executor, where in WHERE.items():
        peaks = [_peak(executor, deed.format(n=n)) for deed in (RUN, HOLD)]
        yield Row(
            subject=SUBJECT,
            what=f"{n:,} mapped no-ops {where}",
            ratio=peaks[0] - peaks[1],
            unit="MiB",
            budget=Budget("≤", 1024),
        )


def _peak(executor: str, deed: str) -> float:
    """MiB that a process came to hold at most."""
    code = PROGRAM.format(most=MOST, prepared=PREPARED[executor], deed=deed)
    root = Path(__file__).resolve().parent.parent
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    return float(done.stdout)
