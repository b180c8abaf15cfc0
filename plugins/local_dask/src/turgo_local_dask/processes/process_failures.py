"""Says why worker processes do not start. Reports what the kernel knows of one that was killed.

A process that is started by "spawn" or "forkserver" imports the program again before it runs any code of ours, so what
fails in that import comes through no pipe. One more child is started to make the same import, and its error is shown.

That memory was short is said only with evidence, as anybody can send a SIGKILL: the count in the control group grew.

    cgroup v2    memory.events         oom_kill 1
    cgroup v1    memory.oom_control    oom_kill 1
"""

from __future__ import annotations

import pickle
import subprocess
from collections.abc import Iterator
from multiprocessing import spawn, util
from pathlib import Path

IMPORT_SECONDS = 30.0
"""How long the import of the program may take in the child that is asked."""

ERROR_LINES = 20
"""Lines of the child's traceback that are shown: its end."""

GROUPS = Path("/proc/self/cgroup")
MOUNT = Path("/sys/fs/cgroup")

_IMPORT = """
import pickle, sys
from multiprocessing import process, spawn
process.current_process()._inheriting = True  # no process is started from it, as from no child that starts
spawn.prepare(pickle.load(sys.stdin.buffer))
"""

ADVICE = (
    "Each process imports the program that started it. Do what must not happen there behind "
    '`if __name__ == "__main__":`, see that what it imports can be imported from anywhere, '
    'or use scheduler="threads"'
)


def start_failure(how: str, method: str) -> str:
    """The message about a process that ended before it was ready. how: it ended; method: how it was started."""
    text = "" if method == "fork" else _error_of_import()
    if not text:
        return f"a worker process could not be started: it {how} before it was ready"
    return f"a worker process could not be started: it {how} while it imported the program:\n\n{text}\n\n{ADVICE}"


def _error_of_import() -> str:
    """The end of what a child says that imports the program and fails; nothing if it does not fail."""
    facts = spawn.get_preparation_data("turgo-process")
    facts.pop("authkey", None)  # a child that talks to nobody needs none
    command = [spawn.get_executable(), *util._args_from_interpreter_flags(), "-c", _IMPORT]  # type: ignore[attr-defined]
    try:
        done = subprocess.run(
            command, input=pickle.dumps(facts), capture_output=True, timeout=IMPORT_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"{type(error).__name__}: {error}"
    if not done.returncode:
        return ""
    lines = done.stderr.decode(errors="replace").strip().splitlines()
    frames = [at for at, line in enumerate(lines) if "<frozen runpy>" in line]
    own = lines[frames[-1] + 1 :] if frames else lines  # of the program, without who imports it
    return "\n".join(own[-ERROR_LINES:])


def oom_kills(groups: Path = GROUPS, mount: Path = MOUNT) -> int | None:
    """How often it has done so; None where the system does not report it."""
    for file in _counters(groups, mount):
        try:
            lines = file.read_text().splitlines()
        except OSError:
            continue
        for line in lines:
            name, _, count = line.partition(" ")
            if name == "oom_kill" and count.strip().isdigit():
                return int(count)
    return None


def evidence(before: int | None, after: int | None) -> str:
    """What two counts say of a process that was killed between them, as the end of a sentence; empty for nothing."""
    if before is None or after is None or after <= before:
        return ""
    return ": the kernel has ended a process of this control group for lack of memory"


def _counters(groups: Path, mount: Path) -> Iterator[Path]:
    """The files that may hold the count: that of the group, then that of the mount's root, as in a container."""
    try:
        lines = groups.read_text().splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = (*line.split(":", 2), "", "")[:3]
        below = path.lstrip("/")
        if not controllers:
            yield from (mount / below / "memory.events", mount / "memory.events")
        elif "memory" in controllers.split(","):
            v1 = mount / "memory"
            yield from (v1 / below / "memory.oom_control", v1 / "memory.oom_control")
