"""The project has one name."""

import subprocess
from pathlib import Path

FORMER = "pen" + "stock"
MAY_NAME_IT = {"CHANGELOG.md", "docs/adr/0011-the-name-turgo.md"}


def test_the_former_name_stands_nowhere_but_where_it_is_explained(root: Path) -> None:
    """Neither in a path nor in a line, in any case, outside of the changelog and the decision."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=root, check=True, capture_output=True, text=True
    ).stdout
    paths = [path for path in listed.split("\0") if path and (root / path).is_file()]
    assert len(paths) > 100
    found = [
        path
        for path in paths
        if path not in MAY_NAME_IT
        and (FORMER in path.lower() or FORMER.encode() in (root / path).read_bytes().lower())
    ]
    assert not found
