"""Standard output of `turgo run` has the result alone, whatever the flow and its tasks print, on every executor."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ENGINES = ("local", "threads", "processes", "synchronous", "dask", "dask in threads", "file")

FLOW = """
import os, subprocess, sys
from turgo import flow, task

print("imported")

@task
def prints(number):
    print(f"printed {number}\\n", end="")  # at once, as two threads print
    sys.stdout.write("written\\n")
    sys.stdout.flush()
    os.write(1, b"by the system\\n")
    subprocess.run(["echo", "by a child"], check=True)
    return number

@flow
def printing():
    print("recorded")
    return prints.map([1, 2])
"""

PRINTED = ("imported", "recorded", "printed 1", "written", "by the system", "by a child")


@pytest.mark.parametrize("quiet", [(), ("-q",)])
def test_what_tasks_print_goes_to_standard_error(
    engine_settings: tuple[str, dict[str, Any]], threads_file: Path, tmp_path: Path, quiet: tuple[str, ...]
) -> None:
    """By Python, by the system and by a child: none of it is lost, and none is among the result."""
    name, options = engine_settings
    (tmp_path / "flow.py").write_text(FLOW, encoding="utf-8")
    line = [
        sys.executable,
        "-m",
        "turgo",
        "run",
        "flow.py",
        *quiet,
        "-e",
        name.format(threads_file=threads_file),
    ]
    for key, value in options.items():
        text = value if isinstance(value, str) else json.dumps(value).replace('":', '" =')
        line += ["-o", f"{key}={text}"]
    done = subprocess.run(line, capture_output=True, text=True, timeout=120, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "[1, 2]\n"
    for text in PRINTED:
        assert text in done.stderr
