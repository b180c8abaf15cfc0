"""Looks at what is installed: Python, the packages that turgo and its plugins need, the plugins, the observers."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator

from turgo._version import __version__
from turgo.cli.doctor.findings import NOTE, WRONG, Finding
from turgo.install import pip_install
from turgo.names import canonicalise
from turgo.observers.installed import installed_observers
from turgo.registry.plugins import PluginRecord
from turgo.registry.resolve import Registry

PIP_SECONDS = 60.0
"""How long pip may take to compare what is installed with what it needs."""

_MISSING = re.compile(r"(?P<who>\S+) \S+ requires (?P<what>.+), which is not installed\.")
_UNFIT = re.compile(r"(?P<who>\S+) \S+ has requirement (?P<what>.+), but you have .+\.")


def installation(registry: Registry) -> Iterator[Finding]:
    """All findings on what is installed."""
    version = ".".join(map(str, sys.version_info[:3]))
    yield Finding("python", f"{version}, {sys.executable}")
    plugins = registry.plugins()
    yield from _packages({canonicalise(each.distribution) for each in plugins} | {"turgo"})
    yield from _plugins(plugins)
    for damaged in registry.damaged():
        mend = pip_install("--force-reinstall", damaged.name.partition(" ")[0])
        yield Finding("packages", f"{damaged.name} is damaged: {damaged.problem}", WRONG, mend)
    yield from _observers()


def _packages(ours: set[str]) -> Iterator[Finding]:
    """Whether what turgo and the plugins need is there, by pip's own judgement."""
    line = [sys.executable, "-P", "-m", "pip", "--disable-pip-version-check", "check"]
    try:
        done = subprocess.run(line, capture_output=True, text=True, timeout=PIP_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        yield Finding("packages", f"turgo {__version__}; pip cannot be asked what is missing: {error}", NOTE)
        return
    if "No module named pip" in done.stderr:
        yield Finding("packages", f"turgo {__version__}; there is no pip here to say what is missing", NOTE)
        return
    wrong = []
    for said in done.stdout.splitlines():
        found = _MISSING.fullmatch(said.strip()) or _UNFIT.fullmatch(said.strip())
        if found and canonicalise(found["who"]) in ours:
            wrong.append(Finding("packages", said.strip(), WRONG, pip_install(found["what"])))
    yield from wrong or [Finding("packages", f"turgo {__version__}, and all that it and its plugins need")]


def _plugins(plugins: list[PluginRecord]) -> Iterator[Finding]:
    if not plugins:
        yield Finding("plugins", "no executor is installed", NOTE, pip_install("turgo-local"))
    for plugin in plugins:
        of = f"{plugin.name}, of {plugin.distribution} {plugin.version}"
        if plugin.broken is not None:
            mend = pip_install(plugin.distribution, upgrade=True)
            yield Finding("plugins", f"{of}, does not load: {plugin.broken}", WRONG, mend)
        elif plugin.duplicate:
            mend = f"ask for {plugin.distribution}/{plugin.name}, or uninstall the other"
            yield Finding("plugins", f"{of}: another distribution has an executor of that name", NOTE, mend)
        else:
            yield Finding("plugins", of)


def _observers() -> Iterator[Finding]:
    for each in installed_observers():
        of = f"{each.name}, of {each.distribution}"
        if each.problem:
            mend = pip_install(each.distribution.partition(" ")[0], upgrade=True)
            yield Finding("observers", f"{of}, is left out of runs: {each.problem}", WRONG, mend)
        else:
            yield Finding("observers", of)
