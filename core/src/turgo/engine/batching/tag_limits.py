"""Limits say how many calls with a tag may run at once. They hold over all executors of a run. Pure.

The calls of a batch run one after the other and have the same tags, so a batch that is under way counts as one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from turgo.config.settings import Setting


class Limits:
    """Counts what is under way for each tag that has a limit. most: calls at once, by tag."""

    def __init__(self, most: Mapping[str, int]) -> None:
        self.most = dict(most)
        self._running = dict.fromkeys(self.most, 0)

    def __bool__(self) -> bool:
        return bool(self.most)

    def full(self, tags: Iterable[str]) -> list[str]:
        """Those of the tags that have as many calls as may run at once; a batch may be sent if there are none."""
        most, running = self.most, self._running
        return [tag for tag in tags if tag in most and running[tag] >= most[tag]]

    def took(self, tags: Iterable[str]) -> None:
        """A batch with these tags was sent."""
        self._count(tags, 1)

    def gave(self, tags: Iterable[str]) -> None:
        """A batch with these tags came back, or was lost."""
        self._count(tags, -1)

    def _count(self, tags: Iterable[str], change: int) -> None:
        for tag in self.most.keys() & set(tags):
            self._running[tag] += change


def limits_in_force(configured: Mapping[str, Setting], own: Mapping[str, int]) -> dict[str, int]:
    """The limits of a run: a variable's goes before the flow's own, and that before those of files.

    The name of a variable has no case, so `TURGO_LIMITS__DB` is for the tags `db` and `DB` alike.
    """
    files = {tag: each.value for tag, each in configured.items() if each.origin.kind != "variable"}
    limits = {**files, **own}
    for tag, each in configured.items():
        if each.origin.kind == "variable":
            same = [known for known in limits if known.lower() == tag]
            limits.update(dict.fromkeys([tag, *same], each.value))
    return limits
