"""Run a command for at most so long: `python time_limit.py SECONDS COMMAND…`.

It and all that it started, but for what left its process group, then get SIGABRT, at which pytest prints where each
thread is, and a little later SIGKILL. pytest's own limit of a test ends once that has failed: what hangs while its
fixtures are left would hang for ever. The exit code is the command's, as a shell has it; 124 if it took too long.
"""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from types import FrameType

DUMP_SECONDS = 10.0
"""How long it may take to say where it was: what `make` has started ends after it."""

LOOK_SECONDS = 0.1

TOOK_TOO_LONG = 124


def main(seconds: float, command: list[str]) -> int:
    """Run the command, and end it as this process is ended."""
    process = subprocess.Popen(command, process_group=0)

    def forward(number: int, frame: FrameType | None) -> None:
        os.killpg(process.pid, number)

    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, forward)
    try:
        code = process.wait(seconds)
        return code if code >= 0 else 128 - code
    except subprocess.TimeoutExpired:
        print(f"===== not over after {seconds:g} s, and ended: {' '.join(command)}", flush=True)
        os.killpg(process.pid, signal.SIGABRT)
    until = time.monotonic() + DUMP_SECONDS
    with suppress(ProcessLookupError):  # all of them are gone
        while time.monotonic() < until:
            process.poll()
            os.killpg(process.pid, 0)
            time.sleep(LOOK_SECONDS)
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    return TOOK_TOO_LONG


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]), sys.argv[2:]))
