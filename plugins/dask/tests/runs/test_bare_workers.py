"""Code arrives: on a scheduler and workers whose Python has dask, and neither turgo nor the flow's files."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import textwrap
import venv
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click
import pluggy
import pytest

from turgo import flow, task
from turgo.executor import Executor
from turgo.flows.files.flow_file import load_flow
from turgo.records.flow_run import FlowRun
from turgo.records.states import TaskState
from turgo_dask import DaskExecutor

OURS = ("turgo", "_turgo", "__editable__", "_editable", "attr", "pluggy")

FLOW = """
import logging
import turgo
from turgo import Skip, flow, task
import neighbour
from nearby.inside import twice

@task
def add(x):
    return neighbour.add(x)

@task(retries=1)
def both(x):
    logging.getLogger("there").warning("at %s", x)
    return twice(add(x))

@task
def skips(x):
    if x == 1:
        raise Skip("by name")
    if x == 2:
        raise turgo.Skip("by module")
    return neighbour.Pair(x, x)

@task
def numbers(count):
    return bytearray(count)

@task
def size(data):
    return len(data)

@task
def installed():
    import importlib.util
    return [name for name in ("attrs", "pluggy", "click") if importlib.util.find_spec(name)]

@flow
def everything():
    large = numbers(300_000)
    return {"both": both.map(range(200)), "skips": skips.map(range(4)), "size": size(large), "has": installed()}

@task
def missing():
    import no_such_package

@flow
def fails():
    return missing()
"""


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python that has all that this one has, save turgo and what only turgo needs."""
    home = tmp_path_factory.mktemp("bare") / "env"
    venv.create(home, with_pip=False, symlinks=True)
    packages = home / "packages"
    packages.mkdir()
    for each in Path(sysconfig.get_path("purelib")).iterdir():
        if each.suffix != ".pth" and not each.name.startswith(OURS):
            (packages / each.name).symlink_to(each)
    site = sysconfig.get_path("purelib", vars={"base": str(home)})
    (Path(site) / "bare.pth").write_text(f"{packages}\n")
    return home / "bin" / "python"


@pytest.fixture(scope="module")
def bare(python: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The scheduler file of a cluster of two such workers."""
    folder = tmp_path_factory.mktemp("cluster")
    file = folder / "scheduler.json"
    scheduler = ["--no-dashboard", "--host", "127.0.0.1", "--port", "0", "--dashboard-address", "127.0.0.1:0"]
    worker = ["--no-nanny", "--nthreads", "1", "--no-dashboard", "--death-timeout", "30"]
    with ExitStack() as stack:
        for command, options in (("scheduler", scheduler), ("worker", worker), ("worker", worker)):
            program = [str(python), "-m", f"distributed.cli.dask_{command}", "--scheduler-file", str(file)]
            process = subprocess.Popen([*program, *options], cwd=folder, stderr=subprocess.DEVNULL)
            stack.callback(process.wait)
            stack.callback(process.kill)
        yield file


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A flow file, and in its folder a module and a package that it needs."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "work.py").write_text(FLOW)
    (tmp_path / "neighbour.py").write_text(
        "from dataclasses import dataclass\nSTEP = 10\n@dataclass\nclass Pair:\n    a: int\n    b: int\n"
        "def add(x): return x + STEP\n"
    )
    (tmp_path / "nearby").mkdir()
    (tmp_path / "nearby" / "__init__.py").touch()
    (tmp_path / "nearby" / "inside.py").write_text("def twice(x): return 2 * x\n")
    before = set(sys.modules)
    yield tmp_path / "work.py"
    for name in set(sys.modules) - before:
        if name.partition(".")[0] in ("neighbour", "nearby"):
            del sys.modules[name]


def _run(file: Path, name: str, executor: Executor) -> FlowRun:
    loaded: Any = load_flow(f"{file}:{name}")
    return loaded.run(executor=executor)  # type: ignore[no-any-return]


def test_a_flow_file_and_its_neighbours_run_on_workers_that_have_none_of_it(bare: Path, file: Path) -> None:
    """Tasks that call tasks, a module and a package of its folder, Skip, records, logs, large values."""
    run = _run(file, "everything", DaskExecutor(scheduler_file=str(bare), debug=False))
    assert run.ok, [(each.name, each.error) for each in run.task_runs if each.error]
    assert run.result["both"] == [2 * (x + 10) for x in range(200)]
    assert run.result["size"] == 300_000
    assert run.result["has"] == ["click"]
    import neighbour  # type: ignore[import-not-found]

    assert run.result["skips"] == [neighbour.Pair(0, 0), neighbour.Pair(3, 3)]
    assert [each.state for each in run.task_runs if each.name == "skips"].count(TaskState.SKIPPED) == 2
    logged = [line.message for each in run.task_runs if each.name == "both" for line in each.logs]
    assert sorted(logged) == sorted(f"at {x}" for x in range(200))


def test_a_missing_import_is_the_failure_of_its_task(bare: Path, file: Path) -> None:
    """It names the module; the record names the worker."""
    run = _run(file, "fails", DaskExecutor(scheduler_file=str(bare), debug=False))
    (task_run,) = run.task_runs
    assert not run.ok
    assert isinstance(task_run.error, ModuleNotFoundError)
    assert "no_such_package" in str(task_run.error)
    assert task_run.worker


def test_a_function_whose_module_is_missing_there_says_where(bare: Path) -> None:
    """A task of a package that is installed here alone: the error names the package and the worker."""
    installed_here: Any = task(click.style)

    @flow
    def main() -> Any:
        return installed_here("x")

    run = main.run(executor=DaskExecutor(scheduler_file=str(bare), debug=False))
    assert run.ok  # click comes with dask

    only_here: Any = task(pluggy.HookspecMarker, name="mark")

    @flow
    def second() -> Any:
        return only_here("x")

    (task_run,) = second.run(executor=DaskExecutor(scheduler_file=str(bare), debug=False)).task_runs
    assert isinstance(task_run.error, ModuleNotFoundError)
    assert "pluggy" in str(task_run.error)
    assert "on the worker" in str(task_run.error)


def test_a_script_carries_its_functions(bare: Path, tmp_path: Path) -> None:
    """What a script defines, and the module beside it, run on workers that do not have them."""
    (tmp_path / "beside.py").write_text("def half(x): return x / 2\n")
    script = tmp_path / "script.py"
    script.write_text(
        textwrap.dedent(f"""
            from turgo import flow, task
            import beside

            @task
            def halve(x):
                return beside.half(x)

            @flow
            def main():
                return halve.map(range(5))

            if __name__ == "__main__":
                options = {{"scheduler_file": {str(bare)!r}}}
                print(main.run(executor="dask", executor_options=options).result)
        """)
    )
    done = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout.strip() == "[0.0, 0.5, 1.0, 1.5, 2.0]", done.stderr
