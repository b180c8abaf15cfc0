"""The map in docs/design.md leads to what is there: its paths, its floors, its index of decisions."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGES = {
    "turgo_dask": "plugins/dask/src",
    "turgo_local_dask": "plugins/local_dask/src",
    "turgo_local": "plugins/local/src",
}
SPAN = re.compile(r"`([^`\n]+)`")
PATH = re.compile(r"[\w./]+\.py|[\w./]+/")
FLOOR = re.compile(r"^([a-z_, ]+?)  +\S")


@pytest.fixture(scope="module")
def page(root: Path) -> str:
    """The text of the page."""
    return (root / "docs/design.md").read_text(encoding="utf-8")


def paths(text: str) -> Iterator[str]:
    """The files and folders that a text names in code spans."""
    return (span for span in SPAN.findall(text) if PATH.fullmatch(span))


def section(page: str, heading: str) -> str:
    """What stands under a heading of the second level."""
    return page.split(f"\n## {heading}", 1)[1].split("\n## ", 1)[0]


def test_every_path_of_the_map_exists(page: str, root: Path) -> None:
    """A file or folder that the page names is there: in core, in a plugin, or in the checkout."""
    named = set(paths(page))
    homes = [root / "core/src/turgo", root, *(root / home for home in PACKAGES.values())]
    assert len(named) > 25
    assert not [path for path in named if not any((home / path).exists() for home in homes)]


def test_each_request_has_its_place(page: str) -> None:
    """The fifteen requests of "where do I change" each name a file."""
    rows = [line for line in section(page, "Where do I change").splitlines() if line.startswith("| ")][2:]
    assert len(rows) >= 15
    assert not [row for row in rows if not any(path.endswith(".py") for path in paths(row))]


@pytest.mark.parametrize("contract", ["floors", "engine"])
def test_the_floors_are_drawn_as_they_are_held(contract: str, page: str, root: Path) -> None:
    """The page draws the layers of the import contract, in its order."""
    settings = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = settings["tool"]["importlinter"]["contracts"]
    held = [
        set(re.split(r" [|:] ", layer)) for c in contracts if c["id"] == contract for layer in c["layers"]
    ]
    drawings = [
        [set(found[1].split(", ")) for line in block.splitlines() if (found := FLOOR.match(line))]
        for block in section(page, "The floors").split("```")[1::2]
    ]
    assert held in drawings


def test_the_index_of_decisions_is_whole(root: Path) -> None:
    """docs/adr/README.md has a line for each decision, with its title."""
    folder = root / "docs/adr"
    index = (folder / "README.md").read_text(encoding="utf-8")
    for decision in folder.glob("0*.md"):
        title = decision.read_text(encoding="utf-8").splitlines()[0].partition(". ")[2]
        assert f"[{decision.name[:4]}]({decision.name}) | {title} |" in index, decision.name
