"""Check what a release is made of, and try it as a newcomer would: `python -m tools.release FOLDER [--tag TAG]`.

FOLDER holds a wheel and an sdist of each distribution, and nothing else. With a tag it is a release in earnest, whose
section of the changelog has a date. Ends with 1, and sentences, where something is wrong.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from tools.release.built import built_faults, contents, names, page
from tools.release.first_screen import first_screen
from tools.release.house import House, changelog_faults, houses, version_faults
from tools.release.local_index import local_index, upload
from tools.release.newcomer import Newcomer

ROOT = Path(__file__).parents[2]
FIRST = "turgo-dask"
"""What the newcomer installs."""


def faults(folder: Path, built: list[House], tag: str | None) -> list[str]:
    """All that is wrong with a release, as far as one can see it by looking."""
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    return [
        *version_faults(built),
        *changelog_faults(changelog, built[0].version, tag),
        *built_faults(folder, built),
    ]


def try_out(folder: Path, built: list[House]) -> None:
    """Upload it to an index of our own, and have a newcomer install it, and do what its page and the README show."""
    files = sorted(folder.iterdir())
    subprocess.run([sys.executable, "-m", "twine", "check", "--strict", *map(str, files)], check=True)
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    folders = {f"./{house.folder.relative_to(ROOT)}": house.name for house in built}
    first = next(house for house in built if house.name == FIRST)
    with (
        tempfile.TemporaryDirectory(prefix="turgo-release-") as place,
        local_index(Path(place, "index")) as index,
    ):
        upload(files, index)
        newcomer = Newcomer(Path(place, "newcomer"), index)
        installed = newcomer.install(FIRST, first.version)
        read = newcomer.read(page(contents(folder / names(first)[0])))
        seen = newcomer.read(first_screen(readme, folders))
    print(
        f"a newcomer: pip install {FIRST} took {installed:.0f} s, its page with a flow on dask {read:.0f} s, "
        f"the first screen of the README, on every executor, {seen:.0f} s"
    )


def main() -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.release", description="Check a release.")
    parser.add_argument("folder", type=Path, help="what was built")
    parser.add_argument("--tag", help="the tag that it is released under")
    asked = parser.parse_args()
    built = houses(ROOT)
    missing = [f"there is no folder {asked.folder}: `make release` builds it"]
    found = faults(asked.folder, built, asked.tag) if asked.folder.is_dir() else missing
    for fault in found:
        print(fault, file=sys.stderr)
    if not found:
        try_out(asked.folder, built)
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
