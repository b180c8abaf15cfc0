"""`turgo executors show NAME` prints each option: its type, default, meaning and present value."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Mapping
from typing import Any

import attrs

from turgo.cli.config import origin_record, shown_setting, value_text
from turgo.config.settings import Origin, Setting
from turgo.executor import CAPABILITIES
from turgo.observers.tables import blocks, wrapped
from turgo.redaction import redacted, redacted_repr
from turgo.registry.options import REQUIRED, OptionSpec, check_options, option_specs
from turgo.registry.precedence import options_given
from turgo.registry.resolve import Registry, Resolved

DETAILS_WIDTH = 100


@attrs.frozen
class Showing:
    """The facts. name: what was asked for; options: of the class, in the order of its signature."""

    name: str
    resolved: Resolved
    options: tuple[OptionSpec, ...]

    @classmethod
    def of(cls, registry: Registry, name: str, options: Mapping[str, str] | None = None) -> Showing:
        """Gather them, with options over those that are set, as after `-o`.

        Imports the class and starts nothing; raises an ExecutorLookupError, or an OptionError for one of `options`.
        """
        resolved = registry.resolve(name, origin=Origin("argument", "of turgo executors show"))
        given = options_given({}, options or {})
        if given:
            resolved = resolved._replace(options=_laid_over(resolved, given))
        return cls(name, resolved, tuple(option_specs(resolved.cls)))

    @property
    def capabilities(self) -> list[str]:
        """What it can do as it is set now; where no executor can be made so, what is declared for it."""
        spec, own = self.resolved.spec, getattr(self.resolved.cls, "capabilities", ())
        declared = spec.capabilities if spec else own
        if not isinstance(own, frozenset):  # on a class that decides by its options this is a property
            with contextlib.suppress(Exception):  # options that it refuses are to be shown all the same
                declared = self.resolved.build().capabilities
        return sorted(declared) if isinstance(declared, frozenset) else []

    def text(self, width: int | None = None) -> str:
        """For people. width: of a line, in characters; None for any."""
        cls, spec = self.resolved.cls, self.resolved.spec
        summary = spec.summary if spec else (inspect.getdoc(cls) or "").partition("\n")[0]
        lines = [*wrapped(f"{self.name}: {summary}" if summary else self.name, width, indent=2), ""]
        lines += wrapped(f"{cls.__module__}.{cls.__qualname__}", width, first="class         ")
        lines += wrapped(", ".join(self.capabilities) or "-", width, first="capabilities  ")
        for name in self.capabilities:
            lines += wrapped(f"{name}: {CAPABILITIES[name]}", width, first=" " * 14, indent=16)
        lines += [f"url           {spec.url}"] if spec and spec.url else []
        lines += ["", *self._option_lines(width)]
        return "\n".join(lines)

    def record(self) -> dict[str, Any]:
        """For machines."""
        cls = self.resolved.cls
        return {
            "name": self.name,
            "class": f"{cls.__module__}.{cls.__qualname__}",
            "capabilities": self.capabilities,
            "options": [self._option_record(option) for option in self.options],
        }

    def _option_lines(self, width: int | None) -> list[str]:
        if not self.options:
            return ["It has no options."]
        rows = [
            [_label(option), option.type, _default(option), *self._present(option)] for option in self.options
        ]
        titles = ["option", "type", "default", "is now", "from"]
        lines, *found = blocks(titles, rows, width=width, breakable={titles.index("type")})
        text_width = min(width or DETAILS_WIDTH, DETAILS_WIDTH)
        for option, own in zip(self.options, found, strict=True):
            lines += own
            lines += wrapped(option.meaning, text_width, first=" " * 4) if option.meaning else []
        example = self.options[0].name
        how = (
            f"Set one with -o {example}=…, in a profile ([executors.NAME] in turgo.toml), by a variable "
            f"(TURGO_EXECUTORS__NAME__{example.upper()}) or in code (executor_options={{{example!r}: …}})."
        )
        return [*lines, "", *wrapped(how, text_width)]

    def _present(self, option: OptionSpec) -> tuple[str, str]:
        setting = self.resolved.options.get(option.name)
        if option.kind == "others":
            known = {each.name for each in self.options}
            extra = {key: value for key, value in self.resolved.options.items() if key not in known}
            origins = dict.fromkeys(str(setting.origin) for setting in extra.values())
            return ", ".join(f"{k}={value_text(v)}" for k, v in extra.items()) or "-", "; ".join(origins)
        if setting is None:
            if option.default is REQUIRED:
                return "not set", ""
            return redacted_repr(option.default, option.name), "the default"
        return value_text(setting), str(setting.origin)

    def _option_record(self, option: OptionSpec) -> dict[str, Any]:
        setting = self.resolved.options.get(option.name)
        required = option.default is REQUIRED
        default = None if required else option.default
        origin = origin_record(setting.origin) if setting else {"kind": "default"}
        return {
            "name": option.name,
            "kind": option.kind,
            "type": option.type,
            "required": required and option.kind == "option",
            "default": redacted(default, option.name),
            "meaning": option.meaning,
            "value": shown_setting(setting) if setting else redacted(default, option.name),
            "origin": origin,
        }


def _laid_over(resolved: Resolved, given: Mapping[str, Setting]) -> dict[str, Setting]:
    """The options with those that were given; a key within one, `-o kwargs.a=1`, is put into its mapping."""
    merged = {**resolved.options, **given}
    values = check_options(resolved.cls, merged, executor=resolved.name)
    for key, setting in given.items():
        name = key.split(".")[0]
        if name in values:
            merged.pop(key)
            merged[name] = attrs.evolve(setting, key=(name,), value=values[name], text=False)
    return merged


def _label(option: OptionSpec) -> str:
    return f"**{option.name}" if option.kind == "others" else option.name


def _default(option: OptionSpec) -> str:
    if option.kind == "others":
        return "-"
    return "required" if option.default is REQUIRED else repr(option.default)
