"""Says in words which code changed since an earlier run, and how many of its calls run again for that."""

from __future__ import annotations

from collections.abc import Iterator, Mapping


def changed_parts(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """The labels of the parts of a task's code that are new, gone or not the same."""
    return sorted(label for label in before.keys() | now.keys() if before.get(label) != now.get(label))


def changes_in_words(
    before: Mapping[str, Mapping[str, str]], now: Mapping[str, Mapping[str, str]], counts: Mapping[str, int]
) -> Iterator[str]:
    """`work.py:threshold changed: 200 of score, 1 of total`, a line for each part.

    before, now: the parts of the code of tasks, by their names; counts: finished calls of the earlier run, by task.
    """
    tasks: dict[str, list[str]] = {}
    for name, parts in now.items():
        if name in before:
            for label in changed_parts(before[name], parts):
                tasks.setdefault(label, []).append(name)
    for label, names in tasks.items():
        yield f"{label} changed: {', '.join(f'{counts.get(name, 0):,} of {name}' for name in names)}"
