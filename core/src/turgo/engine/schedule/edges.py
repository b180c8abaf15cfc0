"""Finds which nodes wait for each node, and how many use its value. This is done once, before the run. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from turgo.flows.graph import Node


class Edges(NamedTuple):
    """What leads away from the nodes of a graph.

    consumers: for each node, those that depend on it as a whole. followers: for a mapped node, those that follow it
    element by element. uses: for each node, how many are still to use its value, the flow among them that returns it.
    """

    consumers: list[list[int]]
    followers: dict[int, list[int]]
    uses: list[int]


def edges_of(nodes: Sequence[Node], returned: Iterable[int]) -> Edges:
    """The edges of a graph. returned: the nodes whose values the flow returns."""
    consumers: list[list[int]] = [[] for _ in nodes]
    followers: dict[int, list[int]] = {}
    for node in nodes:
        node_id = node.id
        for upstream in node.depends:
            consumers[upstream].append(node_id)
        for upstream in node.follows:
            followers.setdefault(upstream, []).append(node_id)
    uses = [len(consuming) for consuming in consumers]
    for upstream, following in followers.items():
        uses[upstream] += len(following)
    for node in nodes:
        if node.needs is not node.depends:
            for upstream in set(node.depends).difference(node.needs):
                uses[upstream] -= 1
    for each in returned:
        uses[each] += 1
    return Edges(consumers, followers, uses)
