"""A house is the folder of one distribution. All of them carry one version, each written in its `_version.py`."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import NamedTuple

VERSION = re.compile(r'^__version__ = "([^"]+)"$', re.MULTILINE)
SECTION = "## [{version}] - "


class House(NamedTuple):
    """One distribution: its name on the index, its folder, the package that one imports, its version."""

    name: str
    folder: Path
    package: str
    version: str

    @property
    def certified(self) -> bool:
        """Whether its wheel has a certificate of the conformance suite: it has an executor."""
        return self.folder.parent.name == "plugins"


def houses(root: Path) -> list[House]:
    """The houses of a checkout, core first."""
    files = [root / "core/pyproject.toml", *sorted(root.glob("plugins/*/pyproject.toml"))]
    return [house(file.parent) for file in files]


def house(folder: Path) -> House:
    """The house in a folder, by its pyproject.toml."""
    project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))
    source = folder / project["tool"]["hatch"]["version"]["path"]
    stated = VERSION.search(source.read_text(encoding="utf-8"))
    if stated is None:
        raise ValueError(f'{source} has no line of the form __version__ = "…"')
    return House(project["project"]["name"], folder, source.parent.name, stated[1])


def version_faults(built: list[House]) -> list[str]:
    """What is wrong where the houses do not carry one version."""
    if len({each.version for each in built}) == 1:
        return []
    return ["the versions are not in step: " + ", ".join(f"{each.name} {each.version}" for each in built)]


def changelog_faults(text: str, version: str, tag: str | None) -> list[str]:
    """What is wrong with the changelog of a version, which is to be released under a tag if one is given."""
    heading = SECTION.format(version=version)
    line = next((line for line in text.splitlines() if line.startswith(heading)), None)
    if line is None:
        return [f"CHANGELOG.md has no section that begins {heading!r}"]
    faults = []
    if not text.split(line, 1)[1].split("\n## ", 1)[0].strip():
        faults.append(f"the section {line!r} of CHANGELOG.md is empty")
    if tag is not None and tag != f"v{version}":
        faults.append(f"the tag is {tag}, and the version {version}")
    if tag is not None and not re.fullmatch(r"\d{4}-\d{2}-\d{2}", line.removeprefix(heading)):
        faults.append(f"the section {line!r} of CHANGELOG.md has no date, and this is a release")
    return faults
