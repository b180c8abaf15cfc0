"""The elements of mapped nodes. Says when the width is known, and what follows from each element's outcome. Pure.

A mapped node *opens* once everything that it depends on as a whole is over and every mapped node that it follows is
open; then its width is known. Where nothing failed its elements are dealt with as slices of columns; one by one only
where a failure, a skip or a second node that is followed makes them differ.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from turgo.engine.schedule.conditions import barred, pick, refused, waiting_picks
from turgo.engine.schedule.pieces import gaps
from turgo.engine.schedule.progress import Mapped, Progress
from turgo.engine.schedule.ready import Ready
from turgo.engine.schedule.width import sources_of
from turgo.flows.graph import Node
from turgo.records.ledger import MappedColumns
from turgo.records.states import CACHED, FAILED, OVER, PENDING, RUNNING, SKIPPED, STATES, SUCCESS


class Elements:
    """What is done with the elements of mapped nodes."""

    def __init__(self, progress: Progress, ready: Ready) -> None:
        self.progress = progress
        self.ready = ready

    def succeeded(
        self,
        node_id: int,
        low: int,
        high: int,
        values: list[Any] | None,
        failures: Mapping[int, Any],
        code: int,
    ) -> None:
        """Enter the values of elements; those at the offsets in `failures` have none and are entered elsewhere.

        code: SUCCESS, or CACHED if the values came from the cache. What follows is seen to by `Schedule.drain`.
        """
        progress = self.progress
        mapped = progress.mapped[node_id]
        if progress.uses[node_id] and values is not None:
            mapped.values[low:high] = values
        if failures:
            assert values is not None  # they are left out only where nothing failed
            for start, stop in gaps(failures, high - low):
                self.succeeded(node_id, low + start, low + stop, values[start:stop], {}, code)
            return
        mapped.states[low:high] = bytes((code,)) * (high - low)
        mapped.left -= high - low
        if progress.attempts.troubled and high - low == 1:  # what was tried before runs one by one
            progress.attempts.recovered((node_id, low))
        progress.report(node_id, STATES[code], low, high)
        progress.spans.append((node_id, low, high))

    def over(self, node_id: int, low: int, high: int) -> None:
        """See to what follows elements that are over, and to the node if they were the last of it."""
        progress = self.progress
        mapped = progress.mapped[node_id]
        for follower in progress.followers.get(node_id, ()):
            if follower in progress.mapped:
                self._follow(progress.nodes[follower], low, high)
        if mapped.picks:
            self._pick(mapped.picks, low, high)
        self._drop_followed(node_id, low, high)
        if mapped.left == 0:
            self._all_over(node_id, mapped)

    def _pick(self, picks: dict[int, list[Node]], low: int, high: int) -> None:
        """End each `mapped[key]` that takes one of these elements; the others need not be over for that."""
        over = range(low, high) if high - low < len(picks) else [at for at in picks if low <= at < high]
        for index in over:
            for node in picks.pop(index, ()):
                if not barred(self.progress, node, None):
                    pick(self.progress, node)

    def _drop_followed(self, node_id: int, low: int, high: int) -> None:
        """Drop elements that only this node was still to use one by one, so that a chain of maps stays small."""
        progress = self.progress
        for upstream in progress.nodes[node_id].follows:
            if progress.uses[upstream] == 1 and upstream in progress.mapped:
                progress.mapped[upstream].values[low:high] = [None] * (high - low)

    def _all_over(self, node_id: int, mapped: Mapped) -> None:
        progress = self.progress
        mapped.left = -1
        if not progress.keeping:  # else they are asked what calls were made of
            mapped.sources = []
        progress.states[node_id] = _state_of(mapped.states) if mapped.irregular else SUCCESS
        if not progress.uses[node_id]:
            mapped.values = []
        elif mapped.irregular:
            pairs = zip(mapped.values, mapped.states, strict=True)
            progress.values[node_id] = [value for value, code in pairs if code != SKIPPED]
        else:
            progress.values[node_id] = mapped.values
        progress.nodes_over.append(node_id)

    def open(self, node: Node) -> None:
        """Find the width of a mapped node, unless it follows one whose width is not known."""
        progress = self.progress
        if progress.missing[node.id] or node.id in progress.mapped or progress.states[node.id] in OVER:
            return
        if barred(progress, node, None):  # as a whole, however many elements it would have had
            return
        closed = [upstream for upstream in node.follows if upstream not in progress.mapped]
        if any(progress.states[upstream] not in OVER for upstream in closed):
            return
        found = sources_of(progress, node, closed)
        if found is not None:
            self._opened(node, *found)

    def _opened(self, node: Node, width: int, sources: list[Any]) -> None:
        """Make the columns of a node whose width is known; elements that wait for nothing are ready."""
        progress = self.progress
        columns = progress.ledger.mapped[node.id] = MappedColumns(width)
        mapped = progress.mapped[node.id] = Mapped(columns, sources, len(node.follows))
        if progress.consumers[node.id]:
            mapped.picks = waiting_picks(progress, node.id, width)
        if width == 0:
            self._all_over(node.id, mapped)
        elif node.follows:
            for upstream in node.follows:
                self._catch_up(node, upstream)
        else:
            self._release(node, 0, width)
        progress.opening += [progress.nodes[follower] for follower in progress.followers.get(node.id, ())]

    def _catch_up(self, node: Node, upstream: int) -> None:
        """Follow elements of `upstream` that were over before this node was open."""
        before = self.progress.mapped[upstream]
        if before.left == before.width:
            return
        if before.over:
            self._follow(node, 0, before.width)
            return
        for index, code in enumerate(before.states):
            if code in OVER:
                self._follow(node, index, index + 1)

    def _follow(self, node: Node, low: int, high: int) -> None:
        """Elements `low` to `high` of a node that this one follows are over."""
        mapped = self.progress.mapped[node.id]
        high = min(high, mapped.width)
        if low >= high:
            return
        if mapped.missing is None and self._follow_slice(node, mapped, low, high):
            return
        for index in range(low, high):
            if mapped.missing is not None:
                mapped.missing[index] -= 1
                if mapped.missing[index]:
                    continue
            if mapped.states[index] == PENDING:
                self.decide(node, index)

    def _follow_slice(self, node: Node, mapped: Mapped, low: int, high: int) -> bool:
        """Follow all elements at once, where they are alike: all run in the same batch, or all may run now."""
        upstream = self.progress.mapped[node.follows[0]].states
        if mapped.states.count(RUNNING, low, high) == high - low:
            return True
        if self.progress.irregular[node.id] or not _all_succeeded(upstream, low, high):
            return False
        if mapped.states.count(PENDING, low, high) != high - low:
            return False
        self.ready.push(node, (node.id, low, high))
        return True

    def given_back(self, node: Node, low: int, high: int) -> None:
        """Elements were in a batch that did not reach them: those that wait for nothing are ready again."""
        self.progress.mapped[node.id].states[low:high] = bytes((PENDING,)) * (high - low)
        waiting = [at for at in range(high - low) if self.held_up(node, low + at)] if node.follows else ()
        for start, stop in reversed(list(gaps(waiting, high - low))):
            self._release(node, low + start, low + stop)

    def _release(self, node: Node, low: int, high: int) -> None:
        """All that these elements waited for is over."""
        followed = [self.progress.mapped[upstream].states for upstream in node.follows]
        regular = all(_all_succeeded(states, low, high) for states in followed)
        if regular and not self.progress.irregular[node.id]:
            self.ready.push(node, (node.id, low, high))
            return
        for index in range(low, high):
            self.decide(node, index)

    def held_up(self, node: Node, index: int) -> bool:
        """Whether an element that this one follows is not over."""
        return any(self.progress.mapped[upstream].states[index] not in OVER for upstream in node.follows)

    def decide(self, node: Node, index: int) -> None:
        """All that an element waited for is over: it runs, or its trigger or a skip says that it does not."""
        if not refused(self.progress, node, index):
            self.ready.push(node, (node.id, index, index + 1))


def _state_of(states: bytearray) -> int:
    """The state of a node as a whole: that of its first element that failed; Skipped if all its elements were."""
    codes = set(states)
    if codes & FAILED:
        return next(code for code in states if code in FAILED)
    return SKIPPED if codes == {SKIPPED} else SUCCESS


def _all_succeeded(states: bytearray, low: int, high: int) -> bool:
    """Whether elements `low` to `high` have values, be it from the cache."""
    ran = states.count(SUCCESS, low, high)
    return ran == high - low or ran + states.count(CACHED, low, high) == high - low
