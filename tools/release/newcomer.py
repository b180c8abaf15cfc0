"""A newcomer has a Python, an empty home and the address of an index: from `pip install` to a flow that runs, timed."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

KEPT = {"LANG", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"}
"""Variables of this machine without which the public index may be out of reach, beside pip's settings."""

PIP_SETTINGS = {
    "index-url",
    "extra-index-url",
    "find-links",
    "cert",
    "client-cert",
    "trusted-host",
    "proxy",
    "timeout",
}
"""Settings of pip that say how the public index is reached."""

RUNNER = Path(__file__).parents[2] / "tests/hygiene/readme_runner.py"


class Newcomer:
    """Somebody with a home and an environment of their own, and nothing in either.

    folder: where both are made; index: the address of the index that has the release, beside the public one.
    """

    def __init__(self, folder: Path, index: str) -> None:
        self.index = index
        self.desk = folder / "desk"
        self.desk.mkdir(parents=True)
        home = folder / "home"
        home.mkdir()
        subprocess.run([sys.executable, "-m", "venv", str(folder / "venv")], check=True)
        self.python = folder / "venv/bin/python"
        path = os.pathsep.join([str(self.python.parent), "/usr/local/bin", "/usr/bin", "/bin"])
        self.variables = {**public_index(), "HOME": str(home), "PATH": path}
        known = self.variables.get("PIP_EXTRA_INDEX_URL", "")
        self.variables["PIP_EXTRA_INDEX_URL"] = f"{index}simple/ {known}".strip()

    def run(self, *command: str) -> float:
        """Seconds that a command took. Raises CalledProcessError if it ends with anything but 0."""
        began = time.monotonic()
        subprocess.run(command, cwd=self.desk, env=self.variables, stdin=subprocess.DEVNULL, check=True)
        return time.monotonic() - began

    def install(self, name: str, version: str) -> float:
        """Seconds that `pip install NAME` took. Raises RuntimeError if what it took of turgo was not this release."""
        report = self.desk.parent / "installed.json"
        took = self.run(str(self.python), "-m", "pip", "install", "--quiet", "--report", str(report), name)
        foreign = foreign_files(json.loads(report.read_text(encoding="utf-8")), self.index, version)
        if foreign:
            raise RuntimeError(f"pip install {name} took what is not of this release: {', '.join(foreign)}")
        return took

    def read(self, page: str) -> float:
        """Seconds that it took to do all that a page shows, its installations too."""
        file = self.desk.parent / "page.md"
        file.write_text(page, encoding="utf-8")
        return self.run(str(self.python), str(RUNNER), str(file), "--installs")


def public_index() -> dict[str, str]:
    """What reaches the public index from here, as variables: an empty home has no settings of pip's."""
    command = [sys.executable, "-m", "pip", "config", "list"]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    kept = {name: value for name, value in os.environ.items() if name.upper() in KEPT}
    return {**pip_variables(listed), **kept}


def pip_variables(listed: str) -> dict[str, str]:
    """The variables that say what `pip config list` says of the public index; those of the environment win."""
    found: dict[str, str] = {}
    for line in sorted(listed.splitlines(), key=lambda line: line.startswith(":env:")):
        key, _, value = line.partition("=")
        name = key.rpartition(".")[2]
        if name.removeprefix("default-") in PIP_SETTINGS:
            found[f"PIP_{name.upper().replace('-', '_')}"] = " ".join(str(ast.literal_eval(value)).split())
    return found


def foreign_files(report: Mapping[str, Any], index: str, version: str) -> list[str]:
    """Of turgo, by the report of `pip install`: files that are not from the index, or are of another version."""
    ours = [each for each in report["install"] if each["metadata"]["name"].partition("-")[0] == "turgo"]
    return [
        each["download_info"]["url"]
        for each in ours
        if not each["download_info"]["url"].startswith(index) or each["metadata"]["version"] != version
    ]
