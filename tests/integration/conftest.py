"""What the tests of this folder share: environments that are made anew."""

import subprocess
import sysconfig
import venv
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

import pytest


class Environment:
    """A virtual environment in a folder of its own, which is where its commands run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        venv.create(folder / "venv", with_pip=False, symlinks=True)
        self.python = folder / "venv" / "bin" / "python"
        inner = sysconfig.get_path("purelib", vars={"base": str(folder / "venv")})
        outer = sysconfig.get_path("purelib")
        Path(inner, "outer.pth").write_text(f"import site; site.addsitedir({outer!r})\n", encoding="utf-8")
        for command in entry_points(group="console_scripts"):
            self._write_command(command)

    def _write_command(self, command: EntryPoint) -> None:
        """A command of what is installed beside the tests, run by the Python of this environment."""
        script = self.python.with_name(command.name)
        module, _, function = command.value.partition(":")
        script.write_text(
            f"#!{self.python}\nimport sys\nfrom {module} import {function}\nsys.exit({function}())\n"
        )
        script.chmod(0o755)

    def run(self, *arguments: str, folder: str = ".") -> str:
        """Standard output of `python -m …`, which is to end with 0."""
        done = subprocess.run(
            [str(self.python), "-m", *arguments],
            cwd=self.folder / folder,
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def install(self, *arguments: str) -> None:
        """`pip install` from what is here, and from nowhere else."""
        apart = ("--no-index", "--no-deps", "--no-build-isolation")
        self.run("pip", "--disable-pip-version-check", "install", "--quiet", *apart, *arguments)


@pytest.fixture(scope="session")
def new_environment() -> type[Environment]:
    """Makes a virtual environment in a folder, in which all is to be had that is installed beside the tests."""
    return Environment
