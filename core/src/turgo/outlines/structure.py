"""The structure of a graph: what its nodes depend on, in columns. Neither arguments nor functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

_NONE: Mapping[Any, Any] = MappingProxyType({})


class Structure(NamedTuple):
    """What is kept of all nodes once their run is over.

    depends: for each node, those that it depends on as a whole; triggers: their names, for each node.
    follows: for the mapped ones, the nodes that they follow element by element.
    after: for some nodes, those that they depend on without using their values. conditions: for the guards of cases,
    the value that is compared with. executors: by task name, of those that do not run on the executor of the run.
    """

    depends: Sequence[tuple[int, ...]]
    triggers: Sequence[str]
    follows: Mapping[int, tuple[int, ...]]
    after: Mapping[int, tuple[int, ...]] = _NONE
    conditions: Mapping[int, str] = _NONE
    executors: Mapping[str, str] = _NONE

    def upstream(self, node: int) -> tuple[int, ...]:
        """All nodes that one depends on, as a whole or element by element."""
        return (*self.depends[node], *self.follows.get(node, ()))
