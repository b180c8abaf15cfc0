"""Faults of the driver: signals at any moment."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from typing import ClassVar

from faults.broken import Broken
from faults.injected.fault import FAILED, INTERRUPTED, KILLED, SUCCESS, USAGE, Fault, Moment, Scene
from faults.launch import Launch

EARLY_SHARE = 0.7
"""Of the calls: with fewer begun, a run cannot be over before it hears of a signal."""

ELSEWHERE_SHARE = 0.3
"""Of the runs that go on, those that do so on the local executor."""

CANCELLED = frozenset({"Cancelled", "TriggerFailed", "Pending", "Running", "Retrying"})


class Signal(Fault):
    """One that the driver gets."""

    number: ClassVar[int]
    states = CANCELLED
    ends = frozenset({SUCCESS, INTERRUPTED, KILLED, FAILED})
    early = False

    def act(self, scene: Scene) -> None:
        with suppress(ProcessLookupError):
            if scene.driver.process.poll() is None:
                os.kill(scene.driver.pid, self.number)
                begun = (scene.launch.folder / "calls").read_bytes().count(b'["begin"')
                self.early = scene.begun > 0 and begun < EARLY_SHARE * scene.total

    @property
    def possible_ends(self) -> frozenset[str]:
        """It is heard: a run that had much to do does not end as if nothing had been."""
        return self.ends - {SUCCESS} if self.early and self.states else self.ends


class Kill(Signal):
    """Of which it hears nothing."""

    name = "SIGKILL"
    number = signal.SIGKILL
    ends = frozenset({SUCCESS, KILLED})


class Resumed(Kill):
    """SIGKILL, and then `turgo run --resume`, at times on another executor: what was finished is not done again."""

    name = "SIGKILL, then --resume"
    pair = False
    seconds = 30.0
    quiet_seconds = 20.0
    broken: Broken | None = None

    def __init__(self, *args: object) -> None:
        super().__init__(*args)  # type: ignore[arg-type]
        self.moment = Moment.drawn(self.chance, 1.0, ("start", "run", "run", "run", "end"))
        self.elsewhere = self.chance.random() < ELSEWHERE_SHARE

    def prepare(self, launch: Launch) -> None:
        launch.script = False
        for call in launch.program.calls():
            call["seconds"] *= 5
        if self.chance.random() < 0.5:
            for node in launch.program.nodes:
                node.options.pop("idempotent", None)
        if self.chance.random() < 0.5:
            launch.settings.append(f'journal.values = "{launch.folder / "values"}"')

    def act(self, scene: Scene) -> None:
        self.killed = time.monotonic()
        super().act(scene)

    @property
    def possible_ends(self) -> frozenset[str]:
        """Of the run that goes on, if there is one: it comes to its end, unless what may be made once may have run."""
        if self.broken is None:
            return frozenset({SUCCESS})
        if not self.broken.begun or self.over:  # there is nothing to go on with
            return frozenset({SUCCESS, USAGE})
        return frozenset({SUCCESS, FAILED}) if self.unsure else frozenset({SUCCESS})

    def go_on(self, scene: Scene, broken: Broken) -> None:
        """Before the second driver starts."""
        program = scene.launch.program
        self.broken, self.unsure = broken, broken.unsure(program.nodes)
        self.over = program.taken() <= broken.ended
        self.states = frozenset({"Crashed", "TriggerFailed"} if self.unsure else ())  # type: ignore[misc]
        scene.launch.go_on("local" if self.elsewhere else None)


class Interrupt(Signal):
    """As by Ctrl-C."""

    name = "SIGINT"
    number = signal.SIGINT
    # Python itself, before anything of ours, and while it imports the package: nobody can hear it there.
    user_errors = ("Fatal Python error: init_", "src/turgo/__init__.py")


class Twice(Interrupt):
    """Ctrl-C, and again soon after."""

    name = "SIGINT twice"

    def act(self, scene: Scene) -> None:
        super().act(scene)
        time.sleep(self.chance.uniform(0, 0.5))
        super().act(scene)


class Terminate(Signal):
    """As a scheduler of batch jobs sends it. A script that does not handle it is ended by it."""

    name = "SIGTERM"
    number = signal.SIGTERM


class HangUp(Signal):
    """As when its terminal goes away."""

    name = "SIGHUP"
    number = signal.SIGHUP


class Stop(Signal):
    """It stands still for a while, and goes on."""

    name = "SIGSTOP and SIGCONT"
    number = signal.SIGSTOP
    states = frozenset()
    ends = frozenset({SUCCESS})
    seconds = 4.0
    quiet_seconds = 4.0

    def act(self, scene: Scene) -> None:
        super().act(scene)
        time.sleep(self.chance.uniform(0.2, 4.0))
        with suppress(ProcessLookupError):
            os.kill(scene.driver.pid, signal.SIGCONT)


SIGNALS: tuple[type[Fault], ...] = (Kill, Resumed, Interrupt, Twice, Terminate, HangUp, Stop)
