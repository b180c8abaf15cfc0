"""Faults of calls: what a user's function does that it should not."""

from __future__ import annotations

import socket
from contextlib import suppress
from typing import ClassVar

from faults.injected.fault import (
    DASK,
    EVERYWHERE,
    FAILED,
    INTERRUPTED,
    PROCESSES,
    SUCCESS,
    Fault,
    Scene,
    some_calls,
)
from faults.injected.signals import Interrupt
from faults.launch import Launch
from faults.processes import listening
from faults.program import Node


class Act(Fault):
    """Some calls do something besides. amounts: of what; most: how many calls; first: only once."""

    act_name: ClassVar[str]
    amounts: ClassVar[tuple[int, ...]] = (1,)
    most: ClassVar[int] = 3
    first: ClassVar[bool] = True

    def prepare(self, launch: Launch) -> None:
        self.calls = some_calls(launch, self.chance, self.chance.randint(1, self.most), **self.wanted())
        for call in self.calls:
            call["act"] = [self.act_name, self.chance.choice(self.amounts), self.first]

    def wanted(self) -> dict[str, object]:
        """What the calls need to be."""
        return {"idempotent": None}

    def poll(self, scene: Scene) -> None:
        """They do it by themselves."""


class Exit(Act):
    """A call ends its worker, once."""

    name = "call ends its worker"
    kinds = PROCESSES
    act_name = "exit"
    amounts = (0, 1, 3)
    loses = True
    most = 2
    states = frozenset({"Crashed", "TriggerFailed"})

    @property
    def possible_ends(self) -> frozenset[str]:
        """Of two in one batch the second may have ended both workers, for all that is known then."""
        return frozenset({SUCCESS, FAILED} if len(self.calls) > 1 else {SUCCESS})


class Killer(Act):
    """A call ends its worker each time, and is found: it alone is Crashed, and costs two workers."""

    name = "call ends each worker"
    kinds = PROCESSES
    act_name = "exit"
    most = 1
    first = False
    loses = True
    ends = frozenset({FAILED})
    states = frozenset({"Crashed", "TriggerFailed"})

    def failures(self) -> dict[str, str]:
        return {call["key"]: "Crashed" for call in self.calls}


class UnsafeKiller(Killer):
    """A call that may be made once ends its worker: it is Crashed, and not made again."""

    name = "call made once ends its worker"

    def wanted(self) -> dict[str, object]:
        return {"idempotent": False}

    @property
    def possible_ends(self) -> frozenset[str]:
        """There may be no such call in a program."""
        return frozenset({FAILED}) if self.calls else frozenset({SUCCESS})


class Memory(Act):
    """A call takes more memory than its worker may have, and the nanny kills it."""

    name = "out of memory"
    kinds = DASK
    act_name = "allocate"
    amounts = (900,)
    most = 1
    loses = True
    seconds = 30.0
    quiet_seconds = 20.0

    def prepare(self, launch: Launch) -> None:
        super().prepare(launch)
        if self.kind == "temporary":
            launch.profile["cluster_kwargs"]["memory_limit"] = "500MB"


class Fork(Act):
    """A call forks, and its child comes back from it."""

    name = "forked child comes back"
    kinds = EVERYWHERE
    act_name = "fork"
    amounts = (0, 1, 2)
    user_errors = (
        "a process that a call had forked came back",
        "multi-threaded",
        "self.pid = os.fork()",
        "os.fork() == 0",
    )

    def __init__(self, *args: object) -> None:
        super().__init__(*args)  # type: ignore[arg-type]
        if self.kind in ("local", "simulated"):
            self.amounts = (0,)  # type: ignore[misc]


class Starts(Act):
    """A call starts a process that goes on; on a temporary cluster it ends with its worker, whichever way that ends."""

    name = "call leaves a process"
    kinds = ("temporary",)
    act_name = "start"


