"""Print, as pip constraints, the lowest versions that a pyproject.toml admits of what it depends on.

CI installs these in its isolation jobs, so that a lower bound is a version on which the tests have passed.
"""

import re
import sys
import tomllib
from pathlib import Path

BOUND = re.compile(r"(?P<name>[A-Za-z0-9._-]+)(\[[^]]*\])?>=(?P<version>[0-9.]+)$")


def bounds(pyproject: Path) -> dict[str, str]:
    """Name and lowest version of each requirement of one distribution and its extras, turgo's excepted."""
    project = tomllib.loads(pyproject.read_text(encoding="utf-8"))["project"]
    extras = project.get("optional-dependencies", {}).values()
    requirements = [*project["dependencies"], *(line for extra in extras for line in extra)]
    found = {}
    for requirement in requirements:
        match = BOUND.fullmatch(requirement)
        if match is None:
            raise SystemExit(f"{pyproject}: {requirement!r} has no lower bound of the form name>=version")
        if not match["name"].startswith("turgo"):
            found[match["name"]] = match["version"]
    return found


def main(paths: list[str]) -> None:
    """Print the constraints of the pyproject files named on the command line, one a line."""
    for path in paths:
        for name, version in sorted(bounds(Path(path)).items()):
            print(f"{name}=={version}")


if __name__ == "__main__":
    main(sys.argv[1:])
