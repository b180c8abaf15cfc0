"""The door: a start that nothing foreign breaks, tried as real processes in odd surroundings.

Each flow runs on `local`; what is tried is what lies around it: users, homes, folders, streams, variables and damaged
packages.
"""

import json
import os
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

TURGO = str(Path(sysconfig.get_path("scripts"), "turgo"))
STRANGER = 54321
"""A user id without an entry in passwd."""

PROGRAM = """
import os
import sys

from turgo import flow, task


@task
def double(x):
    print("printed", flush=True)
    return 2 * x


@task(log_prints=True)
def triple(x):
    print("logged", flush=True)
    return 3 * x


@flow
def numbers():
    return [double.map([1, 2]), triple(1)]


if __name__ == "__main__":
    if len(sys.argv) > 1:
        sys.stdin = sys.stdout = sys.stderr = None
    with open(os.environ["ANSWER"], "w") as file:
        file.write(str(numbers()))
"""
ANSWER = "[[2, 4], 3]"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder that everybody may enter, with a flow file in it."""
    for folder in (tmp_path, *tmp_path.parents):
        if folder.owner() == Path(tmp_path).owner() and not folder.stat().st_mode & 0o001:
            folder.chmod(folder.stat().st_mode | 0o011)
    (tmp_path / "numbers_flow.py").write_text(PROGRAM, encoding="utf-8")
    (tmp_path / "numbers_flow.py").chmod(0o644)
    return tmp_path


Started = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def start(place: Path) -> Started:
    """Run a command in a folder, with variables set or, by None, unset."""

    def run(*command: str, cwd: Path | None = None, **changes: Any) -> subprocess.CompletedProcess[str]:
        variables = {"XDG_CONFIG_HOME": str(place / "config"), "ANSWER": str(place / "answer")}
        options = {name: changes.pop(name) for name in ("user", "shell") if name in changes}
        merged = {**os.environ, **variables, **changes}
        environ = {name: value for name, value in merged.items() if value is not None}
        return subprocess.run(
            command if not options.get("shell") else " ".join(command),
            cwd=cwd or place,
            env=environ,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            **options,
        )

    return run


def ran(done: subprocess.CompletedProcess[str]) -> None:
    """Raise AssertionError unless `turgo run` printed the answer."""
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == ANSWER


def command(place: Path) -> tuple[str, ...]:
    """The command that runs the flow."""
    return (TURGO, "run", str(place / "numbers_flow.py"), "-q")


@pytest.mark.parametrize(
    "closed", [">&-", "2>&-", "<&-", ">&- 2>&-", "<&- >&- 2>&-"], ids=lambda closed: closed.replace(" ", "")
)
@pytest.mark.parametrize("words", ["run numbers_flow.py", "executors list", "executors show local", "config"])
def test_a_command_works_with_streams_closed(place: Path, start: Started, words: str, closed: str) -> None:
    """Nothing that it prints goes into a file or socket that got the number of the stream."""
    done = start(f"{TURGO} {words} {closed}", shell=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "closed", ["", ">&-", "2>&-", "<&- >&- 2>&-"], ids=lambda closed: closed or "set to None"
)
def test_a_script_works_with_streams_closed(place: Path, start: Started, closed: str) -> None:
    """What tasks print is dropped where there is nothing to print to; the result is what it is."""
    arguments = "" if closed else "none"
    done = start(f"{sys.executable} numbers_flow.py {arguments} {closed}", shell=True)
    assert done.returncode == 0, done.stderr
    assert (place / "answer").read_text() == ANSWER


def test_a_flow_runs_in_a_folder_that_was_removed(place: Path, start: Started) -> None:
    """By its full path, as the folder that would be looked at for configuration is no more."""
    (place / "gone").mkdir()
    code = (
        "import os, subprocess, sys; os.rmdir(os.getcwd()); sys.exit(subprocess.run(sys.argv[1:]).returncode)"
    )
    ran(start(sys.executable, "-c", code, *command(place), cwd=place / "gone"))


@pytest.mark.parametrize(
    "changes",
    [
        {"HOME": None},
        {"HOME": "/nowhere/at/all"},
        {"HOME": ""},
        {"XDG_CONFIG_HOME": "/dev/null"},
        {"TURGO_PORT": "tcp://10.0.0.1:80", "TURGO_SERVICE_HOST": "10.0.0.1"},
    ],
    ids=str,
)
def test_a_flow_runs_whatever_the_variables_are(place: Path, start: Started, changes: dict[str, Any]) -> None:
    """No home, one that is not there, and what a platform injects for a service of our name."""
    ran(start(*command(place), **changes))


def test_a_slip_in_a_variable_is_still_an_error(place: Path, start: Started) -> None:
    """What a platform injects is told from it by its form."""
    done = start(*command(place), TURGO_EXECUTER="dask")
    assert done.returncode == 2
    assert "did you mean 'TURGO_EXECUTOR'" in done.stderr


@pytest.mark.parametrize("where", ["~nosuchuser/x.py:X", "~nosuchuser/turgo.toml"])
def test_the_home_of_nobody_is_a_sentence(place: Path, start: Started, where: str) -> None:
    """As the executor or as the configuration file: exit code 2 and no traceback."""
    changes = {"TURGO_CONFIG": where} if where.endswith("toml") else {"TURGO_EXECUTOR": where}
    done = start(*command(place), **changes)
    assert done.returncode == 2
    assert "nosuchuser" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.fixture
def stranger() -> int:
    """A user id without a home and a name; skips where none can be taken on, or may not run this Python."""
    if os.getuid() != 0:
        pytest.skip("only root can run a process as somebody else")
    try:
        subprocess.run(
            [TURGO, "--version"], user=STRANGER, capture_output=True, check=True, cwd="/", timeout=60
        )
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("another user may not run this Python")
    return STRANGER


def test_a_user_without_a_name_runs_a_flow(place: Path, start: Started, stranger: int) -> None:
    """Neither passwd nor HOME says where its files are."""
    ran(start(*command(place), user=stranger, HOME=None, XDG_CONFIG_HOME=None))


def test_what_may_not_be_looked_at_is_passed_over(place: Path, start: Started, stranger: int) -> None:
    """The user's configuration in a folder that may not be entered, and a current folder like that."""
    closed = place / "closed"
    closed.mkdir(mode=0o700)
    (closed / "turgo").mkdir()
    (closed / "turgo" / "turgo.toml").write_text("executor = 'none of theirs'")
    done = start(*command(place), user=stranger, XDG_CONFIG_HOME=str(closed))
    ran(done)
    assert "passed over" in done.stderr
    code = "import os, subprocess, sys; os.setuid(int(sys.argv[1])); sys.exit(subprocess.run(sys.argv[2:]).returncode)"
    ran(start(sys.executable, "-c", code, str(stranger), *command(place), cwd=closed))


