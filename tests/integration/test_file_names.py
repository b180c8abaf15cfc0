"""A flow file with the name of a module that others import: it runs on every executor, and hides nothing from them."""

import subprocess
import sys
from pathlib import Path

import pytest

FLOW = """
import beside
from turgo import flow, task

@task
def double(x): return beside.two * x

@flow
def doubles(): return double.map([1, 2])
"""
EXECUTORS = {
    "local": [],
    "local_dask": ["-o", "scheduler=processes", "-o", "num_workers=1"],
    "dask": ["-o", "cluster_kwargs.n_workers=1"],
}


@pytest.mark.parametrize("executor", EXECUTORS)
@pytest.mark.parametrize("name", ["random.py", "dask.py"])
def test_a_flow_may_have_the_name_of_a_module(executor: str, name: str, tmp_path: Path) -> None:
    """Of one of Python's that worker processes import, and of a package that is installed."""
    (tmp_path / name).write_text(FLOW)
    (tmp_path / "beside.py").write_text("two = 2")
    command = [str(Path(sys.executable).with_name("turgo")), "run", "-q", name, "-e", executor]
    done = subprocess.run(
        [*command, *EXECUTORS[executor]],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.stdout == "[2, 4]\n", done.stderr
