"""Compares the versions of packages that driver, scheduler and workers have.

Functions that are shipped by value are bytecode, which only the same minor version of Python runs, pickled by
cloudpickle, which keeps its format within a major version. Any other difference may matter or not: it is reported.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import distributed

from turgo.errors import ExecutorStartError

CHECKED = ("dask", "distributed", "cloudpickle")
VERSIONS_ANSWER_SECONDS = 5.0
"""How long workers that have just come may take to answer."""
BREAKING: Mapping[str, int] = {"python": 2, "cloudpickle": 1}
"""What breaks pickling, and how many numbers of the version have to be the same."""


def check_versions(client: distributed.Client, packages: Sequence[str], seconds: float) -> list[str]:
    """Compare the versions everywhere; the differences that need break nothing, in words.

    packages: what to compare besides. Raises ExecutorStartError for what breaks pickling.
    """
    found = client.sync(client._get_versions, packages=[*packages], callback_timeout=seconds)
    here = _packages(found["client"])
    scheduler = _packages(found["scheduler"])  # it runs no calls, so what they import is nothing to it
    there = {"the scheduler": {name: scheduler.get(name, here.get(name)) for name in ("python", *CHECKED)}}
    there |= {f"the worker {name}": _packages(worker) for name, worker in found["workers"].items()}
    broken, odd = differences(here, there, [*CHECKED, *packages])
    if broken:
        raise ExecutorStartError(
            f"calls cannot be sent to this cluster: {'; '.join(broken)}. Functions are shipped as bytecode, so "
            "all have to run the same minor version of Python and the same major version of cloudpickle"
        )
    return odd


def check_newcomers(client: distributed.Client, packages: Sequence[str], workers: Sequence[str]) -> list[str]:
    """What differs on workers that came later, in words; what breaks pickling is among it."""
    here = _packages(distributed.versions.get_versions(packages=[*packages]))
    message = {"op": "versions", "packages": [*packages]}
    found = client.sync(
        client.scheduler.broadcast,
        msg=message,
        workers=[*workers],
        on_error="ignore",
        callback_timeout=VERSIONS_ANSWER_SECONDS,
    )
    there = {f"the worker {name}": _packages(worker) for name, worker in found.items() if _packages(worker)}
    broken, odd = differences(here, there, [*CHECKED, *packages])
    return [f"{each}: calls that it runs fail, as they cannot be unpickled there" for each in broken] + odd


def differences(
    here: Mapping[str, str | None], there: Mapping[str, Mapping[str, str | None]], packages: Iterable[str]
) -> tuple[list[str], list[str]]:
    """What differs from here, in words: what breaks pickling, and the rest. A patch of Python is no difference.

    there: the versions at each place; what was not asked of a place is not among them.
    """
    broken: list[str] = []
    odd: list[str] = []
    for package in dict.fromkeys(("python", *packages)):
        mine = here.get(package)
        others: dict[str | None, list[str]] = {}
        for place, versions in there.items():
            version = versions.get(package)
            if package == "python":
                differs = _breaks(package, mine, version)
            else:
                differs = package in versions and version != mine  # one that is absent is there, as None
            if differs:
                others.setdefault(version, []).append(place)
        for version, places in others.items():
            message = f"{package} is {_shown(mine)} here, {_shown(version)} on {_listed(places)}"
            (broken if _breaks(package, mine, version) else odd).append(message)
    return broken, odd


def _breaks(package: str, one: str | None, other: str | None) -> bool:
    count = BREAKING.get(package)
    if count is None:
        return False
    return one is None or other is None or one.split(".")[:count] != other.split(".")[:count]


def _packages(place: Any) -> dict[str, str | None]:
    return dict(place["packages"]) if isinstance(place, Mapping) else {}


def _shown(version: str | None) -> str:
    return ".".join(version.split(".")[:3]) if version else "not installed"


def _listed(places: list[str], named: int = 3) -> str:
    """The first places by name, the others counted."""
    more = len(places) - named
    return ", ".join(places[:named]) + (f" and {more} more" if more > 0 else "")
