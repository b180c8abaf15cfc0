"""The catalogue of executors. Each has a folder in docs/catalogue; the page docs/catalogue.md shows what is in them.

    docs/catalogue/turbine/entry.toml     package, summary and source, three lines
    docs/catalogue/turbine/*.json         certificates, as `turgo executors certify turbine --output …` writes them

`python -m tools.catalogue` looks them over and writes the tables of the page. Ends with 1, and sentences, where an
entry cannot be listed.
"""

from __future__ import annotations

import json
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[1]
NAME = re.compile(r"[a-z][a-z0-9_]*")
FIELDS = {"package", "summary", "source"}
BEGIN = "<!-- begin: python -m tools.catalogue -->"
END = "<!-- end -->"


class Entry(NamedTuple):
    """One executor of the catalogue. facts: its entry.toml; certificates: by the names of their files."""

    name: str
    facts: Mapping[str, str]
    certificates: Mapping[str, Mapping[str, Any]]


def entries(folder: Path) -> list[Entry]:
    """The entries in a folder, by name."""
    return [entry(each) for each in sorted(folder.iterdir()) if each.is_dir()]


def entry(folder: Path) -> Entry:
    """The entry in a folder that has its name."""
    facts = tomllib.loads((folder / "entry.toml").read_text(encoding="utf-8"))
    files = sorted(folder.glob("*.json"), key=lambda file: (file.stem != "default", file.stem))
    return Entry(
        folder.name, facts, {file.name: json.loads(file.read_text(encoding="utf-8")) for file in files}
    )


def faults(listed: Entry, root: Path) -> Iterator[str]:
    """Why an entry cannot be listed."""
    if not NAME.fullmatch(listed.name):
        yield "its folder is not named as its executor: small letters, digits and underscores"
    if set(listed.facts) != FIELDS:
        yield f"entry.toml has {', '.join(sorted(listed.facts))}, and not {', '.join(sorted(FIELDS))}"
        return
    for field, value in listed.facts.items():
        if not value.strip() or set(value) & set("|\n"):
            yield f"{field} is empty, or has what a table cannot hold"
    source = listed.facts["source"]
    if not source.startswith("https://") and not (root / source).is_dir():
        yield f"source is neither an address with https:// nor a folder here: {source}"
    if "default.json" not in listed.certificates:
        yield f"it has no default.json: turgo executors certify {listed.name} --output default.json"
    for name, record in listed.certificates.items():
        yield from (f"{name} {fault}" for fault in certificate_faults(listed, name, record))


def certificate_faults(listed: Entry, name: str, record: Mapping[str, Any]) -> Iterator[str]:
    """Why a certificate proves nothing of the executor of an entry."""
    if record["executor"] != listed.name:
        yield f"is of {record['executor']}"
    if record["distribution"] != listed.facts["package"]:
        yield f"is of the package {record['distribution']}"
    if not record["proven"] or record["checks"]["failed"] or not record["checks"]["passed"]:
        yield "proves nothing: " + (
            ", ".join(record["failures"]) or "no check passed, or a capability is not proven"
        )
    if (name == "default.json") != (not record["options"]):
        yield "is of other options than its name says: default.json is the one without"


def tables(listed: Iterable[Entry]) -> str:
    """What the page shows of the entries."""
    listed = list(listed)
    lines = ["| executor | package | runs calls on |", "| --- | --- | --- |"]
    lines += [
        f"| `{each.name}` | [`{each.facts['package']}`]({link(each)}) | {each.facts['summary']} |"
        for each in listed
    ]
    lines += [
        "",
        "| proven of | with | capabilities | checks | turgo | Python | on |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    lines += [row(each.name, record) for each in listed for record in each.certificates.values()]
    return "\n".join(lines) + "\n"


def link(listed: Entry) -> str:
    """Where the page leads for the source of an entry."""
    source = listed.facts["source"]
    return source if source.startswith("https://") else f"../{source}"


def row(name: str, record: Mapping[str, Any]) -> str:
    """A certificate as a row of the second table."""
    options = ", ".join(f"`{key}={value}`" for key, value in record["options"].items()) or "its defaults"
    proven = (
        ", ".join(name for name, claim in record["capabilities"].items() if claim["proven"]) or "the contract"
    )
    version = (
        f"{record['turgo']}"
        if record["turgo"] == record["version"]
        else f"{record['turgo']} (it: {record['version']})"
    )
    python = ".".join(record["python"].split(".")[:2])
    cells = (f"`{name}`", options, proven, record["checks"]["passed"], version, python, record["date"][:10])
    return f"| {' | '.join(map(str, cells))} |"


def written(page: str, shown: str) -> str:
    """The page with other tables between its marks."""
    before, _, rest = page.partition(BEGIN)
    return f"{before}{BEGIN}\n\n{shown}\n{END}{rest.partition(END)[2]}"


def main() -> int:
    """The exit code."""
    listed = entries(ROOT / "docs/catalogue")
    found = [f"{each.name}: {fault}" for each in listed for fault in faults(each, ROOT)]
    for fault in found:
        print(fault, file=sys.stderr)
    if not found:
        page = ROOT / "docs/catalogue.md"
        page.write_text(written(page.read_text(encoding="utf-8"), tables(listed)), encoding="utf-8")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
