"""The same program gives the same everywhere: each kind of code, by each way of running it, on each executor.

    programs/shapes.py, …   a flow each, and RIGHT, what it gives wherever and however it is run
    whole.py                all of them in one file, with a flow that calls theirs
    a way                   python whole.py, turgo run, python -m, pytest, a notebook, python -c, an installed command
    an executor             `bare` is a cluster whose workers have nothing but dask and cloudpickle

`pytest -s` prints the table of docs/flow-code.md: each kind, by each way, on each executor.
"""

import ast
import json
import os
import pickle
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.cluster]

PROGRAMS = Path(__file__).with_name("programs")
PAGE = Path(__file__).parents[3] / "docs" / "flow-code.md"
PARTS = ("shapes", "surroundings", "identity", "beside")

WHOLE = """
@flow
def whole():
    return {"shapes": shapes(), "surroundings": surroundings(), "identity": identity(), "beside": beside()}


def on_each(choices):
    found = {}
    for name, (executor, options) in choices.items():
        run = whole.run(executor=executor, executor_options=options)
        for each in run.task_runs:
            if each.error is not None:
                print(name, each.name, each.error, each.traceback, file=sys.stderr)
        found[name] = run.result
    return found


if __name__ == "__main__":
    import json, os
    print(on_each(json.loads(os.environ["CHOICES"])))
"""
"""What stands behind the parts."""

EXECUTORS: dict[str, tuple[str, dict[str, Any]]] = {
    "local": ("local", {}),
    "synchronous": ("local_dask", {"scheduler": "synchronous"}),
    "threads": ("local_dask", {"scheduler": "threads", "num_workers": 2}),
    "processes": ("local_dask", {"scheduler": "processes", "num_workers": 2}),
    "dask": ("dask", {"cluster_kwargs": {"n_workers": 2, "threads_per_worker": 1}}),
    "bare": ("dask", {}),
}
TITLES = {"bare": "bare workers"}
"""What the page calls them, if not so."""

Choices = dict[str, tuple[str, dict[str, Any]]]

ANOTHER_PROGRAM = """
import pickle, sys
for text in pickle.load(open("pickles", "rb")):
    curve, point, cls, function = pickle.loads(text)
    module = sys.modules[cls.__module__]
    assert curve == module.Curve(1.5) and point == module.Curve.Point()
    assert cls is module.Curve and function is module.discharge, text
"""
"""Loads what the first one has pickled."""


def source_of(part: str) -> Path:
    """The file of a part, which may lie in a folder with others that it imports."""
    folder = PROGRAMS / part
    return folder / f"{part}.py" if folder.is_dir() else PROGRAMS / f"{part}.py"


def right() -> dict[str, dict[str, object]]:
    """What the parts give, as each says itself under the name RIGHT."""
    found: dict[str, dict[str, object]] = {}
    for part in PARTS:
        (value,) = re.findall(
            r"^RIGHT = (\{.*?^\})$", source_of(part).read_text("utf-8"), re.MULTILINE | re.DOTALL
        )
        found[part] = ast.literal_eval(value)
    return found


def whole() -> str:
    """The file of all parts."""
    texts = [source_of(part).read_text("utf-8").partition('if __name__ == "__main__"')[0] for part in PARTS]
    return "".join([*texts, WHOLE])


class Project:
    """A folder with the program in it, which runs on some executors."""

    def __init__(self, folder: Path, choices: Choices) -> None:
        self.folder = folder
        self.choices = choices
        self.environment = {
            **{
                name: value for name, value in os.environ.items() if not name.startswith(("TURGO_", "PYTHON"))
            },
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "CHOICES": json.dumps(choices),
            "JUPYTER_PLATFORM_DIRS": "1",
        }

    def write(self, path: str, text: str) -> Path:
        """A file of the project."""
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        return file

    def place(self, at: str = ".") -> None:
        """Put the program there, and what lies beside it."""
        target = self.folder / at
        shutil.copytree(PROGRAMS / "beside", target, dirs_exist_ok=True)
        self.write(f"{at}/whole.py", whole())

    def run(self, *command: str) -> str:
        """Standard output of a command that is to end with 0; both outputs of one that does not."""
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=200,
            check=False,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        sys.stderr.write(done.stderr)
        return done.stdout


