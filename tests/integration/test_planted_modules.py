"""Modules that somebody has put into the current folder run nowhere, if the flow is somewhere else."""

import os
import subprocess
import sysconfig
from pathlib import Path

import pytest

TURGO = str(Path(sysconfig.get_path("scripts"), "turgo"))
FLOW = """
from turgo import flow, task

@task
def one(number):
    import planted_beside
    return number

@flow
def mine():
    return one.map([1, 2])
"""


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """A folder with a flow, and one with modules of names that Python, dask and turgo import."""
    own, planted = tmp_path / "own", tmp_path / "planted"
    own.mkdir()
    planted.mkdir()
    (own / "mine.py").write_text(FLOW)
    (own / "planted_beside.py").write_text("")
    for name in ("logging", "sitecustomize", "yaml", "turgo", "turgo_dask", "queue", "planted_beside"):
        text = f"open({str(planted / 'ran')!r}, 'a').write({name!r})\nraise ImportError('planted')\n"
        (planted / f"{name}.py").write_text(text)
    return own, planted


def run(folder: Path, *arguments: str) -> str:
    """What a command says in a folder."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [TURGO, *arguments], cwd=folder, env=kept, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    "options",
    [
        ["local"],
        ["local_dask", "-o", "scheduler=processes", "-o", "num_workers=2"],
        ["dask", "-o", "cluster_kwargs.n_workers=1", "-o", "cluster_kwargs.threads_per_worker=1"],
    ],
    ids=lambda options: options[0],
)
def test_a_flow_runs_without_them(folders: tuple[Path, Path], options: list[str]) -> None:
    """In the driver and in each process that is started for it; what lies beside the flow is found."""
    own, planted = folders
    assert run(planted, "run", "-q", str(own / "mine.py"), "-e", *options) == "[1, 2]\n"
    assert not (planted / "ran").exists()


@pytest.mark.parametrize(
    "command",
    ["executors list", "executors show dask", "executors show local_dask", "config", "cache", "runs"],
)
def test_commands_that_only_look_run_none_of_them(folders: tuple[Path, Path], command: str) -> None:
    """Whatever they are called."""
    _, planted = folders
    run(planted, *command.split())
    assert not (planted / "ran").exists()
