"""What was built of a house, a wheel and an sdist, holds all that a user needs."""

from __future__ import annotations

import json
import re
import tarfile
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from tools.release.house import House

RELATIVE_LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)\s]+)\)")
UNPUBLISHED = "not published"


def built_faults(folder: Path, houses: list[House]) -> Iterator[str]:
    """What is wrong with the files in a folder: a wheel and an sdist of each house, and no others."""
    expected = {name for house in houses for name in names(house)}
    found = {file.name for file in folder.iterdir() if file.is_file()}
    for name in sorted(found - expected):
        yield f"{name} is no file of this release"
    for house in houses:
        for name in names(house):
            if name not in found:
                yield f"{name} was not built"
            else:
                yield from (f"{name}: {fault}" for fault in content_faults(house, contents(folder / name)))


def names(house: House) -> tuple[str, str]:
    """The file names of the wheel and the sdist of a house."""
    stem = f"{house.name.replace('-', '_')}-{house.version}"
    return f"{stem}-py3-none-any.whl", f"{stem}.tar.gz"


def contents(file: Path) -> dict[str, str]:
    """The text files of a wheel or an sdist by their paths; those of an sdist begin below its one folder, and `src`."""
    if file.suffix == ".whl":
        with zipfile.ZipFile(file) as wheel:
            return {name: wheel.read(name).decode("utf-8", "replace") for name in wheel.namelist()}
    with tarfile.open(file) as sdist:
        opened = {member.name: sdist.extractfile(member) for member in sdist if member.isfile()}
        return {
            name.partition("/")[2].removeprefix("src/"): stream.read().decode("utf-8", "replace")
            for name, stream in opened.items()
            if stream is not None
        }


def metadata(files: Mapping[str, str]) -> str:
    """The metadata in the contents of a built file."""
    return next((text for name, text in files.items() if name.endswith(("/METADATA", "PKG-INFO"))), "")


def page(files: Mapping[str, str]) -> str:
    """The page that the index shows of a built file."""
    return metadata(files).partition("\n\n")[2]


def content_faults(house: House, files: Mapping[str, str]) -> Iterator[str]:
    """What is wrong with the contents of one built file of a house."""
    if f"\nVersion: {house.version}\n" not in metadata(files):
        yield f"its metadata does not say version {house.version}"
    licence = (house.folder / "LICENSE").read_text(encoding="utf-8")
    if not any(name.rpartition("/")[2] == "LICENSE" and text == licence for name, text in files.items()):
        yield "it holds no LICENSE, or another one"
    if f"{house.package}/py.typed" not in files:
        yield "it is not marked as typed: there is no py.typed"
    for link in RELATIVE_LINK.findall(page(files)):
        yield f"its page on the index would have a link that leads nowhere: {link}"
    if UNPUBLISHED in page(files):
        yield f"its page on the index would say that it is {UNPUBLISHED}"
    if house.certified:
        yield from certificate_faults(house, files.get(f"{house.package}/certificate.json"))


def certificate_faults(house: House, text: str | None) -> Iterator[str]:
    """What is wrong with the certificate of the conformance suite in a built file."""
    if text is None:
        yield "it holds no certificate of the conformance suite"
        return
    record = json.loads(text)
    said = {key: record[key] for key in ("distribution", "version", "turgo", "proven")}
    due = {"distribution": house.name, "version": house.version, "turgo": house.version, "proven": True}
    for key, value in due.items():
        if said[key] != value:
            yield f"its certificate says {key} {said[key]!r}, not {value!r}"
    if record["options"]:
        yield "its certificate is of other options than the default ones"
