"""`Fault`: something that goes wrong in a run, when it does, and what a run may come to by it.

prepare(launch)     before the driver starts: the plan, limits, streams, places
poll(scene)         again and again while it runs: acts once its moment has come
close(scene)        after its end, whatever happened
"""

from __future__ import annotations

import random
from typing import Any, ClassVar

import attrs

from faults.broken import Broken
from faults.cluster import Cluster
from faults.launch import Driver, Launch
from faults.processes import workers

SUCCESS, FAILED, USAGE, INTERRUPTED, KILLED = "success", "failed", "usage", "interrupted", "killed"
"""What a run may come to, by its exit code; usage is that nothing ran, killed is by a signal that nobody handles."""

EVERYWHERE = ("local", "threads", "processes", "temporary", "running", "simulated")
PROCESSES = ("processes", "temporary", "running")
DASK = ("temporary", "running")


@attrs.define
class Scene:
    """The run as a fault sees it. lost: ids of processes whose calls may go again; total: calls that are to be made.

    broken: what a first driver left, if this is the second."""

    driver: Driver
    launch: Launch
    kind: str
    cluster: Cluster | None
    total: int
    begun: int = 0
    ended: int = 0
    lost: set[int] = attrs.field(factory=set)
    broken: Broken | None = None
    acted: list[str] = attrs.field(factory=list)

    def workers(self) -> list[int]:
        """The worker processes of this run."""
        if self.cluster is not None:
            return self.cluster.workers()
        return workers(str(self.launch.folder))


@attrs.define
class Moment:
    """A moment of the start, of the run or of its end."""

    phase: str
    seconds: float
    share: float
    _since: float | None = None

    @classmethod
    def drawn(
        cls, chance: random.Random, start_seconds: float, phases: tuple[str, ...] = ("start", "run", "end")
    ) -> Moment:
        """Some moment."""
        phase = chance.choice(phases)
        seconds = chance.uniform(0, start_seconds) if phase == "start" else chance.uniform(0, 0.4)
        return cls(phase, seconds, chance.random())

    def come(self, scene: Scene) -> bool:
        """Whether it is there."""
        if self.phase == "start":
            return scene.driver.age >= self.seconds
        if scene.begun < (1 + int(self.share * scene.total) if self.phase == "run" else scene.total):
            return False
        if self._since is None:
            self._since = scene.driver.age
        return scene.driver.age - self._since >= (0 if self.phase == "run" else self.seconds)


class Fault:
    """One that does nothing: a run that nothing happens to. `states` are those that task runs may have by it.

    loses: whether workers are lost by it; harms: whether a cluster that runs is not to be used again; root: whether
    it needs to be root; pair: whether another one may come beside it. seconds: how much longer a run may take.
    """

    name: ClassVar[str] = "nothing"
    kinds: ClassVar[tuple[str, ...]] = EVERYWHERE
    ends: ClassVar[frozenset[str]] = frozenset({SUCCESS})
    states: ClassVar[frozenset[str]] = frozenset()
    loses: ClassVar[bool] = False
    harms: ClassVar[bool] = False
    root: ClassVar[bool] = False
    pair: ClassVar[bool] = True
    seconds: ClassVar[float] = 0.0
    quiet_seconds: ClassVar[float] = 0.0
    user_errors: ClassVar[tuple[str, ...]] = ()
    """Parts of lines on standard error that are the user's own doing."""

    def __init__(self, chance: random.Random, kind: str, start_seconds: float) -> None:
        self.chance = chance
        self.kind = kind
        self.moment = Moment.drawn(chance, start_seconds)
        self.done = False

    def prepare(self, launch: Launch) -> None:
        """Nothing."""

    def poll(self, scene: Scene) -> None:
        """Act when the moment has come."""
        if not self.done and self.moment.come(scene):
            self.done = True
            self.note(scene)
            self.act(scene)

    def note(self, scene: Scene) -> None:
        """Write down that it acts now."""
        scene.acted.append(f"{self.name} at {scene.driver.age:.2f} s, {scene.begun} calls begun")

    def act(self, scene: Scene) -> None:
        """Nothing."""

    def close(self, scene: Scene) -> None:
        """Nothing."""

    @property
    def possible_ends(self) -> frozenset[str]:
        """What the run may come to by it, once it is prepared."""
        return self.ends

    def failures(self) -> dict[str, str]:
        """The keys of calls that have to fail, and the state that each is to have."""
        return {}


def some_calls(launch: Launch, chance: random.Random, most: int, **wanted: Any) -> list[dict[str, Any]]:
    """Calls of the program that nothing was planned for; wanted: values of keys that they need to have."""
    taken = launch.program.taken()
    free = [
        call
        for node in launch.program.nodes
        for call in node.calls
        if call["key"] in taken
        and not call["act"]
        and all(node.options.get(name) == value for name, value in wanted.items())
    ]
    return chance.sample(free, min(most, len(free)))
