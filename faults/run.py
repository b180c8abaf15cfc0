"""One run of the campaign: drawn from a seed, started, disturbed, and judged.

seed ──> kind, faults, program ──> driver ──> faults act ──> it ends ──> what is left ──> Result
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import attrs

from faults.broken import Broken
from faults.cluster import Cluster
from faults.injected.catalogue import drawn as drawn_faults
from faults.injected.fault import DASK, Fault, Scene
from faults.injected.signals import Resumed
from faults.injected.surroundings import CutNetwork
from faults.judge import COLUMNS, Facts, judged
from faults.kinds import CYCLE, profile
from faults.launch import TOO_LONG_SECONDS, Driver, Launch, lines
from faults.network import Network
from faults.processes import alive, kill, marked, until
from faults.program import drawn

POLL_SECONDS = 0.03

GONE_SECONDS = 15.0
"""How long after the end of a driver all that it has started may live."""

KNOWN = {
    *("flow.py", "plan.json", "turgo.toml", "calls", "once", "entered", "partial.json"),
    *("tmp", "state", "cache", "config", "site", "shm", "values", "disk", "odd"),
    *("out", "err", "out.first", "err.first", "facts.json", "facts.part"),
}
"""What may lie in the folder of a run."""

SILENT_SECONDS = 25.0
"""How long nothing may be said while nothing comes to its end."""


@attrs.define
class Result:
    """What came of a run. complaints: by column."""

    seed: int
    kind: str
    faults: list[str]
    end: str
    seconds: float
    acted: list[str]
    how: str
    complaints: dict[str, list[str]]


class Clusters:
    """The cluster that runs already, for one run after the other."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.current: Cluster | None = None
        self.count = 0

    def whole(self) -> Cluster:
        """The one that is there, or another one if it is not as it was."""
        if self.current is not None and not self.current.whole():
            self.drop()
        if self.current is None:
            self.current = self.new(None)
        return self.current

    def new(self, network: Network | None) -> Cluster:
        """One for a run of its own."""
        self.count += 1
        return Cluster(self.folder / f"cluster-{os.getpid()}-{self.count}", network)

    def drop(self) -> None:
        """Close it."""
        if self.current is not None:
            self.current.close()
            shutil.rmtree(self.current.folder, ignore_errors=True)
        self.current = None


def perform(
    seed: int, clusters: Clusters, folder: Path, *, kind: str | None, fault: str | None, patience: float
) -> Result:
    """The run of a seed."""
    return judged_facts(seed, clusters, folder, kind=kind, fault=fault, patience=patience)[0]


def turn_of(seed: int) -> int:
    """How many seeds below this one have its kind: the faults of a kind are taken in turn."""
    rounds, place = divmod(seed, len(CYCLE))
    return rounds * CYCLE.count(CYCLE[place]) + CYCLE[:place].count(CYCLE[place])


def judged_facts(
    seed: int, clusters: Clusters, folder: Path, *, kind: str | None, fault: str | None, patience: float
) -> tuple[Result, Facts]:
    """The same, with what it was judged by."""
    turn = seed if kind else turn_of(seed)
    kind = kind or CYCLE[seed % len(CYCLE)]
    chance = random.Random(f"{seed} {kind} {fault}")
    program = drawn(chance, str(folder))
    faults = drawn_faults(kind, turn, chance, fault)
    cluster: Cluster | None = None
    if kind == "running":
        own = any(isinstance(each, CutNetwork) for each in faults)
        cluster = clusters.new(Network()) if own else clusters.whole()
    launch = Launch(folder, program, profile(kind, chance, cluster and cluster.address))
    launch.script = chance.random() < 0.4
    launch.terminal = chance.random() < 0.25
    if launch.script and chance.random() < 0.5:
        launch.variables["LOUD"] = "1"
    if cluster is not None and cluster.network is not None:
        side = next(each.side for each in faults if isinstance(each, CutNetwork))
        launch.prefix = cluster.network.inside(side)
    for each in faults:
        each.prepare(launch)
    launch.write()
    total = len(program.taken())
    ports = cluster.ports() if cluster else {}
    scene = Scene(Driver(launch), launch, kind, cluster, total)
    complaints: dict[str, list[str]] = {column: [] for column in COLUMNS}
    seconds = 0.0
    try:
        _watch(scene, faults, complaints, patience)
        _look_after(scene, ports, complaints, patience)
        seconds = scene.driver.age
        for each in faults:
            if isinstance(each, Resumed) and scene.driver.process.returncode == -signal.SIGKILL:
                _go_on(scene, each, patience)
                _watch(scene, faults, complaints, patience)
                _look_after(scene, ports, complaints, patience)
                seconds += scene.driver.age
    finally:
        for each in faults:
            each.close(scene)
        kill([each.pid for each in marked(str(folder))])
        if kind == "running" and cluster is not None:
            if cluster is not clusters.current:
                cluster.close()
            elif any(each.harms for each in faults):
                clusters.drop()
    facts = Facts.of(scene, faults, scene.driver.process.returncode)
    for column, sentence in judged(facts):
        complaints[column].append(sentence)
    result = Result(
        seed,
        kind,
        [each.name for each in faults],
        facts.end,
        round(seconds, 1),
        scene.acted,
        _how(launch),
        {column: found for column, found in complaints.items() if found},
    )
    return result, facts


