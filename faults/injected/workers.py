"""Faults of workers and of the scheduler, from outside."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress

from faults.injected.fault import DASK, FAILED, PROCESSES, SUCCESS, USAGE, Fault, Moment, Scene
from faults.launch import Launch
from faults.processes import kill

LOST = frozenset({"Crashed", "TriggerFailed"})


class WorkerKill(Fault):
    """A worker gets SIGKILL, as by the kernel that is out of memory."""

    name = "worker killed"
    kinds = PROCESSES
    loses = True
    ends = frozenset({SUCCESS, FAILED})
    states = LOST

    def __init__(self, *args: object) -> None:
        super().__init__(*args)  # type: ignore[arg-type]
        self.moment = Moment.drawn(self.chance, 0.0, ("run",))

    def act(self, scene: Scene) -> None:
        if found := scene.workers():
            chosen = self.chance.choice(found)
            scene.lost.add(chosen)
            kill([chosen])


class AllKilled(WorkerKill):
    """All workers at once."""

    name = "all workers killed"

    def act(self, scene: Scene) -> None:
        found = scene.workers()
        scene.lost.update(found)
        kill(found)


class CrashLoop(WorkerKill):
    """Each worker that comes is killed soon, four times."""

    name = "workers in a crash loop"
    kinds = DASK
    seconds = 30.0
    times = 4
    again = 0.0

    def poll(self, scene: Scene) -> None:
        if self.times and self.moment.come(scene) and scene.driver.age > self.again:
            fresh = [pid for pid in scene.workers() if pid not in scene.lost]
            if fresh:
                self.note(scene)
                scene.lost.add(fresh[-1])
                kill(fresh[-1:])
                self.times -= 1
                self.again = scene.driver.age + self.chance.uniform(0.3, 1.5)


class WorkerStop(WorkerKill):
    """A worker stands still for a while: it is slow, or its machine swaps."""

    name = "worker stands still"
    loses = False
    ends = frozenset({SUCCESS})
    states = frozenset()
    seconds = 5.0
    quiet_seconds = 5.0

    def act(self, scene: Scene) -> None:
        if found := scene.workers():
            chosen = self.chance.choice(found)
            with suppress(ProcessLookupError):
                os.kill(chosen, signal.SIGSTOP)
                time.sleep(self.chance.uniform(0.2, 5.0))
            with suppress(ProcessLookupError):
                os.kill(chosen, signal.SIGCONT)


class LateWorkers(Fault):
    """Workers come only once there are calls, or more of them while they run."""

    name = "workers come late"
    kinds = DASK
    harms = True
    seconds = 20.0

    def prepare(self, launch: Launch) -> None:
        profile = launch.profile
        if self.kind == "temporary":
            profile["cluster_kwargs"]["n_workers"] = 0
            profile["adapt_kwargs"] = {"minimum": 0, "maximum": 2}

    def act(self, scene: Scene) -> None:
        if scene.cluster is not None:
            scene.cluster.more_workers()


class SchedulerLoss(Fault):
    """The scheduler of a cluster that runs gets SIGKILL, or stands still and does not come back."""

    name = "scheduler lost"
    kinds = ("running",)
    harms = True
    loses = True
    ends = frozenset({SUCCESS, FAILED, USAGE})  # as nothing runs, if it is lost before the start is over
    states = frozenset({"Crashed", "TriggerFailed", "Cancelled", "Failed", "Pending", "Running", "Retrying"})
    seconds = 60.0
    quiet_seconds = 20.0

    def __init__(self, *args: object) -> None:
        super().__init__(*args)  # type: ignore[arg-type]
        self.number = self.chance.choice([signal.SIGKILL, signal.SIGKILL, signal.SIGSTOP])

    def act(self, scene: Scene) -> None:
        if scene.cluster is not None:
            os.kill(scene.cluster.scheduler.pid, self.number)

    def close(self, scene: Scene) -> None:
        if scene.cluster is not None and self.done:
            kill([scene.cluster.scheduler.pid])


class NoScheduler(Fault):
    """Nobody listens at the address."""

    name = "no scheduler"
    kinds = ("running",)
    ends = frozenset({USAGE})
    states = frozenset({"Pending", "Cancelled"})
    pair = False

    def prepare(self, launch: Launch) -> None:
        launch.profile.update(address="tcp://127.0.0.1:9", start_timeout=3.0)


WORKERS: tuple[type[Fault], ...] = (
    WorkerKill,
    AllKilled,
    CrashLoop,
    WorkerStop,
    LateWorkers,
    SchedulerLoss,
    NoScheduler,
)
