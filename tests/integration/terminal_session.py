"""A program on a terminal of its own, which pyte emulates: what is checked is what somebody sees."""

import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import time

import pyte

LONG = 60.0  # seconds; what should take few


class Session:
    """A program on a terminal of its own. screen: what somebody sees."""

    def __init__(self, command, folder, columns=80, lines=20, **variables):
        self.screen = pyte.Screen(columns, lines)
        self.raw = b""
        self._stream = pyte.ByteStream(self.screen)
        self.ours, theirs = pty.openpty()
        self.resize(columns, lines)
        environ = {**os.environ, "TERM": "xterm-256color", **variables}
        for name in ("COLUMNS", "LINES", "NO_COLOR", "PYTEST_CURRENT_TEST"):
            if name not in variables:
                environ.pop(name, None)
        self.process = subprocess.Popen(
            command,
            cwd=folder,
            env=environ,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
        os.close(theirs)

    def resize(self, columns, lines=20):
        """Give the terminal another size."""
        fcntl.ioctl(self.ours, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        if (columns, lines) != (self.screen.columns, self.screen.lines):
            self.screen.resize(lines, columns)

    def shown(self):
        """The lines that are not empty."""
        return [line.rstrip() for line in self.screen.display if line.strip()]

    def until(self, true):
        """Read until something is so; the lines that are seen then."""
        end = time.monotonic() + LONG
        while not true(self.shown()):
            assert time.monotonic() < end, "\n".join(self.shown())
            assert self._read(), "\n".join(self.shown())
        return self.shown()

    def finish(self):
        """Read to the end; the lines that are seen then."""
        while self._read():
            pass
        self.process.wait(LONG)
        return self.shown()

    def _read(self):
        if not select.select([self.ours], [], [], LONG)[0]:
            return False
        try:
            part = os.read(self.ours, 65536)
        except OSError:  # how Linux says that nobody holds the other side any more
            return False
        self.raw += part
        self._stream.feed(part)
        return bool(part)

    def type(self, keys):
        """Press keys."""
        os.write(self.ours, keys.encode())

    def close(self):
        """End what is left."""
        self.process.kill()
        self.process.wait()
        os.close(self.ours)
