"""The plugin project that `turgo executors new` writes. Defines its name and its files, and writes them to the disk.

    name        my_grid            of the executor, and of its entry point
    distribution                   turgo-my-grid, and the folder
    package                        turgo_my_grid
    class_name                     MyGridExecutor

The files are templates of `string.Template`, data in the folder `template` beside this module.
"""

from __future__ import annotations

import keyword
import pkgutil
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from string import Template

import attrs

from turgo._version import __version__
from turgo.errors import ProjectError
from turgo.executor import API_VERSION
from turgo.names import canonicalise, normalise
from turgo.registry.catalogue import known_executors
from turgo.registry.plugins import installed

FILES: Mapping[str, str] = {
    ".github/workflows/tests.yml": "tests.yml",
    ".gitignore": "gitignore",
    "LICENSE": "LICENSE",
    "README.md": "README.md",
    "pyproject.toml": "pyproject.toml",
    "src/$package/__init__.py": "__init__.py",
    "src/$package/executor.py": "executor.py",
    "src/$package/plugin.py": "plugin.py",
    "src/$package/py.typed": "py.typed",
    "tests/test_conformance.py": "test_conformance.py",
}
"""The path of each file in the project, itself a template, and the name of its template without `.template`."""

NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
NAME_WIDTH = 30
"""Characters of a name with which the lines that hold it keep the length that the project's ruff admits."""


@attrs.frozen
class PluginProject:
    """A plugin that does not exist yet. name: of the executor, normalised."""

    name: str

    @classmethod
    def of(cls, asked: str) -> PluginProject:
        """The project for a name that is good and free. Raises ProjectError for any other."""
        name = normalise(asked)
        reason = _wrong_with(name)
        if reason:
            raise ProjectError(f"{asked!r} cannot be the name of an executor: {reason}", asked=asked)
        project = cls(name)
        owner = project._owner()
        if owner:
            raise ProjectError(
                f"the name {name!r} is taken, by {owner}: choose another one for yours", asked=asked
            )
        return project

    @property
    def distribution(self) -> str:
        """What is installed by pip, and the name of the folder."""
        return f"turgo-{self.name.replace('_', '-')}"

    @property
    def package(self) -> str:
        """What is imported."""
        return f"turgo_{self.name}"

    @property
    def class_name(self) -> str:
        """The class of the executor."""
        return "".join(part.capitalize() for part in self.name.split("_")) + "Executor"

    def files(self) -> dict[str, str]:
        """The text of each file by its path in the project."""
        words = {
            "name": self.name,
            "distribution": self.distribution,
            "package": self.package,
            "class_name": self.class_name,
            "api_version": str(API_VERSION),
            "version": __version__.partition("+")[0],  # a requirement cannot ask for a build of one's own
        }
        return {
            Template(path).substitute(words): Template(_template(name)).substitute(words)
            for path, name in FILES.items()
        }

    def write(self, folder: Path) -> Path:
        """Write the project into a folder of its own below `folder`, all of it or nothing; that folder's path.

        Raises ProjectError if there is something of that name already, or if it cannot be written.
        """
        target = folder / self.distribution
        if target.exists() or target.is_symlink():
            raise ProjectError(
                f"{target} exists already: move it away, or choose another --dir", asked=self.name
            )
        try:
            with tempfile.TemporaryDirectory(prefix=f".{self.distribution}-", dir=folder) as aside:
                whole = Path(aside, self.distribution)
                for path, text in self.files().items():
                    file = whole / path
                    file.parent.mkdir(parents=True, exist_ok=True)
                    file.write_text(text, encoding="utf-8")
                whole.rename(target)
        except OSError as error:
            reason = error.strerror or error
            raise ProjectError(f"{target} cannot be written: {reason}", asked=self.name) from error
        return target

    def _owner(self) -> str | None:
        """Who has the name, of the executor or of the distribution, as an error names them."""
        for plugin in installed().get(self.name, []):
            return f"{plugin.distribution} {plugin.version}, which is installed"
        for known in known_executors().values():
            if known.name == self.name or canonicalise(known.package) == self.distribution:
                return f"the known package {known.package}"
        from importlib_metadata import PackageNotFoundError, version

        try:
            return f"{self.distribution} {version(self.distribution)}, which is installed"
        except PackageNotFoundError:
            return None


def _wrong_with(name: str) -> str | None:
    if name.startswith("turgo_"):
        return f"the package is called {name.replace('_', '-')} for {name.removeprefix('turgo_')!r}; ask for that"
    if name == "turgo":
        return "it is the name of turgo itself"
    if not NAME.fullmatch(name):
        return "it is made of a letter, then letters (a to z) and digits, with single - or _ between them"
    if keyword.iskeyword(name):
        return "it is a keyword of Python"
    if len(name) > NAME_WIDTH:
        return f"it has {len(name)} characters, and {NAME_WIDTH} are the most"
    return None


def _template(name: str) -> str:
    data = pkgutil.get_data("turgo.cli.executors", f"template/{name}.template")
    return (data or b"").decode("utf-8")
