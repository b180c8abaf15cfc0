"""A journal holds each value as it was when it was returned, whatever a later call of the same process does to it."""

import os
import subprocess
import sys
from pathlib import Path

from turgo.journal.archive import Archive
from turgo.journal.folder import RunFolder

ENGINES = ("local", "threads", "processes", "dask", "dask in threads")

WORK = """
from turgo import flow, task

@task
def start(number):
    return [number]

@task
def grow(rows):
    rows.append(len(rows))
    return rows

@flow
def work():
    ends = []
    for number in range(10):
        rows = start(number)
        for _ in range(9):
            rows = grow(rows)
        ends.append(rows)
    return ends
"""


def test_values_are_kept_as_they_were_made(
    engine_settings: tuple[str, dict[str, object]], tmp_path: Path
) -> None:
    """Though each call of a chain changes what it was given, and calls of a chain share batches."""
    name, options = engine_settings
    (tmp_path / "work.py").write_text(WORK)
    (tmp_path / "go.py").write_text(
        "from work import work\n\nif __name__ == '__main__':\n"
        f"    run = work.run(executor={name!r}, executor_options={options!r}, journal=True)\n"
        "    assert [len(each) for each in run.result] == [10] * 10\n"
    )
    command = [sys.executable, "go.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    (path,) = (Path(os.environ["XDG_STATE_HOME"]) / "turgo" / "runs").iterdir()
    earlier = Archive(RunFolder(path))
    values = [earlier.take(identity) for identity in list(earlier._places)]
    assert sorted(len(each[0]) for each in values if each is not None) == sorted(list(range(1, 11)) * 10)
