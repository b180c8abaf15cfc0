"""A process is forked from a driver that has run flows, and runs flows itself: servers that fork, pools that fork."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")

PROGRAM = """
import multiprocessing, os, sys, warnings

warnings.filterwarnings("ignore", ".*multi-threaded", DeprecationWarning)

from turgo import flow, get_executor, task

KINDS = {
    "local": ("local", {}),
    "threads": ("local_dask", {"num_workers": 2}),
    "processes": ("local_dask", {"scheduler": "processes", "num_workers": 2}),
    "dask": ("dask", {"cluster_kwargs": {"n_workers": 1, "threads_per_worker": 2}}),
    "dask threads": ("dask", {"cluster_kwargs": {"processes": False, "n_workers": 1, "threads_per_worker": 2}}),
}


@task
def square(number):
    return number * number


@flow
def squares(count):
    return square.map(range(count))


def run(kind):
    name, options = KINDS[kind]
    return squares.run(count=4, executor=get_executor(name, **options)).result


def by_pool(kind):
    with multiprocessing.get_context("fork").Pool(1) as pool:
        return pool.apply(run, [kind])


def by_fork(kind):
    if (child := os.fork()) == 0:
        code = 1
        try:
            code = 0 if run(kind) == [0, 1, 4, 9] else 2
        finally:
            os._exit(code)
    return os.waitpid(child, 0)[1]


def raw():
    import distributed

    with distributed.Client(processes=False, n_workers=1, dashboard_address=":0", set_as_default=False) as client:
        assert client.submit(max, 3, 7).result() == 7


if __name__ == "__main__":
    kind, way, before = sys.argv[1:]
    raw() if before == "raw" else run(kind)
    print(by_pool(kind) if way == "pool" else by_fork(kind))
    print(run(kind))
"""


@pytest.mark.parametrize(
    ("kind", "way", "before"),
    [
        ("local", "pool", "flow"),
        ("threads", "pool", "flow"),
        ("threads", "fork", "flow"),
        ("processes", "fork", "flow"),
        ("dask threads", "pool", "flow"),
        ("dask threads", "fork", "raw"),
        ("dask", "fork", "flow"),
    ],
)
def test_a_forked_process_runs_flows_as_its_parent_did(
    kind: str, way: str, before: str, tmp_path: Path
) -> None:
    """Whatever threads of the parent did not come along; the parent goes on as before."""
    program = tmp_path / "prefork.py"
    program.write_text(PROGRAM, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, program, kind, way, before], capture_output=True, text=True, timeout=120
    )
    child = "[0, 1, 4, 9]" if way == "pool" else "0"
    assert (done.stdout.splitlines(), done.returncode) == ([child, "[0, 1, 4, 9]"], 0), done.stderr
    assert not re.search(
        "Traceback|Exception ignored|Error", done.stderr
    )  # dask warns on a machine that is busy
