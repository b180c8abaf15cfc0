"""A file that runs its flow as it is loaded: nothing runs, and the message names the place."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from turgo.errors import FlowFileError
from turgo.flows.files.flow_file import load_flow
from turgo.flows.files.load_guard import check_not_loaded, without_runs

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
def here(tmp_path: Path, threads_file: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder. What runs, runs on an executor that is no plugin's."""
    monkeypatch.setenv("TURGO_EXECUTOR", f"{threads_file}:ThreadsExecutor")
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


@pytest.mark.parametrize(
    "line",
    [
        "print(sum(stamps()))",
        "run = stamps.run(executor='local')",
        "with stamps.start() as running: running.wait()",
        "import asyncio\nasync def main(): return await stamps.start()\nrun = asyncio.run(main())",
    ],
)
def test_nothing_runs_as_a_file_is_loaded(line: str, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However it runs it; the message names file and line, and the guard that is missing."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    (here / "program.py").write_text(PROGRAM + line)
    with pytest.raises(FlowFileError) as caught:
        load_flow("program.py")
    place = (
        f"{here}/program.py, line {13 + line.count(chr(10))}, runs the flow stamps while the file is loaded"
    )
    assert str(caught.value).startswith(place) and 'if __name__ == "__main__":' in str(caught.value)
    assert stamped() == 0 and "program" not in sys.modules


@pytest.mark.parametrize("command", [["run"], ["graph"], ["doctor", "--flow"]])
def test_no_command_runs_what_a_file_runs_as_it_is_loaded(command: list[str], here: Path) -> None:
    """It is asked wrongly, and says so without a traceback."""
    (here / "program.py").write_text(PROGRAM + "print(sum(stamps()))")
    said = turgo(*command, "program.py", code=2).stderr
    assert "program.py, line 13, runs the flow stamps" in said and "Traceback" not in said
    assert stamped() == 0


def test_with_the_guard_each_of_both_ways_runs_it_once(here: Path) -> None:
    """As a script, and by `turgo run`."""
    (here / "program.py").write_text(PROGRAM + 'if __name__ == "__main__":\n    stamps()\n')
    turgo("run", "-q", "program.py", code=0)
    assert stamped() == 3
    subprocess.run([sys.executable, "program.py"], check=True, timeout=120)
    assert stamped() == 6


def test_what_only_lists_or_completes_runs_nothing(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`--help` says why it cannot tell of the flow; a shell gets nothing to complete."""
    (here / "program.py").write_text(PROGRAM + "stamps()")
    assert "line 13, runs the flow" in " ".join(turgo("run", "program.py", "--help", code=0).stdout.split())
    monkeypatch.setenv("_TURGO_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", "turgo run program.py -p ")
    monkeypatch.setenv("COMP_CWORD", "4")
    turgo(code=0)
    assert stamped() == 0


def test_the_place_is_that_of_a_file_that_is_imported(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The line that runs the flow, and the one that led there; also of a module that is named as such."""
    (here / "beside.py").write_text(PROGRAM + "stamps()")
    (here / "program.py").write_text("import beside\nfrom beside import stamps\n")
    monkeypatch.setattr(sys, "path", list(sys.path))
    for target in ("program.py", "program"):
        with pytest.raises(
            FlowFileError, match=r"program.py, line 1: .*/beside.py, line 13, runs the flow stamps"
        ):
            load_flow(target)
    with pytest.raises(FlowFileError, match=f"^{here}/beside.py, line 13, runs"):
        load_flow("beside")


def test_a_replay_runs_no_flow_either(here: Path) -> None:
    """The script ran its flow, with a journal; to make a call again its file is loaded."""
    (here / "program.py").write_text(
        PROGRAM.replace("return number", "return 1 / number") + "stamps.run(journal=True)"
    )
    subprocess.run([sys.executable, "program.py"], check=True, timeout=120)
    assert "program.py, line 13, runs the flow" in turgo("replay", "stamps", "stamp[0]", code=2).stderr
    assert stamped() == 3


def test_it_holds_within_the_block_alone() -> None:
    """Also for what a coroutine begins in it."""

    async def check() -> None:
        check_not_loaded("census")

    with without_runs("flows.py"), pytest.raises(FlowFileError, match="runs the flow census") as caught:
        asyncio.run(check())
    assert caught.value.path == "flows.py"
    check_not_loaded("census")
