"""Clusters for programs as people write them: nothing of a program can be imported where the workers are."""

import os
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import distribution
from pathlib import Path
from typing import Self

import pytest
from packaging.requirements import Requirement


class Cluster:
    """A scheduler and two workers, processes of a Python that is given, in a folder of their own."""

    def __init__(self, folder: Path, python: list[str], environment: dict[str, str]) -> None:
        self._file = folder / "scheduler.json"
        self._folder = folder
        self._python = python
        self._environment = environment
        self._processes: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        options = ("--host", "127.0.0.1", "--no-dashboard")
        self._start("scheduler", "--port", "0", "--dashboard-address", "127.0.0.1:0", *options)
        for _ in range(2):
            self._start("worker", "--nthreads", "1", "--no-nanny", *options)
        return self

    def __exit__(self, *error: object) -> None:
        for process in self._processes:
            process.kill()
            process.wait()

    def _start(self, kind: str, *options: str) -> None:
        command = [*self._python, "-m", f"distributed.cli.dask_{kind}", "--scheduler-file", str(self._file)]
        with open(self._folder / "log.txt", "ab") as log:
            process = subprocess.Popen(
                [*command, *options], cwd=self._folder, env=self._environment, stdout=log, stderr=log
            )
        self._processes.append(process)

    @property
    def options(self) -> dict[str, str]:
        """What leads to it. The file may be still to come: who connects waits for it."""
        return {"scheduler_file": str(self._file)}


def plain_environment() -> dict[str, str]:
    """The variables of this process without those that lead to code of the project."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("TURGO_", "PYTHON"))}


def requirements_of(*names: str) -> set[str]:
    """The distributions that these need, themselves among them."""
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            needed = [Requirement(line) for line in distribution(name).requires or []]
            waiting += [
                one.name for one in needed if one.marker is None or one.marker.evaluate({"extra": ""})
            ]
    return found


def installed_into(folder: Path, *names: str) -> None:
    """Link what these distributions and all that they need have installed into a folder."""
    for name in requirements_of(*names):
        found = distribution(name)
        for top in {
            file.parts[0] for file in found.files or [] if file.parts[0] not in {"..", "__pycache__"}
        }:
            if not (folder / top).exists():
                (folder / top).symlink_to(Path(str(found.locate_file(top))))


@pytest.fixture(scope="session")
def same_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Workers that have what is installed here, turgo too, but not the programs."""
    with Cluster(tmp_path_factory.mktemp("same"), [sys.executable], plain_environment()) as cluster:
        yield cluster


@pytest.fixture(scope="session")
def bare_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Workers that have dask and cloudpickle, with what these need, and nothing of turgo."""
    folder = tmp_path_factory.mktemp("bare")
    packages = folder / "packages"
    packages.mkdir()
    installed_into(packages, "distributed", "cloudpickle")
    python = [getattr(sys, "_base_executable", sys.executable), "-S"]
    with Cluster(folder, python, {**plain_environment(), "PYTHONPATH": str(packages)}) as cluster:
        yield cluster
