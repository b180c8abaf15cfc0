"""Titles of task runs for records of logs. They are put into words when a format asks for them."""

from __future__ import annotations

import weakref
from typing import Any

from turgo.records.task_run import titled


class Title:
    """A task run in words, with its input, which is looked for when somebody asks. It is pickled as a text.

    owner: says what the input of a key is; it is not kept alive by this.
    """

    __slots__ = ("_index", "_key", "_name", "_owner")

    def __init__(self, label: tuple[str, int | None], owner: Any, key: tuple[int, int | None]) -> None:
        self._name, self._index = label
        self._owner = weakref.ref(owner)
        self._key = key

    def __str__(self) -> str:
        owner = self._owner()
        return titled(self._name, self._index, "" if owner is None else owner.input_of(self._key))

    __repr__ = __str__

    def __reduce__(self) -> tuple[Any, ...]:
        return (str, (str(self),))
