"""Ends a process together with all that it has started. Executors that start processes use it.

    terminate()   SIGTERM to the process and to all below it
    kill()        stop it, so that it starts no more; SIGKILL to all below it, until there are none; SIGKILL to it

A process that is to take along what lost its parent has to lead a session, by `os.setsid()`. What has left that session
is found as long as the processes live that started it.
"""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress

from turgo.worker.limits.descendants import Relative, descendants, relative, send_signal

KILL_ROUNDS_TIMES = 20
"""How often it is looked for processes that were started in the meantime."""


class ProcessTree:
    """A process and all that it starts. It may be gone already; what it left in its session is ended all the same.

    Any thread may call these methods. Where there is no /proc, the group that the process leads stands for the tree.
    """

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._root = relative(pid)
        self._seen: dict[Relative, None] = {}

    def terminate(self) -> None:
        """Ask all of them to end."""
        if sys.platform != "linux":
            _signal_group(self.pid, signal.SIGTERM)
            return
        send_signal([*self._roots(), *self._below()], signal.SIGTERM)

    def kill(self) -> None:
        """End all of them, whatever they do."""
        if sys.platform != "linux":
            _signal_group(self.pid, signal.SIGKILL)
            return
        send_signal(self._roots(), signal.SIGSTOP)  # it starts nothing from here on
        send_signal(self._seen, signal.SIGKILL)
        killed: set[Relative] = set()
        for _ in range(KILL_ROUNDS_TIMES):
            fresh = [each for each in self._below() if each not in killed]
            if not fresh:
                break
            send_signal(fresh, signal.SIGKILL)
            killed.update(fresh)
        send_signal(self._roots(), signal.SIGKILL)

    def _roots(self) -> list[Relative]:
        return [] if self._root is None else [self._root]

    def _below(self) -> list[Relative]:
        """All that is below it now; nothing if its id is another's by now."""
        now = relative(self.pid)
        if now is not None and self._root is not None and now.started != self._root.started:
            return []
        found = descendants(self.pid)
        self._seen.update(dict.fromkeys(found))
        return found


def _signal_group(pid: int, number: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)