def _how(launch: Launch) -> str:
    words = ["script" if launch.script else "turgo run"]
    words += ["on a terminal"] * launch.terminal + ["with loud logging"] * ("LOUD" in launch.variables)
    return " ".join(words)


def _watch(scene: Scene, faults: Sequence[Fault], complaints: dict[str, list[str]], patience: float) -> None:
    """Let the faults act until the driver has ended, or is ended as it takes too long."""
    process, folder = scene.driver.process, scene.launch.folder
    most = (TOO_LONG_SECONDS + sum(each.seconds for each in faults)) * patience
    silent = (SILENT_SECONDS + sum(each.quiet_seconds for each in faults)) * patience
    said, since, longest = -1, time.monotonic(), 0.0
    while process.poll() is None:
        written = (folder / "calls").read_bytes()
        scene.begun, scene.ended = written.count(b'["begin"'), written.count(b'["end"')
        for each in faults:
            each.poll(scene)
        now = len(written) + (folder / "err").stat().st_size
        if now != said:
            said, since = now, time.monotonic()
        longest = max(longest, time.monotonic() - since)
        if scene.driver.age > most:
            complaints["lost"].append(f"it had not ended after {most:.0f} s")
            with suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGABRT)  # which prints where each thread is
            time.sleep(1.0)
            process.kill()
            process.wait()
        time.sleep(POLL_SECONDS)
    if longest > silent:
        complaints["silent"].append(f"nothing was said for {longest:.0f} s")


def _go_on(scene: Scene, resumed: Resumed, patience: float) -> None:
    """Start a second driver that goes on; nothing of the first one is there any more."""
    remote = scene.kind in DASK and not any("journal.values" in each for each in scene.launch.settings)
    scene.lost.add(scene.driver.pid)
    scene.broken = Broken.of(scene.launch, resumed.killed, patience, remote=remote)
    resumed.go_on(scene, scene.broken)
    scene.driver = Driver(scene.launch)


def _look_after(
    scene: Scene, ports: dict[int, set[str]], complaints: dict[str, list[str]], patience: float
) -> None:
    """See what is left once the driver has ended."""
    folder = scene.launch.folder
    if not until(lambda: not marked(str(folder)), GONE_SECONDS * patience):
        left = [f"{each.pid} {each.command[:80]}" for each in marked(str(folder))]
        complaints["left behind"].append(f"processes: {left}")
    if not until(lambda: not _files(scene.launch), GONE_SECONDS * patience):
        complaints["left behind"].append(f"temporary files: {_files(scene.launch)}")
    born = [int(key) for word, key, *_ in lines(folder / "calls") if word == "started"]
    born += [pid for word, _, pid, _ in lines(folder / "calls") if word == "child"]
    if not until(lambda: not any(map(alive, born)), GONE_SECONDS * patience):
        complaints["left behind"].append(f"what calls have started: {[pid for pid in born if alive(pid)]}")
    shared = folder / "shm"
    if not until(lambda: not any(shared.iterdir()), GONE_SECONDS * patience):
        left = sorted(each.name for each in shared.iterdir())
        complaints["left behind"].append(f"in shared memory: {left}")
    if strays := {each.name for each in folder.iterdir()} - KNOWN:
        complaints["left behind"].append(f"beside the flow: {sorted(strays)}")
    if scene.driver.modes_changed() and scene.driver.process.returncode != -signal.SIGKILL:
        complaints["left behind"].append("a terminal in another mode")
    if scene.cluster is not None and not until(lambda: not scene.cluster.left(), GONE_SECONDS * patience):  # type: ignore[union-attr]
        complaints["left behind"].append(f"at the cluster: {scene.cluster.left()}")
    if scene.cluster is not None and not until(lambda: not _opened(scene.cluster, ports), GONE_SECONDS):
        complaints["left behind"].append(f"ports of the cluster: {_opened(scene.cluster, ports)}")


def _opened(cluster: Cluster | None, before: dict[int, set[str]]) -> list[str]:
    """The ports that processes of the cluster have opened since."""
    now = cluster.ports() if cluster else {}
    return [f"{port} of {pid}" for pid in before for port in now.get(pid, set()) - before[pid]]


def _files(launch: Launch) -> list[str]:
    return sorted(each.name for each in launch.temporary.iterdir())


def as_data(result: Result) -> dict[str, Any]:
    """For a line of JSON."""
    return attrs.asdict(result)
