"""What is measured on: the cores, Python, and the versions of what stands side by side."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGES = ("turgo", "dask", "distributed", "joblib", "cloudpickle", "numpy")


def cores() -> int:
    """The processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def heading() -> str:
    """One line."""
    python = f"{platform.python_implementation()} {platform.python_version()}"
    system = f"{platform.system()} {platform.machine()}"
    return ", ".join([f"{cores()} cores", system, python, *(f"{name} {_version(name)}" for name in PACKAGES)])


def processor() -> str:
    """What the processor calls itself, as far as the system says it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor())


def load() -> float:
    """Processes that wanted to run during the last minute, on average; 0 where the system does not say it."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "absent"