Found = dict[str, dict[str, dict[str, Any]]]
"""By executor, part and kind."""


def printed(output: str) -> Found:
    """The dict among what was printed."""
    found: Found = ast.literal_eval(output[output.index("{") : output.rindex("}") + 1])
    return found


def as_script(project: Project) -> Found:
    """`python whole.py`."""
    project.place()
    return printed(project.run("python", "whole.py"))


def options_of(options: dict[str, Any], before: str = "") -> Iterator[str]:
    """As the command line takes them: `-o cluster_kwargs.n_workers=2`."""
    for key, value in options.items():
        if isinstance(value, dict):
            yield from options_of(value, f"{before}{key}.")
        else:
            yield from ("-o", f"{before}{key}={value}")


def by_the_command(project: Project) -> Found:
    """`turgo run flows/whole.py:whole`."""
    project.place("flows")
    found = {}
    for name, (executor, options) in project.choices.items():
        chosen = ("--executor", executor, *options_of(options))
        found[name] = printed(project.run("turgo", "run", "-q", "flows/whole.py:whole", *chosen))
    return found


def as_module(project: Project) -> Found:
    """`python -m study.whole`, where modules beside it are found by way of a variable."""
    project.write("study/__init__.py", "")
    project.place("study")
    project.environment["PYTHONPATH"] = "study"
    return printed(project.run("python", "-m", "study.whole"))


def from_a_test(project: Project) -> Found:
    """`pytest`, which imports the program for its test."""
    project.place()
    lines = (
        "import json, os, whole",
        "def test_flow():",
        "    print(whole.on_each(json.loads(os.environ['CHOICES'])))",
    )
    project.write("test_whole.py", "\n".join(lines))
    return printed(
        project.run("python", "-m", "pytest", "-q", "-s", "-p", "no:cacheprovider", "--rootdir", ".", ".")
    )


def in_a_notebook(project: Project) -> Found:
    """The program as the cell of a notebook."""
    project.place()
    lines = (
        "import nbclient, nbformat",
        "cell = nbformat.v4.new_code_cell(open('whole.py').read())",
        "notebook = nbformat.v4.new_notebook(cells=[cell])",
        "nbclient.NotebookClient(notebook, timeout=200, kernel_name='python3').execute()",
        "print(*(output.text for output in cell.outputs if output.get('name') == 'stdout'))",
    )
    return printed(project.run("python", "-W", "ignore", "-c", "\n".join(lines)))


def by_a_line(project: Project) -> Found:
    """`python -c`, which imports it."""
    project.place()
    line = "import json, os, whole; print(whole.on_each(json.loads(os.environ['CHOICES'])))"
    return printed(project.run("python", "-c", line))


def by_an_installed_command(project: Project) -> Found:
    """A command of a distribution that is installed where the driver is, and nowhere else."""
    project.place("site")
    files = [path.relative_to(project.folder / "site") for path in (project.folder / "site").rglob("*.py")]
    project.write("site/study-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: study\nVersion: 1.0\n")
    project.write("site/study-1.0.dist-info/RECORD", "".join(f"{file},,\n" for file in files))
    lines = (
        f"#!{sys.executable}",
        "import json, os\nfrom whole import on_each",
        "if __name__ == '__main__':\n    print(on_each(json.loads(os.environ['CHOICES'])))",
    )
    command = project.write("bin/study", "\n".join(lines))
    command.chmod(0o755)
    project.environment["PYTHONPATH"] = "site"
    return printed(project.run(str(command)))


class Way(NamedTuple):
    """A way to run it, and where another program imports it from; None if there is no file to import."""

    run: Callable[[Project], Found]
    folder: str | None = "."


WAYS = {
    "python whole.py": Way(as_script),
    "turgo run whole.py": Way(by_the_command, "flows"),
    "python -m study.whole": Way(as_module, f".{os.pathsep}study"),
    "pytest": Way(from_a_test),
    "a notebook": Way(in_a_notebook, None),
    "python -c": Way(by_a_line),
    "an installed command": Way(by_an_installed_command, "site"),
}

