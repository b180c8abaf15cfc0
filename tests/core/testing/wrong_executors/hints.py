"""Wrong in what they make of hints."""

from __future__ import annotations

from pathlib import Path

from turgo.registry.source_files import load_source

_right = load_source(Path(__file__).parent.with_name("right_executor.py"))
Right = _right.Right


class KnowsItsHints(Right):
    breaks = ("unknown_hints_are_passed_over",)

    def submit(self, fn, /, *args, extra_context=None, **kwargs):
        self._remember(**(extra_context or {}))
        return super().submit(fn, *args, **kwargs)

    def _remember(self, *, task_name="", task_index=None, task_tags=(), task_timeout=None):
        """Anything else is a TypeError."""


class NamesFiles(Right):
    breaks = ("names_of_any_kind",)

    def submit(self, fn, /, *args, extra_context=None, **kwargs):
        name = (extra_context or {}).get("task_name", "call")
        if not name.isidentifier() or len(name) > 255:
            raise ValueError(f"{name!r} is no name")
        return super().submit(fn, *args, **kwargs)


class ReadsTags(Right):
    breaks = ("tags_of_any_kind",)

    def submit(self, fn, /, *args, extra_context=None, **kwargs):
        dict(tag.split("=") for tag in (extra_context or {}).get("task_tags", ()))
        return super().submit(fn, *args, **kwargs)


class EatsHints(Right):
    breaks = ("hints_are_not_changed",)

    def submit(self, fn, /, *args, extra_context=None, **kwargs):
        if extra_context:
            extra_context.pop("task_name", None)
        return super().submit(fn, *args, **kwargs)

    def map(self, fn, *iterables, extra_context=None):
        return [
            self.submit(fn, *arguments, extra_context=extra_context)
            for arguments in zip(*iterables, strict=False)
        ]
