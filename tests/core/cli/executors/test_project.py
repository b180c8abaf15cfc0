"""`turgo executors new`: the project it writes, the names and folders it refuses, and nothing half done."""

import os
import re
import subprocess
import sys
import tomllib
from importlib import resources
from pathlib import Path
from typing import Any, Protocol

import click
import pytest

from turgo._version import __version__
from turgo.cli import main
from turgo.cli.executors.project import FILES, PluginProject
from turgo.executor import API_VERSION, CAPABILITIES
from turgo.registry.precedence import get_executor
from turgo.registry.resolve import Registry


class Site(Protocol):
    """The fixture `site`."""

    folder: Path

    def install(self, distribution: str, modules: dict[str, str], executors: dict[str, str]) -> None:
        """Lay out a distribution."""

    def install_plugin(self, name: str, *, distribution: str = ...) -> None:
        """Lay out a complete plugin."""


@pytest.fixture(autouse=True)
def _in_an_empty_folder(project: Path) -> None:
    """What a test writes, it writes there."""


def refusal(capsys: pytest.CaptureFixture[str], *args: str) -> str:
    """What standard error says of a command that exits with 2 and leaves the folder as it was."""
    before = sorted(Path().rglob("*"))
    assert main(["executors", "new", *args]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert sorted(Path().rglob("*")) == before
    return click.unstyle(shown.err)


def metadata(folder: Path) -> dict[str, Any]:
    """The `[project]` table that was written."""
    table: dict[str, Any] = tomllib.loads((folder / "pyproject.toml").read_text("utf-8"))["project"]
    return table


def lay_out(site: Site, name: str) -> PluginProject:
    """Install what is written for a name into the site, as a wheel of it would be."""
    written = PluginProject.of(name)
    modules = {
        path.removeprefix("src/"): text for path, text in written.files().items() if path.startswith("src/")
    }
    site.install(written.distribution, modules, {written.name: f"{written.package}.plugin"})
    return written


def test_it_writes_a_whole_project() -> None:
    """Every file that a package on an index, its tests and its CI need, and nothing besides."""
    assert main(["executors", "new", "turbine"]) == 0
    assert os.listdir() == ["turgo-turbine"]
    written = {str(path.relative_to("turgo-turbine")) for path in Path().rglob("*") if path.is_file()}
    assert written == {
        ".github/workflows/tests.yml",
        ".gitignore",
        "LICENSE",
        "README.md",
        "pyproject.toml",
        "src/turgo_turbine/__init__.py",
        "src/turgo_turbine/executor.py",
        "src/turgo_turbine/plugin.py",
        "src/turgo_turbine/py.typed",
        "tests/test_conformance.py",
    }


def test_every_template_is_used() -> None:
    """The folder of templates holds those of the table and no other."""
    held = {each.name for each in resources.files("turgo.cli.executors").joinpath("template").iterdir()}
    assert held == {f"{name}.template" for name in FILES.values()}


@pytest.mark.parametrize(
    ("asked", "distribution", "package", "entry_point", "class_name"),
    [
        ("turbine", "turgo-turbine", "turgo_turbine", "turbine", "TurbineExecutor"),
        ("my-grid", "turgo-my-grid", "turgo_my_grid", "my_grid", "MyGridExecutor"),
        ("my_grid", "turgo-my-grid", "turgo_my_grid", "my_grid", "MyGridExecutor"),
        ("HPC2-Long", "turgo-hpc2-long", "turgo_hpc2_long", "hpc2_long", "Hpc2LongExecutor"),
        ("x", "turgo-x", "turgo_x", "x", "XExecutor"),
    ],
)
def test_one_name_gives_all_others(
    asked: str, distribution: str, package: str, entry_point: str, class_name: str
) -> None:
    """`-` and `_` are one in what is asked; each place has the form that is the custom there."""
    assert main(["executors", "new", asked]) == 0
    folder = Path(distribution)
    table = metadata(folder)
    assert table["name"] == distribution
    assert table["entry-points"]["turgo.executors"] == {entry_point: f"{package}.plugin"}
    assert f"class {class_name}(Executor):" in (folder / "src" / package / "executor.py").read_text("utf-8")
    assert f'target="{package}.executor:{class_name}"' in (folder / "src" / package / "plugin.py").read_text()
    assert f'executor = "{entry_point}"' in (folder / "tests/test_conformance.py").read_text("utf-8")


def test_what_is_written_is_python_and_has_no_placeholder_left() -> None:
    """Each module compiles; a `$` stands only where the file itself means one."""
    for path, text in PluginProject.of("my-grid").files().items():
        assert "$" not in path
        meant = re.sub(r"\$\{\{ matrix\.python \}\}|^\$ ", "", text, flags=re.MULTILINE)
        assert "$" not in meant, path
        if path.endswith(".py"):
            compile(text, path, "exec")


def test_the_metadata_is_what_an_index_wants() -> None:
    """It asks for this turgo or a newer one, names its Python, and brings the suite as an extra."""
    assert main(["executors", "new", "turbine"]) == 0
    table = metadata(Path("turgo-turbine"))
    release = __version__.partition("+")[0]
    assert table["dependencies"] == [f"turgo>={release}"]
    assert table["optional-dependencies"] == {"testing": [f"turgo[testing]>={release}"]}
    assert table["requires-python"] == ">=3.11"
    assert "Typing :: Typed" in table["classifiers"]


def test_no_licence_is_given_away() -> None:
    """The choice is the author's: none is claimed, and indexes refuse the package until there is one."""
    assert main(["executors", "new", "turbine"]) == 0
    table = metadata(Path("turgo-turbine"))
    assert "license" not in table
    assert "Private :: Do Not Upload" in table["classifiers"]
    assert Path("turgo-turbine/LICENSE").read_text("utf-8").startswith("No licence has been chosen yet.")


def test_the_executor_that_is_written_runs_calls(site: Site) -> None:
    """It is found by its name, takes its option, refuses a senseless one, and its calls run at the same time."""
    lay_out(site, "my-grid")
    with get_executor("my-grid", workers=3).start() as executor:
        assert executor.slots == 3
        assert executor.wait(executor.map(abs, [-1, 2, -3])) == [1, 2, 3]
    with pytest.raises(ValueError, match="at least 1, not 0"):
        type(executor)(workers=0)


def test_the_spec_says_what_the_class_says(site: Site) -> None:
    """Capabilities and API version, as numbers of their own; reading the spec does not import the executor."""
    written = lay_out(site, "turbine")
    spec = Registry().spec("turbine")
    assert f"{written.package}.executor" not in sys.modules
    cls = Registry().resolve("turbine").cls
    assert spec.capabilities == cls.capabilities == {"parallel"} <= CAPABILITIES.keys()
    assert spec.api_version == vars(cls)["api_version"] == API_VERSION
    text = (site.folder / written.package / "plugin.py").read_text("utf-8")
    assert (
        f"api_version={API_VERSION}," in text
    )  # the number itself: a default would follow what is installed
    assert getattr(sys.modules[written.package], written.class_name) is cls


def test_what_is_written_has_the_modes_of_its_surroundings() -> None:
    """Folder and files have the modes that any new ones get here."""
    Path("other").mkdir()
    Path("other/file").touch()
    assert main(["executors", "new", "turbine"]) == 0
    assert Path("turgo-turbine").stat().st_mode == Path("other").stat().st_mode
    assert Path("turgo-turbine/README.md").stat().st_mode == Path("other/file").stat().st_mode


@pytest.mark.parametrize("kind", ["folder", "file", "link"])
def test_what_is_there_already_is_left_alone(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    """An empty folder, a file, and a link to nowhere too."""
    target = Path("turgo-turbine")
    if kind == "folder":
        target.mkdir()
    elif kind == "file":
        target.write_text("mine")
    else:
        target.symlink_to("nowhere")
    assert "turgo-turbine exists already" in refusal(capsys, "turbine")


def test_a_folder_that_is_not_there_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """`--dir` names one that exists; a file is none."""
    assert "'nowhere' does not exist" in refusal(capsys, "turbine", "--dir", "nowhere")
    Path("file").touch()
    assert "'file' is a file" in refusal(capsys, "turbine", "--dir", "file")


def test_what_cannot_be_written_whole_is_not_written_at_all() -> None:
    """When writing fails half-way (no file may grow beyond 1,000 bytes), nothing is left, and it exits with 2."""
    code = (
        "import resource, sys; from turgo.cli import main; import turgo.cli.executors.project\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "sys.exit(main(['executors', 'new', 'turbine']))"
    )
    done = subprocess.run(
        [sys.executable, "-B", "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 2, done.stderr
    assert "Error: turgo-turbine cannot be written: File too large" in done.stderr
    assert os.listdir() == []
