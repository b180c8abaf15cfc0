"""`turgo executors list` prints plugins, profiles, known packages that are absent, and the default."""

from __future__ import annotations

from typing import Any

import attrs

from turgo.cli.config import origin_record, shown_setting, value_text
from turgo.cli.executors.certificates import shipped
from turgo.config.load import Profile
from turgo.config.settings import Setting
from turgo.install import pip_install
from turgo.names import normalise
from turgo.observers.tables import blocks, wrapped
from turgo.registry.catalogue import KnownExecutor, known_executors
from turgo.registry.entry_points import DamagedDistribution
from turgo.registry.plugins import PluginRecord
from turgo.registry.resolve import Registry

CAN = "     can: "
PROVEN = "  proven: "
INDENT_WIDTH = 5


@attrs.frozen
class Listing:
    """The facts of the list.

    absent: the known executors that are not installed; damaged: distributions, ours or not, whose metadata cannot be
    read.
    """

    default: Setting
    plugins: tuple[PluginRecord, ...]
    profiles: tuple[Profile, ...]
    absent: tuple[KnownExecutor, ...]
    damaged: tuple[DamagedDistribution, ...] = ()

    @classmethod
    def of(cls, registry: Registry) -> Listing:
        """Gather them; imports the plugins' light modules and no executor."""
        installed = registry.names()
        return cls(
            default=registry.config.executor,
            plugins=tuple(registry.plugins()),
            profiles=tuple(registry.config.profiles.values()),
            absent=tuple(known for known in known_executors().values() if known.name not in installed),
            damaged=registry.damaged(),
        )

    def text(self, width: int | None = None) -> str:
        """For people: aligned columns, a star at the default. width: of a line, in characters; None for any."""
        sections = [self._plugins(width), self._profiles(width), self._absent(width), self._damaged(width)]
        sections.append(wrapped(self._default(), width, indent=2))
        return "\n\n".join("\n".join(lines) for lines in sections if lines)

    def record(self) -> dict[str, Any]:
        """The list for machines."""
        return {
            "default": {"name": self.default.value, "origin": origin_record(self.default.origin)},
            "executors": [_plugin_record(plugin) for plugin in self.plugins],
            "profiles": [profile_record(profile) for profile in self.profiles],
            "not_installed": [
                {"name": known.name, "install": _install(known), "summary": known.summary}
                for known in self.absent
            ],
            "damaged": [each._asdict() for each in self.damaged],
        }

    def _plugins(self, width: int | None) -> list[str]:
        rows = []
        for plugin in self.plugins:
            name = f"{plugin.distribution}/{plugin.name}" if plugin.duplicate else plugin.name
            rows.append(
                [self._star(plugin.name, name), f"{plugin.distribution} {plugin.version}", _is(plugin)]
            )
        if not rows:
            return ["No executor is installed."]
        lines, *found = blocks(["   executor", "from", "what it is"], rows, width=width, indent=INDENT_WIDTH)
        for plugin, own in zip(self.plugins, found, strict=True):
            lines += [*own, *_facts(plugin, width)]
        return lines

    def _profiles(self, width: int | None) -> list[str]:
        rows = [
            [self._star(profile.name, profile.name), profile.use, _options(profile), str(profile.origin)]
            for profile in self.profiles
        ]
        return _section(["   profile", "uses", "with", "from"], rows, width)

    def _absent(self, width: int | None) -> list[str]:
        rows = [[f"   {known.name}", _install(known), known.summary] for known in self.absent]
        return _section(["   not installed", "to have it", "what it is"], rows, width)

    def _damaged(self, width: int | None) -> list[str]:
        rows = [[f"   {each.name}", each.problem] for each in self.damaged]
        return _section(["   damaged", "what is wrong with it"], rows, width)

    def _default(self) -> str:
        name, origin = self.default.value, self.default.origin
        because = "nothing says otherwise" if origin.kind == "default" else f"so says {origin}"
        names = {plugin.name for plugin in self.plugins} | {profile.name for profile in self.profiles}
        is_name = not set(".:/") & set(name)
        missing = ", which is not here" if is_name and normalise(name) not in names else ""
        return f"* the default is {name}{missing}: {because}"

    def _star(self, name: str, shown: str) -> str:
        return f"{'*' if normalise(self.default.value) == name else ' '}  {shown}"


def profile_record(profile: Profile) -> dict[str, Any]:
    """A profile for machines."""
    options = {
        name: {"value": shown_setting(setting), "origin": origin_record(setting.origin)}
        for name, setting in profile.options.items()
    }
    return {
        "name": profile.name,
        "use": profile.use,
        "origin": origin_record(profile.origin),
        "options": options,
    }


def _section(header: list[str], rows: list[list[str]], width: int | None) -> list[str]:
    found = blocks(header, rows, width=width, indent=INDENT_WIDTH) if rows else []
    return [line for lines in found for line in lines]


def _facts(plugin: PluginRecord, width: int | None) -> list[str]:
    """The lines below it: what it says that it can do, and what its certificate proves of that."""
    facts = []
    if plugin.spec and plugin.spec.capabilities:
        facts += wrapped(", ".join(sorted(plugin.spec.capabilities)), width, first=CAN)
    if certificate := shipped(plugin):
        facts += wrapped(certificate.line(), width, first=PROVEN)
    return facts


def _is(plugin: PluginRecord) -> str:
    """What it is, or why it is broken."""
    if plugin.spec is None:
        return f"BROKEN: {plugin.broken}"
    if plugin.duplicate:
        return f"{plugin.spec.summary} (several distributions provide {plugin.name!r})".strip()
    return plugin.spec.summary


def _plugin_record(plugin: PluginRecord) -> dict[str, Any]:
    spec, certificate = plugin.spec, shipped(plugin)
    return {
        "name": plugin.name,
        "distribution": plugin.distribution,
        "version": plugin.version,
        "duplicate": plugin.duplicate,
        "broken": plugin.broken,
        "summary": spec.summary if spec else None,
        "capabilities": sorted(spec.capabilities) if spec else None,
        "target": spec.target if spec else None,
        "api_version": spec.api_version if spec else None,
        "url": spec.url if spec else None,
        "certificate": certificate.summary() if certificate else None,
    }


def _options(profile: Profile) -> str:
    return ", ".join(f"{name}={value_text(setting)}" for name, setting in profile.options.items()) or "-"


def _install(known: KnownExecutor) -> str:
    return pip_install(known.package)
