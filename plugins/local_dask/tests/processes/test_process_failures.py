"""A worker process that cannot start is one error, with what the child says, and no call is lost."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from turgo_local_dask.processes.process_failures import evidence, oom_kills, start_failure

DIRECT = """
from turgo_local_dask import LocalDaskExecutor

if __name__ == "__main__":
    with LocalDaskExecutor("processes", num_workers=1, **{OPTIONS}).start() as executor:
        errors = [executor.submit(abs, -1).exception() for _ in range(3)]
        assert len({str(error) for error in errors}) == 1
        print(type(errors[0]).__name__, errors[0])
"""

WITHIN_A_FLOW = """
from turgo import flow, task
from turgo.errors import ExecutorStartError

@task(retries=3, crash_retries=3)
def one(number):
    return number

@flow
def ones():
    return one.map(range(10))

if __name__ == "__main__":
    try:
        ones.run(executor="local_dask", executor_options={"scheduler": "processes", "num_workers": 2})
    except ExecutorStartError as error:
        print("ExecutorStartError", error)
"""


def printed_by(folder: Path, body: str) -> str:
    """What a script prints."""
    script = folder / "script.py"
    script.write_text(textwrap.dedent(body))
    done = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    "body", [DIRECT.replace("OPTIONS", ""), WITHIN_A_FLOW], ids=["direct", "within a flow"]
)
def test_an_import_that_fails_in_the_child_is_the_error(body: str, tmp_path: Path) -> None:
    """It names the module that is missing there, the line, the exit code and what can be done; no task failed."""
    text = printed_by(tmp_path, 'if __name__ != "__main__":\n    import no_such_module\n' + body)
    assert text.startswith(
        "ExecutorStartError a worker process could not be started: it ended with exit code 1"
    )
    assert "No module named 'no_such_module'" in text
    assert "line 2" in text
    assert "can be imported from anywhere" in text
    assert "frozen" not in text


def test_a_fork_server_says_the_same(tmp_path: Path) -> None:
    """It imports the program, or its children do: that differs between versions of Python."""
    body = 'if __name__ == "__mp_main__":\n    raise LookupError("no licence")\n' + DIRECT
    text = printed_by(tmp_path, body.replace("OPTIONS", "'multiprocessing.context': 'forkserver'"))
    assert "LookupError: no licence" in text


def test_processes_that_are_started_by_the_import_are_the_error(tmp_path: Path) -> None:
    """A guard that is missing where no script can be looked at: the child refuses to start others, and says so."""
    body = """
        from multiprocessing import get_context

        if __name__ != "__main__":
            get_context("spawn").Process(target=print).start()
        """
    text = printed_by(tmp_path, textwrap.dedent(body) + DIRECT.replace("OPTIONS", ""))
    assert "An attempt has been made to start a new process" in text


def test_a_process_that_dies_for_another_reason_is_not_blamed_on_the_import() -> None:
    """The program can be imported, so the message says no more than how the process ended."""
    assert start_failure("was killed by SIGKILL", "fork").endswith(
        "it was killed by SIGKILL before it was ready"
    )


def lay(tmp_path: Path, groups: str, **files: str) -> tuple[Path, Path]:
    """A file as /proc/self/cgroup, and a mount with files, whose names have `__` for `/` and `_DOT_` for `.`."""
    (tmp_path / "cgroup").write_text(groups)
    for name, text in files.items():
        file = tmp_path / "mount" / name.replace("__", "/").replace("_DOT_", ".")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return tmp_path / "cgroup", tmp_path / "mount"


@pytest.mark.parametrize(
    ("groups", "files", "count"),
    [
        ("0::/a/b\n", {"a__b__memory_DOT_events": "low 0\noom 3\noom_kill 2\n"}, 2),
        ("0::/a/b\n", {"memory_DOT_events": "oom_kill 1\n"}, 1),
        ("4:memory:/x\n0::/\n", {"memory__x__memory_DOT_oom_control": "under_oom 0\noom_kill 5\n"}, 5),
        ("9:name=systemd:/\n4:cpu,memory:/x\n", {"memory__memory_DOT_oom_control": "oom_kill 7\n"}, 7),
        ("0::/a\n", {}, None),
        ("0::/a\n", {"a__memory_DOT_events": "oom_kill many\n"}, None),
        ("", {}, None),
    ],
)
def test_the_count_is_that_of_the_group_of_this_process(
    tmp_path: Path, groups: str, files: dict[str, str], count: int | None
) -> None:
    """Of either version of control groups; of the mount's root where a container sees only that; or unknown."""
    assert oom_kills(*lay(tmp_path, groups, **files)) == count


def test_without_control_groups_nothing_is_known(tmp_path: Path) -> None:
    """As on another system."""
    assert oom_kills(tmp_path / "gone", tmp_path / "gone") is None


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [(3, 4, True), (3, 3, False), (None, 4, False), (3, None, False), (None, None, False)],
)
def test_lack_of_memory_is_named_only_where_the_kernel_has_counted_it(
    before: int | None, after: int | None, said: bool
) -> None:
    """A process that was killed by SIGKILL may have been killed by anybody."""
    assert ("for lack of memory" in evidence(before, after)) == said
