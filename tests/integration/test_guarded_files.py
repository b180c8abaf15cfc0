"""What a flow file does as a program: by `python FILE` it is done, by `turgo` it is not."""

import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """\
from turgo import flow, task

@task
def stamp(number):
    with open("stamped", "a") as file:
        file.write("x")
    return number

@flow
def stamps():
    return stamp.map(range(3))

"""


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def turgo(*arguments: str, code: int) -> subprocess.CompletedProcess[str]:
    """What the command says, in a process of its own."""
    command = [sys.executable, "-m", "turgo", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    return done


def stamped() -> int:
    """How many calls were made in the current folder."""
    return len(Path("stamped").read_text()) if Path("stamped").exists() else 0


def test_with_the_guard_each_of_both_ways_runs_it_once(here: Path) -> None:
    """As a script, and by `turgo run`."""
    (here / "program.py").write_text(PROGRAM + 'if __name__ == "__main__":\n    stamps()\n')
    turgo("run", "-q", "program.py", code=0)
    assert stamped() == 3
    subprocess.run([sys.executable, "program.py"], check=True, timeout=120)
    assert stamped() == 6


def test_a_replay_runs_no_flow_either(here: Path) -> None:
    """The script ran its flow, with a journal; to make a call again its file is loaded."""
    (here / "program.py").write_text(
        PROGRAM.replace("return number", "return 1 / number") + "stamps.run(journal=True)"
    )
    subprocess.run([sys.executable, "program.py"], check=True, timeout=120)
    assert "program.py, line 13, runs the flow" in turgo("replay", "stamps", "stamp[0]", code=2).stderr
    assert stamped() == 3
