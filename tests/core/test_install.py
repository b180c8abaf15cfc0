"""The line that installs something names the environment that lacks it."""

import shlex
import subprocess
import sys

from turgo.install import pip_install


def test_the_line_is_for_the_python_that_runs(monkeypatch):
    """A shell takes it as it is, whatever the path holds."""
    words = shlex.split(pip_install("turgo[fsspec]", "dask-mpi", upgrade=True))
    assert words == [sys.executable, "-m", "pip", "install", "--upgrade", "turgo[fsspec]", "dask-mpi"]
    monkeypatch.setattr(sys, "executable", "/a b/python")
    assert pip_install("x") == "'/a b/python' -m pip install x"
    monkeypatch.setattr(sys, "executable", None)
    assert pip_install("x") == "python -m pip install x"


def test_what_is_installed_already_is_seen_by_it():
    """The line works: pip finds what this environment has."""
    done = subprocess.run(
        f"{pip_install('pluggy')} --quiet --no-index", shell=True, capture_output=True, text=True, timeout=100
    )
    assert done.returncode == 0, done.stderr
