"""Finds which upstream task run made another fail or not run. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

from turgo.records.ledger import Key, Ledger
from turgo.records.states import FAILED, SKIPPED


class Linked(Protocol):
    """What a node depends on: other nodes as a whole, and the nodes that it follows element by element."""

    @property
    def depends(self) -> tuple[int, ...]:
        """The numbers of those that have to be over as a whole."""

    @property
    def follows(self) -> tuple[int, ...]:
        """The numbers of those that are followed element by element."""


class Causes:
    """Finds causes within one run, by the states of its task runs and what its nodes, given by number, depend on."""

    def __init__(self, ledger: Ledger, node_of: Callable[[int], Linked]) -> None:
        self.ledger = ledger
        self.node_of = node_of

    def first(self, node: int, codes: Iterable[int] = FAILED) -> Key | None:
        """Of a node, the first task run in one of some states; by default the first that failed."""
        columns = self.ledger.mapped.get(node)
        if columns is None:
            return (node, None) if self.ledger.states[node] in codes else None
        found = [at for code in codes if (at := columns.states.find(code)) >= 0]
        return (node, min(found)) if found else None

    def of_failure(self, key: Key) -> list[Key]:
        """From a task run that failed to the one that failed by itself; each is why the one before it did not run."""
        return self._path(key, lambda each: self._upstream(each, FAILED))

    def of_skip(self, key: Key) -> list[Key]:
        """From a task run that was skipped to the one that skipped itself."""
        return self._path(key, lambda each: self._upstream(each, (SKIPPED,)))

    def _path(self, key: Key, upstream_of: Callable[[Key], Iterator[Key]]) -> list[Key]:
        found_from: dict[Key, Key | None] = {key: None}
        ahead = [key]
        while ahead:
            key = ahead.pop()
            if key in self.ledger.failures:
                break
            for upstream in upstream_of(key):
                if upstream not in found_from:
                    found_from[upstream] = key
                    ahead.append(upstream)
        path = [key]
        while (before := found_from[path[-1]]) is not None:
            path.append(before)
        return path[::-1]

    def _upstream(self, key: Key, codes: Iterable[int]) -> Iterator[Key]:
        """Of each upstream of a task run that is in one of some states, the element that it follows, or the first."""
        if key[0] in self.ledger.picked:
            yield self.ledger.picked[key[0]]
            return
        node, index = self.node_of(key[0]), key[1]
        for upstream in (*node.depends, *node.follows):
            columns = self.ledger.mapped.get(upstream)
            if columns is not None and index is not None and upstream in node.follows:
                if columns.states[index] in codes:
                    yield upstream, index
            elif (first := self.first(upstream, codes)) is not None:
                yield first
