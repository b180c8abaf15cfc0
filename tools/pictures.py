"""The picture of a run in the README, docs/run.svg: what somebody sees on a terminal who types what the README shows.

The flow is the README's own. It runs on a terminal that pyte emulates; rich draws what is seen there.
"""

import fcntl
import io
import os
import pty
import re
import shutil
import struct
import subprocess
import sys
import sysconfig
import tempfile
import termios
from itertools import groupby
from pathlib import Path

import pyte
from rich.console import Console
from rich.text import Text

ROOT = Path(__file__).resolve().parents[1]
PICTURE = ROOT / "docs" / "run.svg"
COLUMNS, LINES = 100, 40
BAR = "━"
PIECE_BYTES = 100
ODD = b'NAME = "caf\xe9"\n'  # no UTF-8: the call that reads it fails
COLOURS = {"brown": "yellow", "default": None}


def flow() -> str:
    """The flow that the README shows."""
    return re.findall(
        r"^```python\n(# lines\.py\n.*?)^```$", (ROOT / "README.md").read_text("utf-8"), re.M | re.S
    )[0]


def play(command: str, folder: Path) -> list[Text]:
    """Run a command on a terminal; the bars as they were at last, if it drew any, and what stays at the end."""
    screen = pyte.Screen(COLUMNS, LINES)
    stream = pyte.ByteStream(screen)
    ours, theirs = pty.openpty()
    fcntl.ioctl(ours, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("TURGO_", "NO_COLOR"))}
    variables = {**kept, "PATH": path, "TERM": "xterm-256color", "HOME": str(folder), "PWD": str(folder)}
    process = subprocess.Popen(
        command,
        shell=True,
        cwd=folder,
        env=variables,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    bars: list[Text] = []
    while part := read(ours):
        for at in range(
            0, len(part), PIECE_BYTES
        ):  # as bars that come and go in one piece are seen by nobody
            stream.feed(part[at : at + PIECE_BYTES])
            if drawn := [line for line in seen(screen) if BAR in line.plain]:
                bars = drawn
    process.wait()
    os.close(ours)
    return [*bars, *([Text("…", "dim")] if bars else []), *seen(screen)]


def read(terminal: int) -> bytes:
    """What the program wrote, as with a Python of the system; nothing when it is over."""
    try:
        return os.read(terminal, 65536).replace(os.fsencode(sys.base_prefix), b"/usr")
    except OSError:  # how Linux says that nobody holds the other side any more
        return b""


def seen(screen: pyte.Screen) -> list[Text]:
    """The lines of the screen that are not empty, in their colours."""
    lines = []
    for row in range(LINES):
        line = Text()
        cells = (screen.buffer[row][column] for column in range(COLUMNS))
        for look, alike in groupby(cells, style):
            line.append("".join(cell.data for cell in alike), look)
        line.rstrip()
        if line.plain:
            lines.append(line)
    return lines


def style(cell: pyte.screens.Char) -> str:
    """The words by which rich knows the look of a character."""
    colour = COLOURS.get(cell.fg, cell.fg)
    if colour and re.fullmatch("[0-9a-f]{6}", colour):
        colour = f"#{colour}"
    if colour and colour.startswith("bright"):
        colour = f"bright_{COLOURS.get(colour[6:], colour[6:])}"
    return " ".join(word for word in ("bold" * cell.bold, "italic" * cell.italics, colour or "") if word)


def draw(scenes: list[tuple[str, list[Text]]]) -> str:
    """The scenes as one SVG, which asks no other host for a font."""
    console = Console(
        record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True, color_system="truecolor"
    )
    for command, lines in scenes:
        console.print(Text.assemble(("$ ", "bold green"), (command, "bold")))
        for line in lines:
            console.print(line, no_wrap=True, crop=True)
        console.print()
    svg = console.export_svg(title="turgo", unique_id="turgo")
    return re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)


def main() -> None:
    """Play the story of the README in an empty folder: a run that fails in one place, and how it goes on."""
    folder = Path(tempfile.mkdtemp(prefix="turgo-"))
    try:
        (folder / "lines.py").write_text(flow(), encoding="utf-8")
        shutil.copytree(Path(sysconfig.get_path("stdlib"), "email"), folder / "email")
        odd = folder / "odd.py"
        odd.write_bytes(ODD)
        scenes = [
            (command, play(command, folder))
            for command in ["turgo run lines.py --executor local_dask -o scheduler=processes"]
        ]
        odd.write_text('NAME = "café"\n', encoding="utf-8")
        scenes += [
            (command, play(command, folder))
            for command in ["turgo run lines.py --resume --dry-run", "turgo run lines.py --resume"]
        ]
    finally:
        shutil.rmtree(folder)
    PICTURE.write_text(draw(scenes), encoding="utf-8")


if __name__ == "__main__":
    main()
