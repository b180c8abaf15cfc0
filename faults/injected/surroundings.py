"""Faults of what is around the driver: disks, limits, streams, paths, the network."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import ClassVar

from faults.injected.fault import DASK, FAILED, SUCCESS, USAGE, Fault, Moment, Scene
from faults.injected.signals import CANCELLED
from faults.launch import Launch

ANY = frozenset({SUCCESS, FAILED, USAGE})
STATES = CANCELLED | {"Failed", "Crashed"}


class Limit(Fault):
    """The driver, and what it starts, has little of something."""

    which: ClassVar[int]
    ends = ANY
    states = STATES
    loses = True
    pair = False
    least: ClassVar[dict[str, int]] = {}

    def prepare(self, launch: Launch) -> None:
        launch.limits[self.which] = self.amount()

    def amount(self) -> int:
        """How much it has."""
        raise NotImplementedError


class Descriptors(Limit):
    """Files and sockets are opened until no more can be."""

    name = "descriptors exhausted"
    which = resource.RLIMIT_NOFILE

    def amount(self) -> int:
        least, most = {"temporary": (60, 140), "running": (30, 80)}.get(self.kind, (24, 48))
        return self.chance.randint(least, most)


class FileSize(Limit):
    """No file may become large: the journal and the values in it cannot be written."""

    name = "file size limited"
    which = resource.RLIMIT_FSIZE

    def amount(self) -> int:
        return self.chance.choice([20_000, 60_000, 200_000])


class FullDisk(Fault):
    """The disk with temporary files, journal and cache is full from some moment on."""

    name = "disk full"
    root = True
    ends = ANY
    states = STATES
    loses = True

    def prepare(self, launch: Launch) -> None:
        self.disk = launch.folder / "disk"
        self.disk.mkdir(parents=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(self.disk)], check=True)
        for variable, name in (("TMPDIR", "tmp"), ("XDG_STATE_HOME", "state"), ("XDG_CACHE_HOME", "cache")):
            place = self.disk / name
            place.mkdir()
            launch.places[variable] = place

    def act(self, scene: Scene) -> None:
        with suppress(OSError), (self.disk / "filling").open("wb", buffering=0) as file:
            while True:
                file.write(bytes(1 << 16))

    def close(self, scene: Scene) -> None:
        scene.launch.places.clear()
        shutil.copytree(self.disk / "tmp", scene.launch.folder / "tmp", dirs_exist_ok=True)
        subprocess.run(["umount", "--lazy", str(self.disk)], check=False)


class ClosedStreams(Fault):
    """The driver is started without some of its standard streams, as by a daemon."""

    name = "streams closed"

    def prepare(self, launch: Launch) -> None:
        launch.terminal = False
        launch.script = False
        launch.closed = tuple(sorted(self.chance.sample([0, 1, 2], self.chance.randint(1, 3))))


class GoneReader(Fault):
    """Nobody reads what it prints."""

    name = "reader gone"
    ends = frozenset({SUCCESS, FAILED})

    def prepare(self, launch: Launch) -> None:
        launch.terminal = launch.script = False
        launch.gone_reader = True


class OddPaths(Fault):
    """Cache and journal are to lie where they cannot."""

    name = "odd paths"
    ends = ANY

    def prepare(self, launch: Launch) -> None:
        launch.folder.mkdir(parents=True, exist_ok=True)
        for node in launch.program.nodes:
            if node.options.get("idempotent") is None and node.kind == "map":
                node.options["cache_key"] = "inputs"
        place = launch.folder / "odd"
        how = self.chance.choice(["pipe", "loop", "file", "long", "link", "nul"])
        if how == "pipe":
            os.mkfifo(place)
        elif how == "loop":
            place.symlink_to(place)
        elif how == "file":
            place.write_bytes(b"not a folder")
        elif how == "link":
            place.symlink_to(launch.folder / "nowhere")
        text = {"long": f"{place}{'x' * 300}", "nul": f"{place}\\u0000x"}.get(how, str(place))
        key = self.chance.choice(["cache.url", "journal.folder", "journal.values"])
        launch.settings.append(f'{key} = "{text}"')


class CutNetwork(Fault):
    """The link to half of the workers is cut, or that between the driver and all of them."""

    name = "network cut"
    kinds = ("running",)
    root = True
    harms = True
    loses = True
    pair = False
    ends = frozenset({SUCCESS, FAILED})
    states = STATES
    seconds = 90.0
    quiet_seconds = 40.0

    def __init__(self, *args: object) -> None:
        super().__init__(*args)  # type: ignore[arg-type]
        self.moment = Moment.drawn(self.chance, 0.0, ("run",))
        self.side = self.chance.choice(["near", "far"])

    def act(self, scene: Scene) -> None:
        network = scene.cluster.network  # type: ignore[union-attr]
        far = network.identity("far")
        scene.lost.update(pid for pid in scene.workers() if _network_of(pid) == far)
        network.cut()


def _network_of(pid: int) -> str:
    try:
        return str(Path(f"/proc/{pid}/ns/net").readlink())
    except OSError:
        return ""


class Unsatisfiable(Fault):
    """Calls ask for what no worker has."""

    name = "resources that nobody has"
    kinds = DASK
    ends = frozenset({FAILED})
    states = frozenset({"Failed", "Crashed", "Cancelled", "TriggerFailed"})
    seconds = 20.0

    def prepare(self, launch: Launch) -> None:
        launch.profile["resources_timeout"] = 3.0
        node = self.chance.choice(launch.program.nodes)
        node.options["tags"] = ["dask-resource:GPU=1"]


SURROUNDINGS: tuple[type[Fault], ...] = (
    Descriptors,
    FileSize,
    FullDisk,
    ClosedStreams,
    GoneReader,
    OddPaths,
    CutNetwork,
    Unsatisfiable,
)
