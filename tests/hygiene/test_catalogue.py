"""The page of known executors says what the catalogue says."""

import re
import tomllib
from pathlib import Path

ROW = re.compile(r"^\| `(\w+)` \| `([\w-]+)` \| (.+?) \|$", re.MULTILINE)


def test_the_page_and_the_catalogue_agree(root: Path) -> None:
    """Each line of the data is a row of the page, in the same order and the same words, and the other way round."""
    data = tomllib.loads((root / "core/src/turgo/catalogue.toml").read_text(encoding="utf-8"))
    rows = ROW.findall((root / "docs/catalogue.md").read_text(encoding="utf-8"))
    assert rows == [(name, entry["package"], entry["summary"]) for name, entry in data.items()]


def test_an_executor_is_one_line_of_the_catalogue(root: Path) -> None:
    """What a third party adds is one line: as many lines as executors, comments aside."""
    text = (root / "core/src/turgo/catalogue.toml").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    assert len(lines) == len(tomllib.loads(text))


def test_core_does_not_know_the_example(root: Path) -> None:
    """No file of core speaks of the example: it was written against the public documentation."""
    for path in (root / "core").rglob("*"):
        if path.is_file() and path.suffix in {".py", ".toml", ".md", ".template"}:
            text = path.read_text(encoding="utf-8")
            assert "turgo_futures" not in text and "turgo-futures" not in text, path


def test_the_example_enters_core_by_its_public_doors(root: Path, public_doors: set[str]) -> None:
    """Its modules import the public modules of core, and nothing else of it."""
    for path in (root / "examples/third_party/turgo-futures").rglob("*.py"):
        imported = re.findall(
            r"^\s*(?:from|import) (turgo(?:\.\w+)*)\b", path.read_text(encoding="utf-8"), re.M
        )
        assert set(imported) <= public_doors, path
