"""A call that failed on any executor fails in this process as it did there."""

import os
import subprocess
import sys
from pathlib import Path

ENGINES = ("local", "threads", "processes", "dask")

WORK = """
from turgo import flow, task

@task
def invert(number):
    return 6 / number

@flow
def work():
    return invert.map([1, 0, 2])
"""


def test_a_failed_call_is_made_again_here(
    engine_settings: tuple[str, dict[str, object]], tmp_path: Path
) -> None:
    """With the arguments that it had there, by the journal."""
    name, options = engine_settings
    nested = {key: value if isinstance(value, dict) else {"": value} for key, value in options.items()}
    given = [
        f"-o{key}{'.' if part else ''}{part}={value}"
        for key, parts in nested.items()
        for part, value in parts.items()
    ]
    (tmp_path / "work.py").write_text(WORK)
    for arguments in (["run", "-q", "work.py", "-e", name, *given], ["replay", "work", "invert[1]"]):
        done = subprocess.run(
            [sys.executable, "-m", "turgo", *arguments],
            cwd=tmp_path,
            env=os.environ,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 1, done.stderr
    assert "then: ZeroDivisionError: division by zero" in done.stderr
    assert "now: ZeroDivisionError: division by zero" in done.stderr
