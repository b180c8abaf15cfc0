"""An interrupt that a call cannot absorb. One that the call swallows comes again.

    raised in the call ──> it ends                                                        nearly always
          ├── swallowed (`except: pass`): nobody holds the error any more ──> raised again at the next line of the call
          └── kept, or a `finally` that runs for long ──> raised again after a while, in the handler's first line too

An error that the call swallows is freed, and its finalizer says so. The next line is caught by a trace function, which
takes the place of a debugger's until the call is over. What runs in C is interrupted when it comes back to Python.
"""

from __future__ import annotations

import sys
import threading
from functools import cached_property
from types import FrameType
from typing import Any, NoReturn, Self

INTERRUPT_REPEAT_SECONDS = 1.0
"""Seconds after which an interrupt is raised again in a call that has not ended."""


class Expired(BaseException):
    """Raised inside a call whose time is up. No Exception, so that `except Exception` in a task lets it through.

    propagates: whether it has not yet left the call whose time it was; it then ends what that call runs, a flow too.
    """

    def __init__(self, seconds: float | None = None, propagates: bool = True) -> None:
        super().__init__(seconds)
        self.propagates = propagates


class Interrupt:
    """Interrupts one call, which runs inside of it. kind: the class of the errors that it raises there, each a new one.

    Its methods belong to the thread of the call. In another thread `kind` may be raised there by the interpreter.
    """

    def __init__(self, seconds: float | None) -> None:
        self.raised = 0
        self.seconds = seconds
        self._over = True
        self._thread = 0
        self._boundary: FrameType | None = None
        self._debugger: Any = None
        self._traced: list[tuple[FrameType, Any]] = []

    def __enter__(self) -> Self:
        """The call begins in the caller's frame. Once it is over nothing is raised any more but by `ring`."""
        self._thread = threading.get_ident()
        self._boundary = sys._getframe(1)
        self._debugger = sys.gettrace()
        self._over = False
        return self

    def __exit__(self, *error: object) -> None:
        self._over = True
        self._boundary = None
        if self._traced:
            sys.settrace(self._debugger)
            for frame, tracing in reversed(self._traced):
                frame.f_trace = tracing
            self._traced.clear()
        self._debugger = None

    @cached_property
    def kind(self) -> type[Expired]:
        """Made when it is needed first, as most calls end in time."""
        return _kind_of(self, self.seconds)

    def ring(self) -> NoReturn:
        """Raise in the call."""
        raise self.kind

    def made(self, frame: FrameType | None) -> None:
        """It is about to be raised there. From the second time on no handler may begin to run."""
        self.raised += 1
        if self.raised > 1:
            self._trace_from(frame)

    def swallowed(self, frame: FrameType | None) -> None:
        """Nobody holds the error any more, and the call has not ended: raise another one at its next line."""
        self._trace_from(frame)

    def _trace_from(self, frame: FrameType | None) -> None:
        if self._over or threading.get_ident() != self._thread:
            return
        while frame is not None and frame is not self._boundary:
            if not _is_ours(frame):
                self._traced.append((frame, frame.f_trace))
                frame.f_trace = self._trace
            frame = frame.f_back
        sys.settrace(self._trace)

    def _trace(self, frame: FrameType, event: str, argument: Any) -> Any:
        """Raise at a line or at the begin of a function. That ends the tracing, until the error is swallowed."""
        if self._over or _is_ours(frame):
            return None
        if event == "call" and (frame.f_back is None or _is_ours(frame.f_back)):
            return None  # what we call ourselves when the user's code is over
        if event in ("line", "call"):
            raise self.kind
        return self._trace


def _kind_of(interrupt: Interrupt, seconds: float | None) -> type[Expired]:
    class Insistent(Expired):
        def __init__(self) -> None:
            super().__init__(seconds)
            interrupt.made(sys._getframe().f_back)

        def __del__(self) -> None:
            interrupt.swallowed(sys._getframe().f_back)

    Insistent.__name__ = Insistent.__qualname__ = "Expired"
    return Insistent


def _is_ours(frame: FrameType) -> bool:
    """Whether it is of this package or a plugin's: what a call returns goes through it, so no line is interrupted."""
    package = str(frame.f_globals.get("__name__")).partition(".")[0]
    return package == "turgo" or package.startswith("turgo_")
