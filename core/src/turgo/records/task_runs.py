"""The task runs of a run, as users and observers see them. They are made from the ledger's columns on demand."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from typing import overload

from turgo.records.ledger import Key, Ledger
from turgo.records.states import CODE, TaskState
from turgo.records.task_run import TaskEvent, TaskRun, TaskTotals


def _place(key: Key) -> tuple[int, int]:
    """Where a task run stands among all."""
    return key[0], -1 if key[1] is None else key[1]


class TaskRuns(Sequence[TaskRun]):
    """The task runs of a run, in the order in which the flow recorded them; made when they are looked at."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def _starts(self) -> list[int]:
        ledger = self._ledger
        return list(accumulate((ledger.width(node) for node in range(len(ledger.names))), initial=0))

    def _key(self, starts: list[int], position: int) -> Key:
        node = bisect_right(starts, position) - 1
        return (node, position - starts[node]) if node in self._ledger.mapped else (node, None)

    def __len__(self) -> int:
        return len(self._ledger.names) + sum(
            columns.width - 1 for columns in list(self._ledger.mapped.values())
        )

    @overload
    def __getitem__(self, position: int) -> TaskRun: ...
    @overload
    def __getitem__(self, position: slice) -> list[TaskRun]: ...
    def __getitem__(self, position: int | slice) -> TaskRun | list[TaskRun]:
        starts = self._starts()
        if isinstance(position, slice):
            positions = range(*position.indices(len(self)))
            return [self._ledger.task_run(self._key(starts, each)) for each in positions]
        at = position + len(self) if position < 0 else position
        if not 0 <= at < len(self):
            raise IndexError(f"there are {len(self)} task runs")
        return self._ledger.task_run(self._key(starts, at))

    def __iter__(self) -> Iterator[TaskRun]:
        ledger = self._ledger
        for node in range(len(ledger.names)):
            if node in ledger.mapped:
                for index in range(ledger.mapped[node].width):
                    yield ledger.task_run((node, index))
            else:
                yield ledger.task_run((node, None))

    def of_event(self, event: TaskEvent) -> Iterator[TaskRun]:
        """Those that an event is about, as they are now."""
        node, columns = event.node, self._ledger.mapped.get(event.node)
        if event.low is not None and event.high is not None:
            indices: Iterable[int | None] = range(event.low, event.high)
        elif columns is None:
            indices = (None,)
        else:  # what a run left over as it was cut short
            code = CODE[event.state]
            indices = (index for index, each in enumerate(columns.states) if each == code)
        for index in indices:
            yield self._ledger.task_run((node, index))

    def counts(self) -> dict[TaskState, int]:
        """How many there are in each state that occurs; cheap, however many there are."""
        return self._ledger.counts()

    def by_task(self) -> dict[str, TaskTotals]:
        """What became of the task runs of each task name, in the order of their first call."""
        return self._ledger.by_task()

    def widths(self) -> dict[str, int]:
        """How many task runs each task name has, as far as is known now; cheaper than `by_task()`."""
        widths: dict[str, int] = {}
        for node, name in enumerate(self._ledger.names):
            widths[name] = widths.get(name, 0) + self._ledger.width(node)
        return widths

    def failures(self) -> Iterator[TaskRun]:
        """Those that failed by themselves (not because of an upstream), in the order of recording."""
        for key in sorted(self._ledger.failures, key=_place):
            run = self._ledger.task_run(key)
            if run.state.failed and run.state is not TaskState.TRIGGER_FAILED:
                yield run

    def __repr__(self) -> str:
        return f"<{len(self)} task runs: {', '.join(f'{n} {state}' for state, n in self.counts().items())}>"
