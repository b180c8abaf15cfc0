"""Ways to machines that people ask for by name: Slurm, ssh, threads. They are no executors, but one leads to each.

They are data, `ways.toml` at the root of the package. It is read when a name is asked for that nobody has.
"""

from __future__ import annotations

import pkgutil
import tomllib

from turgo.install import pip_install
from turgo.registry.asked import Name


def way_hint(name: Name) -> str:
    """How to get where a name means to, and what to install for it; empty if nothing is known of it."""
    data = pkgutil.get_data("turgo", "ways.toml") or b""
    for way in tomllib.loads(data.decode("utf-8"))["ways"]:
        if name.name in way["names"] and not name.distribution:
            absent = [package for package in way["packages"] if _is_absent(package)]
            return f". {way['hint']}" + (f" To have that: {pip_install(*absent)}" if absent else "")
    return ""


def _is_absent(package: str) -> bool:
    from importlib_metadata import PackageNotFoundError, distribution

    try:
        distribution(package)
    except PackageNotFoundError:
        return True
    return False
