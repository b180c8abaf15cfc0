"""`Launch`: how the driver of one run is started, and what of it is watched.

folder/   flow.py  plan.json  turgo.toml         what the user has written
          calls  once/                           what calls write down
          tmp/  state/  cache/  config/          the driver's own places
          out  err  facts.json                   what it says, and the observer's record
          site/                                  an installed distribution with the observer
          shm/                                   its shared memory, as root
"""

from __future__ import annotations

import json
import os
import pty
import resource
import shutil
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

import attrs

from faults.kinds import toml
from faults.processes import MARK
from faults.program import Program

HERE = Path(__file__).parent

TOO_LONG_SECONDS = 90.0
"""How long a run may take, on a machine that has much else to do."""


@attrs.define
class Launch:
    """What faults may change before the driver starts.

    script: `python flow.py` instead of `turgo run`; terminal: whether the driver is on a terminal of its own;
    limits: of its resources; closed: its standard streams that are closed; prefix: of its command; more:
    of its arguments.
    """

    folder: Path
    program: Program
    profile: dict[str, Any]
    script: bool = False
    terminal: bool = False
    settings: list[str] = attrs.field(factory=list)
    limits: dict[int, int] = attrs.field(factory=dict)
    closed: tuple[int, ...] = ()
    gone_reader: bool = False
    prefix: tuple[str, ...] = ()
    variables: dict[str, str] = attrs.field(factory=dict)
    places: dict[str, Path] = attrs.field(factory=dict)
    more: tuple[str, ...] = ()

    def write(self) -> None:
        """All files of the run."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for name in ("once", "tmp", "state", "cache", "config", "shm"):
            (self.folder / name).mkdir(exist_ok=True)
        (self.folder / "shm").chmod(0o1777)
        shutil.copy(HERE / "flow.py", self.folder / "flow.py")
        (self.folder / "plan.json").write_text(json.dumps(self.program.plan()))
        options = [f"{key} = {toml(value)}" for key, value in self.profile.items()]
        lines = ['executor = "faulty"', *self.settings, "[executors.faulty]", *options, ""]
        (self.folder / "turgo.toml").write_text("\n".join(lines))
        (self.folder / "calls").touch()
        self._install_observer()

    def _install_observer(self) -> None:
        site = self.folder / "site"
        facts = site / "turgo_faults-1.0.dist-info"
        facts.mkdir(parents=True)
        shutil.copy(HERE / "observer.py", site / "turgo_faults_observer.py")
        (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: turgo-faults\nVersion: 1.0\n")
        (facts / "entry_points.txt").write_text("[turgo.observers]\nfaults = turgo_faults_observer\n")

    def go_on(self, executor: str | None) -> None:
        """The next driver goes on with what this one did not finish. executor: another one."""
        for name in ("out", "err"):
            (self.folder / name).replace(self.folder / f"{name}.first")
        (self.folder / "facts.json").unlink(missing_ok=True)
        self.more = ("--resume", *(("--executor", executor) if executor else ()))

    def command(self) -> list[str]:
        """What the user types; as root, with shared memory of its own, so that it is seen what is left there."""
        prefix = (*self.prefix, *self._own_memory())
        if self.script:
            return [*prefix, sys.executable, "flow.py"]
        quiet = [] if self.terminal else ["-q"]
        return [*prefix, sys.executable, "-m", "turgo", "run", *quiet, "flow.py", *self.more]

    def _own_memory(self) -> tuple[str, ...]:
        if os.geteuid() or not shutil.which("unshare"):
            return ()
        mount = 'mount --bind "$0" /dev/shm && exec "$@"'
        return ("unshare", "--mount", "sh", "-c", mount, str(self.folder / "shm"))

    def environment(self) -> dict[str, str]:
        """The variables of the driver: no settings of the user's who starts the campaign."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("TURGO_", "DASK_"))}
        places = {"TMPDIR": "tmp", "XDG_STATE_HOME": "state", "XDG_CACHE_HOME": "cache"}
        places["XDG_CONFIG_HOME"] = "config"
        own = {name: str(self.places.get(name, self.folder / place)) for name, place in places.items()}
        return {
            **kept,
            **own,
            MARK: str(self.folder),
            "PYTHONPATH": os.pathsep.join([str(self.folder / "site"), os.environ.get("PYTHONPATH", "")]),
            "PYTHONFAULTHANDLER": "1",
            **self.variables,
        }

    @property
    def temporary(self) -> Path:
        """Where the driver has its temporary files."""
        return self.places.get("TMPDIR", self.folder / "tmp")


class Driver:
    """The driver of a run, started."""

    def __init__(self, launch: Launch) -> None:
        self.launch = launch
        self.began = time.monotonic()
        self.modes: Any = None
        self._terminal: int | None = None
        with _streams(launch) as (stdin, stdout, stderr):
            if launch.terminal:
                self._terminal, theirs = pty.openpty()
                self.modes = termios.tcgetattr(theirs)
                self._theirs = theirs
                stdin, shown = theirs, stderr
                stderr = theirs
                reader = threading.Thread(target=_copy, args=(self._terminal, shown), daemon=True)
            self.process = subprocess.Popen(
                launch.command(),
                stdin=stdin,
                stdout=stdout,
                stderr=stderr,
                cwd=launch.folder,
                env=launch.environment(),
                preexec_fn=_before(launch),
            )
            if launch.terminal:
                reader.start()

    @property
    def pid(self) -> int:
        """Its process."""
        return self.process.pid

    @property
    def age(self) -> float:
        """Seconds since its start."""
        return time.monotonic() - self.began

    def modes_changed(self) -> bool:
        """Whether its terminal is another than before; then it is closed."""
        if self._terminal is None:
            return False
        changed = bool(termios.tcgetattr(self._theirs) != self.modes)
        os.close(self._theirs)
        with suppress(OSError):
            os.close(self._terminal)
        return changed


class _streams:  # noqa: N801  (a context manager)
    """The files that the driver's streams go to."""

    def __init__(self, launch: Launch) -> None:
        self.launch = launch

    def __enter__(self) -> tuple[int, Any, Any]:
        folder = self.launch.folder
        self.files: list[BinaryIO] = [(folder / "out").open("wb"), (folder / "err").open("wb", buffering=0)]
        out: Any = self.files[0]
        if self.launch.gone_reader:
            reader, writer = os.pipe()
            os.close(reader)
            out = os.fdopen(writer, "wb")
            self.files.append(out)
        return subprocess.DEVNULL, out, self.files[1]

    def __exit__(self, *_: object) -> None:
        kept = self.files[1] if self.launch.terminal else None
        for file in self.files:
            if file is not kept:
                file.close()


def _copy(terminal: int, file: BinaryIO) -> None:
    """Copy what is shown on a terminal to a file, until its last user is gone."""
    with suppress(OSError, ValueError):
        while data := os.read(terminal, 1 << 16):
            file.write(data)
    file.close()


def _before(launch: Launch) -> Callable[[], None]:
    """What the driver's process does before it becomes the driver."""

    def act() -> None:
        os.setsid()
        for which, value in launch.limits.items():
            resource.setrlimit(which, (value, value))
        for stream in launch.closed:
            os.close(stream)

    return act


def lines(file: Path) -> Iterator[list[Any]]:
    """What calls have written down so far."""
    for line in file.read_bytes().splitlines():
        with suppress(ValueError):  # one that is half written
            yield json.loads(line)