def test_a_project_file_that_may_not_be_read_is_an_error(place: Path, start: Started, stranger: int) -> None:
    """What a project says is not passed over, as the run would be another one."""
    (place / "turgo.toml").write_text("executor = 'local'")
    (place / "turgo.toml").chmod(0o600)
    done = start(*command(place), user=stranger)
    assert done.returncode == 2
    assert "turgo.toml: cannot be read" in done.stderr


@pytest.mark.parametrize(
    ("name", "files"),
    [
        ("latin", {"METADATA": b"Name: latin\nVersion: 1\n", "entry_points.txt": b"[x]\n\xe9 = a\n"}),
        ("malformed", {"METADATA": b"Name: malformed\nVersion: 1\n", "entry_points.txt": b"[x]\nno value\n"}),
        ("undescribed", {"METADATA": b"Summary: caf\xe9\n"}),
        ("empty", {}),
    ],
)
def test_a_damaged_package_breaks_nothing_and_is_named(
    place: Path, start: Started, name: str, files: dict[str, bytes]
) -> None:
    """Whoever's package it is: flows run, and the list says which one is damaged, on standard output as JSON too."""
    site = place / "site"
    info = site / f"{name}-1.dist-info"
    info.mkdir(parents=True)
    for file, data in files.items():
        (info / file).write_bytes(data)
    ran(start(*command(place), PYTHONPATH=str(site)))
    done = start(TURGO, "executors", "list", "--json", PYTHONPATH=str(site))
    assert done.returncode == 0, done.stderr
    assert [each["name"] for each in json.loads(done.stdout)["damaged"]] == [f"{name} 1"]
