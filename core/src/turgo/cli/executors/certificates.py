"""Reads the certificates that plugins ship. Says what `turgo executors certify` proved, and whether it still holds."""

from __future__ import annotations

import importlib.resources
import json
import sys
from typing import Any

import attrs

from turgo.registry.plugins import PluginRecord

FILE = "certificate.json"
"""Its name, beside the plugin module."""


@attrs.frozen
class Shipped:
    """A certificate as it was found. record: what is in it; problem: why it does not count, or ""."""

    record: dict[str, Any]
    problem: str = ""

    @property
    def proven(self) -> list[str]:
        """The capabilities that it proves, sorted; none if it does not count."""
        claims = {} if self.problem else self.record["capabilities"]
        return sorted(name for name, claim in claims.items() if claim["proven"])

    def line(self) -> str:
        """It on one line."""
        if self.problem:
            return f"certificate does not count: {self.problem}"
        proven = ", ".join(self.proven) or "the contract"
        return f"{proven} ({self.record['checks']['passed']} checks, {self.record['date'][:10]})"

    def summary(self) -> dict[str, Any]:
        """It for machines."""
        shown = {
            key: self.record.get(key)
            for key in ("version", "turgo", "api_version", "date", "options", "asked")
        }
        return {"holds": not self.problem, "problem": self.problem or None, "proven": self.proven, **shown}


def shipped(plugin: PluginRecord) -> Shipped | None:
    """The certificate beside the plugin module, which is imported already; None if there is none."""
    module = sys.modules.get(plugin.module)
    package = module.__spec__.parent if module is not None and module.__spec__ is not None else None
    if plugin.spec is None or not package:
        return None
    try:
        text = importlib.resources.files(package).joinpath(FILE).read_text(encoding="utf-8")
    except (OSError, ModuleNotFoundError):
        return None
    try:
        record = json.loads(text)
        return Shipped(record, _problem(record, plugin))
    except (ValueError, KeyError, TypeError, AttributeError):
        return Shipped({}, f"{FILE} cannot be read as one")


def _problem(record: dict[str, Any], plugin: PluginRecord) -> str:
    """Why it does not count for what is installed. Raises KeyError or TypeError if it is no certificate."""
    assert plugin.spec is not None  # a plugin without one is broken, and not asked
    claimed = {name for name, claim in record["capabilities"].items() if claim["claimed"]}
    passed, failed = int(record["checks"]["passed"]), int(record["checks"]["failed"])
    date = str(record["date"])
    if record["version"] != plugin.version:
        return f"stale, it is for version {record['version']} and this is {plugin.version}"
    if record["api_version"] != plugin.spec.api_version:
        return f"stale, it is for version {record['api_version']} of the contract"
    if not record["proven"] or failed or not passed:
        return f"it proves nothing: {failed} checks failed on {date[:10]}"
    if unclaimed := plugin.spec.capabilities - claimed:
        return f"stale, it says nothing of {', '.join(sorted(unclaimed))}"
    return ""
