"""The elements of mapped nodes: when a node's width is known, and what follows from what came of each element. Pure.

A mapped node *opens* once everything that it depends on as a whole is over and every mapped node that it follows is
open; then its width is known. Where nothing went wrong its elements are dealt with as slices of columns; one by one
only where a failure, a skip or a second node that is followed makes them differ.
"""

from __future__ import annotations

import reprlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from penstock.engine.remote import Remote
from penstock.engine.states import CACHED, FAILED, OVER, PENDING, RUNNING, SKIPPED, SUCCESS
from penstock.engine.verdicts import refused
from penstock.errors import ParameterError
from penstock.flows.graph import Node
from penstock.flows.mapping import length_of, too_wide
from penstock.flows.templates import CONST
from penstock.ledger import Failure, MappedColumns
from penstock.states import STATES, TaskState

if TYPE_CHECKING:
    from penstock.engine.schedule import Schedule


class Mapped:
    """A mapped node whose width is known."""

    __slots__ = ("columns", "left", "missing", "states", "unwell", "values", "width")

    def __init__(self, columns: MappedColumns, sources: list[Any], follows: int) -> None:
        self.width = self.left = columns.width
        self.states = columns.states
        self.values: list[Any] = [None] * columns.width
        self.columns = sources
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
        mapped.left, mapped.columns = -1, []
        self.schedule.states[node_id] = SUCCESS
        if mapped.unwell:
            codes = set(mapped.states)
            self.schedule.states[node_id] = (
                next((code for code in mapped.states if code in FAILED), SKIPPED)
                if codes & FAILED
                else SKIPPED
                if codes == {SKIPPED}
                else SUCCESS
            )
        if self.schedule.uses[node_id]:
            self.schedule.values[node_id] = (
                [value for value, code in zip(mapped.values, mapped.states, strict=True) if code != SKIPPED]
                if mapped.unwell
                else mapped.values
            )
        else:
            mapped.values = []
        self.schedule.nodes_over.append(node_id)

    def open(self, node: Node) -> None:
        """The width of a mapped node can be known now, unless it follows one whose width is not."""
        if (
            self.schedule.missing[node.id]
            or node.id in self.schedule.mapped
            or self.schedule.states[node.id] in OVER
        ):
            return
        guard = self.schedule.guards.get(node.id)
        if guard is not None and self.schedule.states[guard] != SUCCESS:
            refused(self.schedule, node, None)  # as a whole, however many elements it would have had
            return
        closed = [u for u in node.follows if u not in self.schedule.mapped]
        if any(self.schedule.states[upstream] not in OVER for upstream in closed):
            return
        sources = self._sources(node, closed)
        if sources is None:
            return
        width = min(
            self.schedule.mapped[source].width if type(source) is int else length_of(source)
            for source in sources
        )
        if width > self.schedule.widest:
            self._fail(node, too_wide(node.task.name, width, self.schedule.widest))
            return
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

    def _sources(self, node: Node, closed: list[int]) -> list[Any] | None:
        """What the spread arguments are spread over: a sequence, or the id of the mapped node that is followed.

        None if one of them is not there or cannot be spread; the node is over then, with no elements.
        """
        sources: list[Any] = []
        for place in node.spread or ():
            kind, held = (node.args[place] if isinstance(place, int) else node.kwargs[place])[:2]
            if kind == CONST or (held in self.schedule.mapped and held in node.follows):
                sources.append(held)
            elif held in closed or self.schedule.states[held] not in (SUCCESS, CACHED):
                skipped = self.schedule.states[held] == SKIPPED and node.task.policy.skip_on_upstream_skip
                self.schedule.end(
                    (node.id, None), TaskState.SKIPPED if skipped else TaskState.TRIGGER_FAILED, None
                )
                return None
            else:
                value = self._here_or_counted(self.schedule.values[held])
                elements = value if type(value) is Remote else _elements_of(value, self.schedule.widest)
                if elements is None:
                    self._refuse_source(node, place, value)
                    return None
                sources.append(elements)
        return sources

    def _here_or_counted(self, value: Any) -> Any:
        """A value that is to be spread; one that is elsewhere comes here if nobody knows how many elements it has."""
        if type(value) is Remote and value.width is None:
            self.schedule.bring([value])
        return value.home[0] if type(value) is Remote and value.home else value

    def _refuse_source(self, node: Node, place: int | str, value: Any) -> None:
        error = ParameterError(
            f"{node.task.name}.map() cannot spread its argument {place!r}: {reprlib.repr(value):.80} "
            "is no collection of elements",
            parameter=str(place),
        )
        self._fail(node, error)

    def _fail(self, node: Node, error: ParameterError) -> None:
        self.schedule.ledger.failures[node.id, None] = Failure(TaskState.FAILED, error)
        self.schedule.end((node.id, None), TaskState.FAILED, error)

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
                self.schedule.push(node, (node.id, low, high))
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
        held_up = [at for at in range(high - low) if not self.ready(node, low + at)] if node.follows else ()
        for start, stop in reversed(list(gaps(held_up, high - low))):
            self._release(node, low + start, low + stop)

    def _release(self, node: Node, low: int, high: int) -> None:
        """All that these elements waited for is over."""
        followed = [self.schedule.mapped[upstream].states for upstream in node.follows]
        well = all(_all_well(states, low, high) for states in followed)
        if well and not self.schedule.unwell[node.id]:
            self.schedule.push(node, (node.id, low, high))
            return
        for index in range(low, high):
            self.decide(node, index)

    def ready(self, node: Node, index: int) -> bool:
        """Whether all elements that this one follows are over."""
        return all(self.schedule.mapped[upstream].states[index] in OVER for upstream in node.follows)

    def decide(self, node: Node, index: int) -> None:
        """All that an element waited for is over: it runs, or its trigger or a skip says that it does not."""
        if not refused(self.schedule, node, index):
            self.schedule.push(node, (node.id, index, index + 1))


def _all_well(states: bytearray, low: int, high: int) -> bool:
    """Whether elements `low` to `high` have values, be it from the cache."""
    well = states.count(SUCCESS, low, high)
    return well == high - low or well + states.count(CACHED, low, high) == high - low


def _elements_of(value: Any, most: int) -> Sequence[Any] | None:
    """What a value is spread into, at least as far as one more than `most`; None if it cannot be."""
    cls = type(value)  # and not by isinstance, as an object may say that it is a list and have no length
    if issubclass(cls, (list, tuple, range)):
        return value  # type: ignore[no-any-return]
    if issubclass(cls, (str, bytes)):
        return None
    try:
        return list(islice(value, most + 1))
    except Exception:  # noqa: BLE001  (a user's own iterator may raise anything)
        return None


def gaps(holes: Iterable[int], count: int) -> Iterator[tuple[int, int]]:
    """The runs of offsets below `count` that are not among `holes`."""
    start = 0
    for hole in sorted(holes):
        if hole > start:
            yield start, hole
        start = hole + 1
    if start < count:
        yield start, count
