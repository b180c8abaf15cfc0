"""Scheduler and workers in two networks, and the link between them cut."""

from __future__ import annotations

import json
import select
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

NEAR = "10.99.0.1"
FAR = "10.99.0.2"
SECONDS = 75.0
"""How long both runs may take after the cut, of which 12 are the time that TCP waits for an answer."""


@pytest.mark.timeout(180)
def test_a_link_that_is_cut(cluster: Any, tools: Any) -> None:
    """The run of a driver beside the scheduler loses what the far worker held, makes that again and ends right; the run
    of a driver on the far side ends with an error. Neither hangs.
    """
    tools.need("ip")
    with tools.part("link.sh") as ends:
        near, far = (("nsenter", "--target", ends[side], "--net") for side in ("NEAR", "FAR"))
        for kind in ("TCP", "CONNECT"):
            cluster.variables[f"DASK_DISTRIBUTED__COMM__TIMEOUTS__{kind}"] = "12s"
        address = cluster.scheduler(host=NEAR, before=near)
        threads = ("--nthreads", "4")  # so that a gate that waits keeps nothing else from running
        cluster.worker("--name", "near", *threads, host=NEAR, before=near)
        cluster.worker("--name", "far", *threads, host=FAR, before=far)
        cluster.configure("running", {"address": address, "scheduler_timeout": 10.0})
        drivers = []
        try:
            for side in (near, far):
                folder = cluster.folder / f"{len(drivers)}"
                folder.mkdir()
                cluster.before = side
                drivers.append(cluster.driver("cut.py", "cluster", str(folder)))
            for driver in drivers:
                ready, _, _ = select.select([driver.stdout], [], [], 60)
                assert ready, "the pieces are not made within 60 s"
                assert driver.stdout.readline() == "made\n", driver.communicate()[1]
            began = time.monotonic()
            subprocess.run([*far, "ip", "link", "set", "far", "down"], check=True, timeout=20)
            for number in range(len(drivers)):
                (cluster.folder / str(number) / "cut").touch()
            said = []
            for driver, name in zip(drivers, ("near", "far"), strict=True):
                said.append(driver.communicate(timeout=max(1.0, SECONDS - time.monotonic() + began)))
                print(f"the {name} driver ended {time.monotonic() - began:.0f} s after the cut:", *said[-1])
        finally:
            for driver in drivers:
                driver.kill()
                driver.communicate()
        facts = json.loads(said[0][0])
        assert facts["state"] == "Success", said
        assert facts["result"] == sum(number * 100_000 for number in range(12))
        _only_lost_pieces_again(cluster.folder / "0")
        assert drivers[1].returncode == 1 or json.loads(said[1][0])["state"] == "Failed", said


def _only_lost_pieces_again(folder: Path) -> None:
    """A piece was made again only if the worker on the far side had made it."""
    made = [file.read_text().split() for file in sorted(folder.glob("make-*"))]
    assert len(made) == 12
    again = [each for each in made if len(each) > 1]
    assert again and all(len(each) == 2 for each in again), made
    assert not {each[0] for each in again} & {each[1] for each in again}, made
