"""The elements of mapped nodes: when a node's width is known, and what follows from what came of each element. Pure.

A mapped node *opens* once everything that it depends on as a whole is over and every mapped node that it follows is
open; then its width is known. Where nothing went wrong its elements are dealt with as slices of columns; one by one
only where a failure, a skip or a second node that is followed makes them differ.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from penstock.engine.pieces import gaps
from penstock.engine.states import CACHED, CANCELLED, FAILED, OVER, PENDING, RUNNING, SKIPPED, SUCCESS
from penstock.engine.verdicts import refused
from penstock.engine.widths import sources_of
from penstock.flows.graph import Node
from penstock.ledger import MappedColumns
from penstock.states import STATES

if TYPE_CHECKING:
    from penstock.engine.schedule import Schedule


class Mapped:
    """A mapped node whose width is known. sources: what it is spread over; see `widths`."""

    __slots__ = ("left", "missing", "sources", "states", "unwell", "values", "width")

    def __init__(self, columns: MappedColumns, sources: list[Any], follows: int) -> None:
        self.width = self.left = columns.width
        self.states = columns.states
        self.values: list[Any] = [None] * columns.width
        self.sources = sources
        self.unwell = False
        self.missing = bytearray([follows]) * columns.width if follows > 1 else None

    @property
    def over(self) -> bool:
        """Whether every element is over, and what follows from that was seen to."""
        return self.left < 0


class Elements:
    """What a schedule does with mapped nodes."""

    def __init__(self, schedule: Schedule) -> None:
        self.schedule = schedule

    def succeeded(
        self,
        node_id: int,
        low: int,
        high: int,
        values: list[Any] | None,
        failures: Mapping[int, Any],
        code: int = SUCCESS,
    ) -> None:
        """Elements brought values; those at the offsets in `failures` did not, and are told of by other methods.

        code: SUCCESS, or CACHED if the values came from the cache.
        """
        mapped = self.schedule.mapped[node_id]
        if self.schedule.uses[node_id] and values is not None:
            mapped.values[low:high] = values
        if not failures:
            mapped.states[low:high] = bytes((code,)) * (high - low)
            mapped.left -= high - low
            if self.schedule.attempts.troubled and high - low == 1:  # what was tried before runs one by one
                self.schedule.attempts.recovered((node_id, low))
            self.schedule.tell(node_id, STATES[code], low, high)
            self.schedule.spans.append((node_id, low, high))
        else:
            assert values is not None  # they are left out only where nothing failed
            for start, stop in gaps(failures, high - low):
                self.succeeded(node_id, low + start, low + stop, values[start:stop], {})
        self.schedule.drain()

    def over(self, node_id: int, low: int, high: int) -> None:
        """Elements are over: see to what follows them, and to the node if they were the last of it."""
        schedule = self.schedule
        mapped = schedule.mapped[node_id]
        for follower in schedule.followers.get(node_id, ()):
            if follower in schedule.mapped:
                self._follow(schedule.nodes[follower], low, high)
        self._forget(node_id, low, high)
        if mapped.left == 0:
            self._all_over(node_id, mapped)

    def _forget(self, node_id: int, low: int, high: int) -> None:
        """Elements that only this node was still to use are dropped one by one, so that a chain of maps stays small."""
        for upstream in self.schedule.nodes[node_id].follows:
            if self.schedule.uses[upstream] == 1 and upstream in self.schedule.mapped:
                self.schedule.mapped[upstream].values[low:high] = [None] * (high - low)

    def _all_over(self, node_id: int, mapped: Mapped) -> None:
        mapped.left, mapped.sources = -1, []
        self.schedule.states[node_id] = SUCCESS
        if mapped.unwell:
            self.schedule.states[node_id] = _state_of(mapped.states)
        if not self.schedule.uses[node_id]:
            mapped.values = []
        elif mapped.unwell:
            pairs = zip(mapped.values, mapped.states, strict=True)
            self.schedule.values[node_id] = [value for value, code in pairs if code != SKIPPED]
        else:
            self.schedule.values[node_id] = mapped.values
        self.schedule.nodes_over.append(node_id)

    def open(self, node: Node) -> None:
        """The width of a mapped node can be known now, unless it follows one whose width is not."""
        schedule = self.schedule
        if schedule.missing[node.id] or node.id in schedule.mapped or schedule.states[node.id] in OVER:
            return
        guard = self.schedule.guards.get(node.id)
        if guard is not None and self.schedule.states[guard] != SUCCESS:
            refused(self.schedule, node, None)  # as a whole, however many elements it would have had
            return
        closed = [upstream for upstream in node.follows if upstream not in self.schedule.mapped]
        if any(self.schedule.states[upstream] not in OVER for upstream in closed):
            return
        found = sources_of(self.schedule, node, closed)
        if found is not None:
            self._opened(node, *found)

    def _opened(self, node: Node, width: int, sources: list[Any]) -> None:
        """The width of a node is known: its elements can be dealt with, those that are ready at once."""
        columns = self.schedule.ledger.mapped[node.id] = MappedColumns(width)
        self.schedule.mapped[node.id] = Mapped(columns, sources, len(node.follows))
        if width == 0:
            self._all_over(node.id, self.schedule.mapped[node.id])
        elif node.follows:
            for upstream in node.follows:
                self._catch_up(node, upstream)
        else:
            self._release(node, 0, width)
        followers = self.schedule.followers.get(node.id, ())
        self.schedule.opening += [self.schedule.nodes[follower] for follower in followers]

    def _catch_up(self, node: Node, upstream: int) -> None:
        """Elements of `upstream` that were over before this node was open."""
        before = self.schedule.mapped[upstream]
        if before.left == before.width:
            return
        if before.over:
            self._follow(node, 0, before.width)
            return
        for index, code in enumerate(before.states):
            if code in OVER:
                self._follow(node, index, index + 1)

    def _follow(self, node: Node, low: int, high: int) -> None:
        """Elements of a node that this one follows are over."""
        mapped = self.schedule.mapped[node.id]
        high = min(high, mapped.width)
        if low >= high:
            return
        count = high - low
        if mapped.missing is None:
            upstream = self.schedule.mapped[node.follows[0]].states
            if mapped.states.count(RUNNING, low, high) == count:
                return
            if (
                not self.schedule.unwell[node.id]
                and _all_well(upstream, low, high)
                and mapped.states.count(PENDING, low, high) == count
            ):
                self.schedule.ready.push(node, (node.id, low, high))
                return
        for index in range(low, high):
            if mapped.missing is not None:
                mapped.missing[index] -= 1
                if mapped.missing[index]:
                    continue
            if mapped.states[index] == PENDING:
                self.decide(node, index)

    def given_back(self, node: Node, low: int, high: int) -> None:
        """Elements were in a batch that did not come to them: those that nothing holds up are ready again."""
        self.schedule.mapped[node.id].states[low:high] = bytes((PENDING,)) * (high - low)
        waiting = [at for at in range(high - low) if self.held_up(node, low + at)] if node.follows else ()
        for start, stop in reversed(list(gaps(waiting, high - low))):
            self._release(node, low + start, low + stop)

    def cancel(self, node_id: int) -> int:
        """The elements of a node that are not over are Cancelled; how many those are."""
        states = self.schedule.mapped[node_id].states
        left = [index for index, code in enumerate(states) if code not in OVER]
        for index in left:
            states[index] = CANCELLED
        return len(left)

    def _release(self, node: Node, low: int, high: int) -> None:
        """All that these elements waited for is over."""
        followed = [self.schedule.mapped[upstream].states for upstream in node.follows]
        well = all(_all_well(states, low, high) for states in followed)
        if well and not self.schedule.unwell[node.id]:
            self.schedule.ready.push(node, (node.id, low, high))
            return
        for index in range(low, high):
            self.decide(node, index)

    def held_up(self, node: Node, index: int) -> bool:
        """Whether an element that this one follows is not over."""
        return any(self.schedule.mapped[upstream].states[index] not in OVER for upstream in node.follows)

    def decide(self, node: Node, index: int) -> None:
        """All that an element waited for is over: it runs, or its trigger or a skip says that it does not."""
        if not refused(self.schedule, node, index):
            self.schedule.ready.push(node, (node.id, index, index + 1))


def _state_of(states: bytearray) -> int:
    """The state of a node as a whole: that of its first element that failed; Skipped if all its elements were."""
    codes = set(states)
    if codes & FAILED:
        return next(code for code in states if code in FAILED)
    return SKIPPED if codes == {SKIPPED} else SUCCESS


def _all_well(states: bytearray, low: int, high: int) -> bool:
    """Whether elements `low` to `high` have values, be it from the cache."""
    well = states.count(SUCCESS, low, high)
    return well == high - low or well + states.count(CACHED, low, high) == high - low