class Flood(Act):
    """A call logs or prints a lot."""

    name = "flood of lines"
    act_name = "log"
    amounts = (500, 5000)
    most = 2
    seconds = 20.0
    user_errors = ("line ", "x" * 100)

    def prepare(self, launch: Launch) -> None:
        super().prepare(launch)
        for call in self.calls:
            call["act"][0] = self.chance.choice(["log", "print"])


class Stuck(Act):
    """A call waits in C for ever, and has a timeout, which is hard here."""

    name = "stuck in C"
    kinds = ("processes", "temporary")
    act_name = "wait"
    amounts = (1000,)
    loses = True
    ends = frozenset({FAILED})
    states = frozenset({"TimedOut", "TriggerFailed"})
    seconds = 20.0
    quiet_seconds = 10.0

    def prepare(self, launch: Launch) -> None:
        call = {**launch.program.nodes[0].calls[0], "key": "stuck-0", "fails": 0, "size": 0}
        call["act"] = [self.act_name, 1000, False]
        launch.program.nodes.append(Node("stuck", "map", [call], [], {"timeout": 1.0}))
        self.calls = [call]

    def failures(self) -> dict[str, str]:
        return {"stuck-0": "TimedOut"}


class Failures(Fault):
    """Five hundred calls fail at once."""

    name = "500 failures at once"
    ends = frozenset({FAILED})
    states = frozenset({"Failed", "TriggerFailed"})
    user_errors = ("fails",)
    seconds = 20.0
    error = "fail"
    width = 500

    def prepare(self, launch: Launch) -> None:
        like = {**launch.program.nodes[0].calls[0], "fails": 0, "size": 0, "seconds": 0.0}
        calls = [
            {**like, "key": f"failing-{number}", "act": [self.error, 0, False]}
            for number in range(self.width)
        ]
        launch.program.nodes.append(Node("failing", "map", calls))

    def poll(self, scene: Scene) -> None:
        """They fail by themselves."""

    def failures(self) -> dict[str, str]:
        return {f"failing-{number}": "Failed" for number in range(self.width)}


class OddErrors(Failures):
    """Errors that cannot be pickled."""

    name = "errors that cannot be pickled"
    error = "odd error"
    width = 5


class Swallowed(Interrupt):
    """Ctrl-C while calls are made that swallow its KeyboardInterrupt."""

    name = "swallowed Ctrl-C"
    ends = frozenset({SUCCESS, INTERRUPTED, FAILED})
    act_name = "swallow"

    def __init__(self, *args: object) -> None:
        super().__init__(*args)  # type: ignore[arg-type]
        self.moment.phase = "run"

    def prepare(self, launch: Launch) -> None:
        for call in some_calls(launch, self.chance, 20):
            call["act"] = [self.act_name, 0, True]


class Finalized(Swallowed):
    """Ctrl-C while something is finalized, where Python loses the error that it raises."""

    name = "Ctrl-C in a finalizer"
    user_errors = (*Swallowed.user_errors, "Exception ignored in", "__del__", "in finalizes", "in receive")
    act_name = "finalize"


class Datagrams(Fault):
    """Anybody sends what he likes to the ports of loopback on which the driver hears datagrams."""

    name = "datagrams of a stranger"
    kinds = ("temporary", "processes")

    def act(self, scene: Scene) -> None:
        ports = [int(port.split()[1]) for port in listening(scene.driver.pid) if port.startswith("udp ")]
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            for port in ports:
                for size in (0, 1, 100, 10000):
                    with suppress(OSError):
                        sender.sendto(self.chance.randbytes(size), ("127.0.0.1", port))
                for text in (b"{}", b"[]", b'{"key": 1}', b"null"):
                    sender.sendto(text, ("127.0.0.1", port))


CALLS: tuple[type[Fault], ...] = (
    Exit,
    Killer,
    UnsafeKiller,
    Memory,
    Fork,
    Starts,
    Flood,
    Stuck,
    Failures,
    OddErrors,
    Swallowed,
    Finalized,
    Datagrams,
)
