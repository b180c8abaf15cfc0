"""What is written to the streams of a terminal while there are bars: it comes above them.

    print, handlers of logging ──StreamAbove──whole lines──> LinesAbove ──now, or in bunches──> the console

Whatever comes above the bars draws them anew, which takes a millisecond, so a flood of lines is shown in bunches.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import TextIO

from rich.ansi import AnsiDecoder
from rich.console import Console
from rich.file_proxy import FileProxy
from rich.text import Text

FLOOD_SECONDS = 0.1
"""For how long lines of a flood are collected."""

LAST_LINES_SECONDS = 5.0
"""How long the end of the bars waits for lines that are being shown."""

PROMPT_LINES = 20
"""How many lines are shown at once in that time: the last one before a crash has been shown, save in a flood."""


class LinesAbove:
    """The lines that wait, of all streams in one order. No lock is waited for, as a handler of signals may log."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._lines: deque[str] = deque()
        self._decoder = AnsiDecoder()
        self._showing = threading.Lock()
        self._began = 0.0
        self._prompt = 0
        self._timer: threading.Timer | None = None

    def add(self, lines: list[str]) -> None:
        """Show them now or soon."""
        self._lines.extend(lines)
        now = time.monotonic()
        if now - self._began >= FLOOD_SECONDS:
            self._began, self._prompt = now, 0
        self._prompt += len(lines)
        if self._prompt <= PROMPT_LINES or self._prompt == len(lines):
            self.show()
        elif self._timer is None:
            self._timer = threading.Timer(FLOOD_SECONDS, self.show)
            self._timer.daemon = True
            self._timer.start()

    def show(self, patience: float = 0.0) -> None:
        """Show what waits. If somebody does so just now, that one shows this as well, or has within seconds."""
        self._timer = None
        while (self._lines or patience) and self._showing.acquire(timeout=patience):
            patience = 0.0
            try:
                lines = [self._lines.popleft() for _ in range(len(self._lines))]
                if lines:
                    text = Text("\n").join(map(self._decoder.decode_line, lines))
                    self._console.print(text, soft_wrap=True)
            finally:
                self._showing.release()


class StreamAbove(FileProxy):
    """Has what is written to a stream come above the bars. Click writes past one without an encoding.

    end: takes the bars away.
    """

    encoding: str = ""
    errors: str | None = None

    def __init__(self, above: LinesAbove, console: Console, stream: TextIO, end: Callable[[], None]) -> None:
        super().__init__(console, stream)
        self.end = end
        self.encoding = getattr(stream, "encoding", None) or "utf-8"
        self.errors = getattr(stream, "errors", None) or "strict"
        self._above = above
        self._begun = ""

    def write(self, text: str) -> int:
        """Whole lines; what is begun waits for its end, or to be flushed."""
        *lines, self._begun = (self._begun + text).split("\n")
        if lines:
            self._above.add(lines)
        return len(text)

    def flush(self) -> None:
        """What is begun is a line, as the bars stand below it."""
        if self._begun:
            self.write("\n")
