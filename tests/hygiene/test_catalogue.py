"""The catalogue of executors: each entry can be listed, and the page shows what is in them."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from tools.catalogue import Entry, entries, entry, faults, tables, written


@pytest.fixture
def certificate(root: Path) -> dict[str, Any]:
    """One that proves something, of the executor `turbine`."""
    text = (root / "docs/catalogue/futures/default.json").read_text(encoding="utf-8")
    return {**json.loads(text), "executor": "turbine", "distribution": "turgo-turbine"}


def listed(folder: Path, certificates: dict[str, dict[str, Any]], **facts: str) -> Entry:
    """The entry `turbine` with these certificates, and other facts than a good one has."""
    place = folder / "turbine"
    place.mkdir()
    good = {"package": "turgo-turbine", "summary": "turns", "source": "https://example.org/turbine"}
    lines = [f"{field} = {json.dumps(value)}" for field, value in {**good, **facts}.items()]
    (place / "entry.toml").write_text("\n".join(lines))
    for name, record in certificates.items():
        (place / name).write_text(json.dumps(record))
    return entry(place)


def test_every_entry_can_be_listed(root: Path) -> None:
    """Those of the checkout have no faults."""
    ours = entries(root / "docs/catalogue")
    assert {"local", "local_dask", "dask", "futures"} <= {each.name for each in ours}
    assert not [f"{each.name}: {fault}" for each in ours for fault in faults(each, root)]


def test_the_page_shows_what_is_in_the_entries(root: Path) -> None:
    """Its tables are those that `python -m tools.catalogue` writes."""
    page = (root / "docs/catalogue.md").read_text(encoding="utf-8")
    assert page == written(page, tables(entries(root / "docs/catalogue")))


def test_what_turgo_says_by_itself_is_in_the_catalogue(root: Path) -> None:
    """Each line of the list that core has states the same package and summary as an entry."""
    data = tomllib.loads((root / "core/src/turgo/catalogue.toml").read_text(encoding="utf-8"))
    known = {each.name: each.facts for each in entries(root / "docs/catalogue")}
    for name, stated in data.items():
        assert stated == {field: known[name][field] for field in ("package", "summary")}


def test_a_good_entry_is_two_rows(root: Path, tmp_path: Path, certificate: dict[str, Any]) -> None:
    """One says where it is to be had, one for each certificate what is proven; the one without options comes first."""
    options = {**certificate, "options": {"pool": "loky"}, "version": "3.1"}
    turbine = listed(tmp_path, {"a.json": options, "default.json": certificate})
    assert not list(faults(turbine, root))
    rows = [line for line in tables([turbine]).splitlines() if line.startswith("| `")]
    assert rows[0] == "| `turbine` | [`turgo-turbine`](https://example.org/turbine) | turns |"
    assert rows[1].startswith("| `turbine` | its defaults | parallel | ")
    assert rows[2].startswith("| `turbine` | `pool=loky` | parallel | ") and " (it: 3.1) | " in rows[2]


@pytest.mark.parametrize(
    ("facts", "changed", "fault"),
    [
        ({"source": "nowhere"}, {}, "source is neither an address with https:// nor a folder here: nowhere"),
        ({"summary": "a | b"}, {}, "summary is empty, or has what a table cannot hold"),
        (
            {"colour": "red"},
            {},
            "entry.toml has colour, package, source, summary, and not package, source, summary",
        ),
        ({}, {"executor": "wheel"}, "default.json is of wheel"),
        ({}, {"distribution": "turgo-wheel"}, "default.json is of the package turgo-wheel"),
        ({}, {"proven": False, "failures": {"test_x": "but: no"}}, "default.json proves nothing: test_x"),
        (
            {},
            {"options": {"a": "1"}},
            "default.json is of other options than its name says: default.json is the one without",
        ),
    ],
)
def test_a_bad_entry_is_told(
    root: Path,
    tmp_path: Path,
    certificate: dict[str, Any],
    facts: dict[str, str],
    changed: dict[str, Any],
    fault: str,
) -> None:
    """In a sentence that says what is wrong."""
    assert list(faults(listed(tmp_path, {"default.json": {**certificate, **changed}}, **facts), root)) == [
        fault
    ]


def test_an_entry_needs_a_certificate(root: Path, tmp_path: Path) -> None:
    """Without one it is told how to make it."""
    assert list(faults(listed(tmp_path, {}), root)) == [
        "it has no default.json: turgo executors certify turbine --output default.json"
    ]


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