EVERY_DAY = ("python whole.py", "turgo run whole.py", "pytest", "a notebook")
"""The ways that `make test` tries; the others differ from the first in how Python finds the program."""

ALL_CELLS = "EVERY_CELL" in os.environ
"""Whether each way is tried on each executor; else all but the first one on `local`, bare workers, and one more."""

NO_FILE = {"in_another_interpreter": ["__main__", "levels"], "in_a_spawned_process": "BrokenProcessPool"}
NO_TURGO = {"in_another_interpreter": ["no turgo", "levels"], "in_a_spawned_process": "BrokenProcessPool"}
"""What another process cannot import: a notebook, which has no file; the flow's own file where turgo is missing."""

PICKLED = ("pickled_by_a_flow", "pickled_by_a_task")
"""What is loaded by another program in the end."""


@pytest.fixture
def choices(way: str, same_cluster: Any, bare_cluster: Any) -> Choices:
    """The executors, of which another one is the first by each way: that one finds the program as it was started."""
    found = {**EXECUTORS, "bare": ("dask", bare_cluster.options)}
    number = list(WAYS).index(way)
    if (
        number > 0
    ):  # the first one has a cluster of its own, whose processes import the script; the others share one
        found["dask"] = ("dask", same_cluster.options)
        if not ALL_CELLS:
            one_more = ("processes", "dask", "threads")[number % 3]
            found = {name: found[name] for name in ("local", "bare", one_more)}
    first = number % len(found)
    return dict([*found.items()][first:] + [*found.items()][:first])


@pytest.mark.parametrize(
    "way",
    [pytest.param(way, marks=[pytest.mark.matrix] * (way not in EVERY_DAY)) for way in WAYS],
)
def test_the_program_gives_the_same(way: str, choices: Choices, tmp_path: Path) -> None:
    """Each kind of value, global, module and identity in the program is what the program itself says is right."""
    project = Project(tmp_path / "project", choices)
    run, folder = WAYS[way]
    found = run(project)
    pickles = [values["identity"].pop(kind) for values in found.values() for kind in PICKLED]
    wanted = {name: wanted_of(name, folder) for name in found}
    names = [name for name in EXECUTORS if name in found]
    print(way, *(TITLES.get(name, name) for name in names), sep=" | ")
    for part, kinds in wanted["local"].items():
        for kind in kinds:
            print(
                kind, *(cell(found[name][part][kind], wanted[name], part, kind) for name in names), sep=" | "
            )
    assert found == wanted
    if folder is not None:
        load_elsewhere(pickles, project, tmp_path / "moved", folder)


def wanted_of(executor: str, folder: str | None) -> dict[str, dict[str, object]]:
    """What an executor is to give."""
    found = {
        part: {kind: kinds[kind] for kind in kinds if kind not in PICKLED} for part, kinds in right().items()
    }
    if folder is None or executor == "bare":
        found["identity"] |= NO_FILE if folder is None else NO_TURGO
    return found


def cell(value: object, wanted: dict[str, dict[str, object]], part: str, kind: str) -> str:
    """How it compares, in the words of the page."""
    if value != wanted[part][kind]:
        return "differs"
    return "same" if wanted[part][kind] == right()[part][kind] else "cannot be imported"


def load_elsewhere(pickles: list[bytes], project: Project, moved: Path, folder: str) -> None:
    """Load them in another program, after the folder has moved."""
    project.folder = project.folder.rename(moved)
    (moved / "pickles").write_bytes(pickle.dumps(pickles))
    project.environment["PYTHONPATH"] = folder
    project.run("python", "-c", ANOTHER_PROGRAM)


def test_the_page_lists_every_kind() -> None:
    """The table of the page names each kind once, and has a column for each executor."""
    page = PAGE.read_text("utf-8")
    rows = [row.split(" | ")[0] for row in page.splitlines() if row.startswith("| `")]
    names = [name for row in rows for name in re.findall(r"`(\w+)`", row)]
    assert sorted(names) == sorted(kind for kinds in right().values() for kind in kinds)
    assert all(f"| {TITLES.get(name, name)} " in page for name in EXECUTORS)
