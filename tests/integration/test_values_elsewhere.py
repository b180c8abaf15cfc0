"""A journal whose values lie in a folder or behind a URL: the same command finishes the rest, on any executor."""

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from turgo.journal.runs import all_runs

ENGINES = {
    "local": ["-e", "local"],
    "processes": ["-e", "local_dask", "-o", "scheduler=processes", "-o", "num_workers=2"],
    "dask": ["-e", "dask", "-o", "cluster_kwargs={n_workers = 2, threads_per_worker = 1}"],
}

RASTERS = """
import array
from pathlib import Path
from turgo import flow, task

def note(*call):
    with open("calls", "ab", buffering=0) as file:
        file.write((" ".join(map(str, call)) + "\\n").encode())

@task
def names():
    note("names")
    return [f"tile-{number:05}" * 4 for number in range(3000)]

@task
def tile(number):
    note("tile", number)
    return array.array("d", [number]) * 20_000

@task
def first(name):
    if name.startswith("tile-0000"):
        note("first", name[:10])
    return name[:10]

@task
def mean(tile):
    note("mean", int(tile[0]))
    return sum(tile) / len(tile)

@task
def joined(firsts, means):
    note("joined")
    if not Path("mended").exists():
        raise ValueError("not yet")
    return f"{len(firsts)} {firsts[-1]} {means}"

@flow
def rasters():
    return joined(first.map(names()), mean.map(tile.map(range(8))))
"""
RESULT = f"3000 tile-02999 {[float(number) for number in range(8)]}\n"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a flow that moves rasters of 160 kB and a list of 150 kB, and fails at its end."""
    (tmp_path / "rasters.py").write_text(RASTERS)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def turgo(*arguments: str) -> "subprocess.CompletedProcess[str]":
    """A command of turgo."""
    command = [sys.executable, "-m", "turgo", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=200, check=False)


def calls() -> Counter[str]:
    """How often each call has been executed, as it says itself."""
    return Counter(Path("calls").read_text().splitlines())


def runs_folder() -> Path:
    return Path(os.environ["XDG_STATE_HOME"]) / "turgo" / "runs"


@pytest.mark.cluster
@pytest.mark.slow
@pytest.mark.parametrize(
    ("first", "second", "url"),
    [
        ("dask", "local", False),
        pytest.param("dask", "dask", True, marks=pytest.mark.matrix),
        ("local", "dask", True),
        pytest.param("processes", "local", False, marks=pytest.mark.matrix),
    ],
)
def test_what_finished_is_taken_over_on_another_executor(
    first: str, second: str, url: bool, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Large values that stay on workers too, with what was computed of them: only what failed runs again."""
    shelf = project / "shelf"
    if url:
        pytest.importorskip("fsspec")
    monkeypatch.setenv("TURGO_JOURNAL__VALUES", f"simplecache::file://{shelf}" if url else str(shelf))
    failed = turgo("run", "-q", "rasters.py", *ENGINES[first])
    assert failed.returncode == 1 and "not yet" in failed.stderr, failed.stderr
    before = calls()
    assert set(before.values()) == {1}
    (run,) = all_runs(runs_folder())
    assert run.folder.values.stat().st_size == 0, "nothing lies beside the journal"
    assert "its value is kept" in turgo("runs", "show", run.id, "tile[3]").stdout

    Path("mended").touch()
    done = turgo("run", "-q", "rasters.py", "--resume", *ENGINES[second])
    assert (done.returncode, done.stdout) == (0, RESULT), done.stderr
    assert calls() - before == {"joined": 1}, done.stderr

    assert (shelf / run.id).is_dir()
    assert turgo("runs", "rm", run.id).returncode == 0
    assert not (shelf / run.id).exists() and not list(runs_folder().iterdir())
