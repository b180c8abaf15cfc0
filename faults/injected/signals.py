"""Faults of the driver: signals at any moment."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from typing import ClassVar

from faults.injected.fault import FAILED, INTERRUPTED, KILLED, SUCCESS, Fault, Scene

CANCELLED = frozenset({"Cancelled", "TriggerFailed", "Pending", "Running", "Retrying"})


class Signal(Fault):
    """One that the driver gets."""

    number: ClassVar[int]
    states = CANCELLED
    ends = frozenset({SUCCESS, INTERRUPTED, KILLED, FAILED})

    def act(self, scene: Scene) -> None:
        with suppress(ProcessLookupError):
            if scene.driver.process.poll() is None:
                os.kill(scene.driver.pid, self.number)


class Kill(Signal):
    """Of which it hears nothing."""

    name = "SIGKILL"
    number = signal.SIGKILL
    ends = frozenset({SUCCESS, KILLED})


class Interrupt(Signal):
    """As by Ctrl-C."""

    name = "SIGINT"
    number = signal.SIGINT


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


SIGNALS: tuple[type[Fault], ...] = (Kill, Interrupt, Twice, Terminate, HangUp, Stop)
