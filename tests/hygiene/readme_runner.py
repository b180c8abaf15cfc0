"""Run the blocks of a Markdown file in order, in the present folder: `python readme_runner.py README.md`.

The rule, which keeps what is shown and what is run the same thing:

- A ```python block whose first line is a comment that names a file (`# census.py`) is written to that file
  and then run by Python as a script. Any other ```python block is executed here, in one namespace for all.
- In a ```console block the lines that start with `$ ` are commands; the others are output, not compared.
- In a ```shell, ```sh or ```bash block each line is a command, with or without `$ `, save blank lines and
  comments.
- A trailing comment `# exit code 2` says how the command ends; without one it must end with 0.
- Not run without `--installs`: commands that install, set up, or run the whole project again, told by their first
  word (SETS_UP).
- A ```toml block whose first line is a comment that names a file is written to that file.
- Blocks of any other kind are not run.
"""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

SETS_UP = {"pip", "pipx", "uv", "git", "cd", "make", "source", "."}
SHELLS = {"console", "shell", "sh", "bash"}
FENCE = re.compile(r"^( *)```(\w+)[^\n]*\n(.*?)^\1```\s*$", re.MULTILINE | re.DOTALL)
FILE = re.compile(r"#\s*(\S+\.(?:py|toml))\b")
EXIT = re.compile(r"#\s*exit code (\d+)")


class Block(NamedTuple):
    """One fenced block: what it is written in, the line of the file where its text begins, its text."""

    kind: str
    line: int
    text: str


def blocks(markdown: str) -> Iterator[Block]:
    """The fenced blocks of a page, in order."""
    for match in FENCE.finditer(markdown):
        text = "".join(line.removeprefix(match[1]) for line in match[3].splitlines(keepends=True))
        yield Block(match[2], markdown.count("\n", 0, match.start(3)) + 1, text)


def commands(block: Block, installs: bool = False) -> Iterator[tuple[int, str]]:
    """Line number and text of the commands in a block of shell that are to be run; installs: those of SETS_UP too."""
    joined = block.text.replace("\\\n", "  ")
    for offset, line in enumerate(joined.splitlines()):
        command = line.strip()
        if block.kind == "console" and not command.startswith("$ "):
            continue
        command = command.removeprefix("$ ")
        if command and not command.startswith("#") and (installs or not sets_up(command)):
            yield block.line + offset, command


def sets_up(command: str) -> bool:
    """Whether the first word after variables is one of SETS_UP; also `python -m pip` and `-m venv`."""
    words = [word for word in command.split() if not re.match(r"[A-Z_]+=", word)]
    first = words[0] if words else ""
    return first in SETS_UP or bool(re.match(r"\S*python\S* -m (pip|venv)\b", " ".join(words)))


def run_shell(block: Block, installs: bool) -> None:
    """Run the commands of a block; the first that ends otherwise than it says stops the page."""
    for line, command in commands(block, installs):
        stated = EXIT.search(command)
        print(f"line {line}: {command}", flush=True)
        status = subprocess.run(command, shell=True, stdin=subprocess.DEVNULL, check=False).returncode
        if status != (int(stated[1]) if stated else 0):
            raise SystemExit(f"line {line}: {command}: exit code {status}")


def run_python(block: Block, namespace: dict[str, Any]) -> None:
    """Write and run the block as the file that it names, or execute it in `namespace`."""
    print(f"line {block.line}: python", flush=True)
    named = FILE.match(block.text)
    if named:
        write(Path(named[1]), block)
        if subprocess.run([sys.executable, named[1]], check=False).returncode:
            raise SystemExit(f"line {block.line}: {named[1]} failed")
    else:
        exec(compile("\n" * (block.line - 1) + block.text, "README.md", "exec"), namespace)


def write(file: Path, block: Block) -> None:
    """Write the block as the file that it names."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(block.text, encoding="utf-8")


def run(page: Path, installs: bool = False) -> None:
    """Run every block of the page."""
    namespace: dict[str, Any] = {"__name__": "__main__"}
    for block in blocks(page.read_text(encoding="utf-8")):
        if block.kind == "python":
            run_python(block, namespace)
        elif block.kind in SHELLS:
            run_shell(block, installs)
        elif block.kind == "toml" and (named := FILE.match(block.text)):
            write(Path(named[1]), block)


if __name__ == "__main__":
    run(Path(sys.argv[1]), "--installs" in sys.argv[2:])
