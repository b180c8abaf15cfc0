"""Completion in real shells: keys are pressed in bash and zsh on a terminal; fish is asked what it would show."""

import os
import shutil
import subprocess
import sysconfig
from pathlib import Path

import pytest

from turgo.registry.source_files import load_source

_terminal = load_source(Path(__file__).with_name("terminal_session.py"))
LONG, Session = _terminal.LONG, _terminal.Session

FLOW = """
from typing import Literal
from turgo import flow

@flow
def census(root: str, deep: bool = False, kind: Literal["quick", "whole"] = "quick"):
    return root
"""

PROMPT = "ready> "

SHELLS = {
    "bash": (["bash", "--norc", "--noprofile", "-i"], 'eval "$(_TURGO_COMPLETE=bash_source turgo)"'),
    "zsh": (
        ["zsh", "-f", "-i"],
        'autoload -U compinit; compinit -u -D; eval "$(_TURGO_COMPLETE=zsh_source turgo)"',
    ),
}
"""How each is started, and the line of its start file."""

LINES = [
    ("turgo doc", "turgo doctor "),
    ("turgo run cens", "turgo run census.py "),
    ("turgo run census.py --exec", "turgo run census.py --executor "),
    ("turgo run census.py -e local_d", "turgo run census.py -e local_dask "),
    ("turgo run census.py -p ro", "turgo run census.py -p root="),
    ("turgo run census.py -p kind=w", "turgo run census.py -p kind=whole "),
    ("turgo run census.py -p deep=t", "turgo run census.py -p deep=true "),
    ("turgo run census.py -e dask -o cluster_c", "turgo run census.py -e dask -o cluster_class="),
    ("turgo executors show da", "turgo executors show dask "),
    ("turgo compare census.py -p ki", "turgo compare census.py -p kind="),
]
"""What is typed before the tab key, and what stands there after it."""


def need(shell):
    """Skip without the shell; fail in `make test-shells`, which has installed it."""
    if shutil.which(shell) is None:
        say = pytest.fail if os.environ.get("NEEDS_SHELLS") else pytest.skip
        say(f"there is no {shell} here: tools/shell_packages.sh installs it on Debian")


@pytest.fixture
def environ(tmp_path):
    """A folder with a flow, and the command first in PATH."""
    (tmp_path / "census.py").write_text(FLOW)
    scripts = sysconfig.get_path("scripts")
    return {
        "PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "PS1": PROMPT,
        "PROMPT": PROMPT,
        "INPUTRC": "/dev/null",
        "BASH_SILENCE_DEPRECATION_WARNING": "1",
    }


@pytest.mark.slow
@pytest.mark.parametrize("shell", SHELLS)
def test_the_tab_key_completes(shell, environ, tmp_path):
    """Commands, files, executors, options and parameters, with their values; no space behind `name=`."""
    need(shell)
    command, line = SHELLS[shell]
    session = Session(command, tmp_path, columns=120, lines=60, **environ)
    try:
        session.until(lambda lines: lines and lines[-1].startswith(PROMPT.strip()))
        session.type(f"{line}; echo set up\n")
        session.until(lambda lines: "set up" in lines)
        for typed, completed in LINES:
            session.type(f"{typed}\t")
            # What is typed behind it shows whether a space is there.
            session.until(lambda lines, text=completed: lines[-1].startswith(f"{PROMPT}{text.rstrip()}"))
            session.type("x")
            session.until(lambda lines, text=completed: lines[-1] == f"{PROMPT}{text}x")
            session.type("\x15")  # Ctrl-U takes the line away
            session.until(lambda lines: lines[-1] == PROMPT.rstrip())
    finally:
        session.close()


@pytest.mark.slow
def test_fish_completes(environ, tmp_path):
    """What it would show for each line; it puts no space behind `=` by itself."""
    need("fish")
    asked = "\n".join(f"complete -C '{typed}'; echo --" for typed, _ in LINES)
    done = subprocess.run(
        ["fish", "--no-config", "-c", f"_TURGO_COMPLETE=fish_source turgo | source\n{asked}"],
        cwd=tmp_path,
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        timeout=4 * LONG,
        check=False,
    )
    answers = done.stdout.split("--\n")
    for (_, completed), answer in zip(LINES, answers, strict=False):
        words = [each.partition("\t")[0] for each in answer.splitlines()]
        assert completed.split()[-1] in words, (completed, answer, done.stderr)
