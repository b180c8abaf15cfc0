"""A command whose standard streams were closed before it began: it runs, and writes into no file that it opens."""

import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import os, sys
from turgo.cli.terminal.streams import open_missing_streams
open_missing_streams()
print("said")
print("warned", file=sys.stderr)
asked = sys.stdin.read()
file = open(sys.argv[1], "w")
assert file.fileno() > 2, file.fileno()
file.write(f"{asked!r} {[stream.fileno() for stream in (sys.stdin, sys.stdout, sys.stderr)]}")
"""


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_closed_stream_leads_nowhere(closed: str, tmp_path: Path) -> None:
    """Each has its own number again, so that a file that is opened next does not get it."""
    file = tmp_path / "written.txt"
    command = ["sh", "-c", f'exec "$@" {closed}', "sh", sys.executable, "-c", PROGRAM, str(file)]
    subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, timeout=60, check=True)
    assert file.read_text() == "'' [0, 1, 2]"


def test_open_streams_are_left_as_they_are() -> None:
    """What a command prints comes where it is sent."""
    code = (
        "import sys; from turgo.cli.terminal.streams import open_missing_streams; before = sys.stdout; "
        "open_missing_streams(); print(before is sys.stdout)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == "True\n"
