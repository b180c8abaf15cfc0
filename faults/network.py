"""`Network`: two networks joined by a link, which can be cut. It needs to be root, and Debian's iproute2."""

from __future__ import annotations

import subprocess
from pathlib import Path

SCRIPT = Path(__file__).parents[1] / "plugins/dask/tests/clusters/link.sh"

NEAR, FAR = "10.99.0.1", "10.99.0.2"


class Network:
    """Up when it is made, down after `close`."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            ["sh", str(SCRIPT)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        said = []
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.strip() == "ready":
                break
            said.append(line.strip())
        else:
            raise RuntimeError(f"no network: {said}")
        self.ids = dict(line.split("=", 1) for line in said)

    def inside(self, side: str) -> tuple[str, ...]:
        """What a command on that side begins with."""
        return ("nsenter", "--target", self.ids[side.upper()], "--net")

    def identity(self, side: str) -> str:
        """As its processes have it."""
        return str(Path(f"/proc/{self.ids[side.upper()]}/ns/net").readlink())

    def cut(self) -> None:
        """From now on nothing passes."""
        subprocess.run([*self.inside("far"), "ip", "link", "set", "far", "down"], check=True, timeout=20)

    def close(self) -> None:
        """Take it down."""
        self.process.communicate(timeout=60)
