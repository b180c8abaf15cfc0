"""The first screen of the README, as it reads once turgo is on the index: what a newcomer types of it."""

from __future__ import annotations

import re
from collections.abc import Mapping

HEADINGS = 2
"""So many headings of the second level end it: it has one, above the first flow."""

LEFT_OUT = re.compile(r"^\$ make |\./examples/|^\$ python3 -m venv ")
"""What needs a checkout, and the environment, which the newcomer has: no shell goes on from one command to the next."""


def first_screen(readme: str, names: Mapping[str, str]) -> str:
    """The README up to its second heading, without the commands that are left out.

    names: the distribution that is installed by a folder, `./plugins/dask`.
    """
    parts = re.split(r"^(?=## )", readme, flags=re.MULTILINE)
    lines = [line for line in "".join(parts[:HEADINGS]).splitlines() if not LEFT_OUT.search(line)]
    return "\n".join(installed_by_name(line, names) for line in lines) + "\n"


def installed_by_name(line: str, names: Mapping[str, str]) -> str:
    """A line that installs from a checkout, as it is from the index; any other line as it is."""
    if not line.startswith("$ pip install ./"):
        return line
    return " ".join(names.get(word, word) for word in line.split())
