"""The error of a worker's process that could not start comes with the error of the start."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

SCRIPT = """
import multiprocessing, os, signal
from turgo_dask import DaskExecutor

if multiprocessing.current_process().name != "MainProcess":
    {does}

if __name__ == "__main__":
    with DaskExecutor(cluster_kwargs={{"n_workers": 1}}, debug=False).start():
        pass
"""


@pytest.mark.parametrize(
    ("does", "says"),
    [
        ("raise LookupError('no such station')", "exit code 1: LookupError: no such station"),
        ("import no_such_package", "exit code 1: ModuleNotFoundError: No module named 'no_such_package'"),
        ("os.kill(os.getpid(), signal.SIGKILL)", "signal 9: it printed nothing"),
    ],
)
def test_a_program_that_workers_cannot_import_is_one_message(does: str, says: str, tmp_path: Path) -> None:
    """With the child's own error, its exit code or signal, and what to do; without the nanny's tracebacks."""
    script = tmp_path / "script.py"
    script.write_text(textwrap.dedent(SCRIPT.format(does=does)))
    done = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, timeout=200, check=False
    )
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert says in last
    assert 'behind `if __name__ == "__main__":`' in last
    assert "Nanny failed" not in done.stderr


def test_a_program_that_can_be_imported_has_no_failure(tmp_path: Path) -> None:
    """Then whatever else the nanny says is the reason."""
    script = tmp_path / "fine.py"
    script.write_text(
        "from turgo_dask.cluster.child import start_failure\n"
        "if __name__ == '__main__':\n"
        "    print(start_failure())\n"
    )
    done = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, timeout=100, check=True
    )
    assert done.stdout == "None\n"
