"""Lines above the bars: each of a few at once, a flood of them in bunches, all of them in their order."""

import io
import re
import threading
from types import SimpleNamespace

import pytest
from rich.console import Console

from turgo.observers.terminal import lines_above
from turgo.observers.terminal.lines_above import LAST_LINES_SECONDS, PROMPT_LINES, LinesAbove, StreamAbove

LINES = 2000


class Paper(io.StringIO):
    """A terminal that counts how often something is put on it."""

    times = 0

    def write(self, text: str) -> int:
        self.times += 1
        return super().write(text)


@pytest.fixture
def paper() -> Paper:
    """What is drawn on."""
    return Paper()


@pytest.fixture
def above(paper: Paper, monkeypatch: pytest.MonkeyPatch) -> LinesAbove:
    """On it, in one short moment, however loaded the machine is."""
    monkeypatch.setattr(lines_above, "time", SimpleNamespace(monotonic=lambda: 1.0))
    return LinesAbove(Console(file=paper, force_terminal=True, color_system=None, width=40))


def stream(above: LinesAbove, paper: Paper) -> StreamAbove:
    """Of standard error, say."""
    return StreamAbove(above, Console(file=paper), paper, lambda: None)


def test_a_flood_is_drawn_in_bunches(above: LinesAbove, paper: Paper) -> None:
    """Of two streams, in the order of both; each line was drawn by itself, which took a millisecond."""
    streams = stream(above, paper), stream(above, paper)
    for number in range(LINES):
        print(f"line {number}", file=streams[number % 2])
    above.show(LAST_LINES_SECONDS)
    assert [int(each) for each in re.findall(r"line (\d+)", paper.getvalue())] == list(range(LINES))
    assert paper.times < LINES


def test_few_lines_are_drawn_at_once(above: LinesAbove, paper: Paper) -> None:
    """The last one before a crash is not lost; what is begun comes by a flush."""
    error = stream(above, paper)
    for number in range(PROMPT_LINES - 1):
        error.write(f"half of {number}, ")
        error.write("and the rest\n")
        assert f"half of {number}, and the rest" in paper.getvalue()
    error.write("asks: ")
    assert "asks" not in paper.getvalue()
    error.flush()
    assert "asks: " in paper.getvalue()


def test_threads_lose_no_line(above: LinesAbove, paper: Paper) -> None:
    """Whoever shows what waits shows what others add meanwhile, and the end waits for it."""

    def writes(name: int) -> None:
        own = stream(above, paper)
        for number in range(200):
            own.write(f"line {name}-{number}\n")

    threads = [threading.Thread(target=writes, args=(name,)) for name in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    above.show(LAST_LINES_SECONDS)
    found = re.findall(r"line (\d)-(\d+)", paper.getvalue())
    assert len(found) == 800
    for name in "0123":
        assert [int(number) for one, number in found if one == name] == list(range(200))


def test_a_long_line_is_not_broken(above: LinesAbove, paper: Paper) -> None:
    """The terminal does that itself, so that it is copied as one."""
    line = " ".join(["word"] * 30)
    stream(above, paper).write(f"{line}\n")
    assert line in paper.getvalue()
