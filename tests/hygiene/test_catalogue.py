"""The page of known executors says what the catalogue says."""

import re
import tomllib
from pathlib import Path

ROW = re.compile(r"^\| `(\w+)` \| `([\w-]+)` \| (.+?) \|$", re.MULTILINE)


def test_the_page_and_the_catalogue_agree(root: Path) -> None:
    """Each line of the data is a row of the page, in the same order and the same words, and the other way round."""
    data = tomllib.loads((root / "core/src/penstock/catalogue.toml").read_text(encoding="utf-8"))
    rows = ROW.findall((root / "docs/catalogue.md").read_text(encoding="utf-8"))
    assert rows == [(name, entry["package"], entry["summary"]) for name, entry in data.items()]


def test_an_executor_is_one_line_of_the_catalogue(root: Path) -> None:
    """What a third party adds is one line: as many lines as executors, comments aside."""
    text = (root / "core/src/penstock/catalogue.toml").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    assert len(lines) == len(tomllib.loads(text))


def test_core_does_not_know_the_example(root: Path) -> None:
    """No file of core speaks of the example: it was written against the public documentation."""
    for path in (root / "core").rglob("*"):
        if path.is_file() and path.suffix in {".py", ".toml", ".md", ".template"}:
            text = path.read_text(encoding="utf-8")
            assert "penstock_futures" not in text and "penstock-futures" not in text, path


def test_the_example_enters_core_by_its_public_doors(root: Path) -> None:
    """Its modules import of core what docs/write-an-executor.md names, and nothing else."""
    doors = {
        "penstock",
        *(f"penstock.{name}" for name in ("executor", "errors", "futures", "hooks", "testing")),
    }
    for path in (root / "examples/third_party/penstock-futures").rglob("*.py"):
        imported = re.findall(
            r"^\s*(?:from|import) (penstock(?:\.\w+)*)\b", path.read_text(encoding="utf-8"), re.M
        )
        assert set(imported) <= doors, path
