"""`Deadline` holds the seconds that a start may still take. It also reports on the start meanwhile.

each loop that waits ──> waiting(what for) ──> after 1 s, 2 s, 4 s, 8 s … 64 s, 124 s … one line with the seconds so far
"""

from __future__ import annotations

import time
from collections.abc import Callable

START_TIMEOUT_HINT = "start_timeout says how long to wait"
"""Ends each message about a start that took too long."""

LEAST_WAIT_SECONDS = 0.1
"""What is granted to a step of the start although the time is up: one look at least."""

FIRST_LINE_SECONDS = 1.0
"""After so long a wait is reported for the first time, and again whenever it has become twice as long."""

LONGEST_SILENCE_SECONDS = 60.0
"""But after so long at the latest, so that whoever waits knows that it goes on."""

COMMON_START_SECONDS = 8.0
"""A local cluster may take so long to come up on a busy machine; a longer start is reported as a warning."""


class Deadline:
    """The end of a start, `seconds` from now. report: gets a line, and whether it asks for action."""

    def __init__(
        self, seconds: float, report: Callable[[str, bool], None] = lambda line, urgent: None
    ) -> None:
        self.seconds = seconds
        self._report = report
        self._began = time.monotonic()
        self._next_line = FIRST_LINE_SECONDS

    @property
    def left(self) -> float:
        """Seconds that are left; never less than LEAST_WAIT_SECONDS."""
        return max(LEAST_WAIT_SECONDS, self.seconds - self.passed)

    @property
    def passed(self) -> float:
        """Seconds since the begin of the start."""
        return time.monotonic() - self._began

    @property
    def over(self) -> bool:
        """Whether the time is up."""
        return self.passed >= self.seconds

    def sooner(self, seconds: float) -> Deadline:
        """One for a step of this start, so many seconds from now, if that is sooner."""
        step = Deadline(min(seconds, self.left), self._report)
        step._next_line = max(FIRST_LINE_SECONDS, self._next_line - self.passed)
        return step

    def waiting(self, what: str, *, urgent: bool = True) -> None:
        """Report that it is still waited, and for what, if it is time for another line.

        urgent: whether somebody may have to act, and not only a start that takes its time.
        """
        passed = self.passed
        if passed < self._next_line:
            return
        while self._next_line <= passed:
            self._next_line += min(self._next_line, LONGEST_SILENCE_SECONDS)
        line = f"dask: {what}, for {passed:.0f} s so far; start_timeout is {round(self.seconds, 1):g} s"
        self._report(line, urgent or passed >= COMMON_START_SECONDS)
