"""Gives the values of task runs, to whoever holds the run. What failed has a marker that says why.

TaskRun.value, FlowRun.values, FlowRun.partial ──> Values ──> what the schedule kept; a remote value is fetched now
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import attrs

from turgo.engine.outcome.selectors import meant
from turgo.engine.schedule.pieces import keys_of
from turgo.engine.schedule.progress import Mapped
from turgo.engine.schedule.remote import RemoteValue
from turgo.records.ledger import Key, Ledger
from turgo.records.states import PRESENT, SKIPPED
from turgo.records.task_run import NoValue
from turgo.worker.arguments import Template, fill
from turgo.worker.values.pickles import message_of


@attrs.frozen
class Values:
    """The values of one run.

    single, mapped: what the schedule holds, by node. let_go: nodes whose values it holds no more.
    returns: the template of what the flow returned. fetch: copies remote values here while their executor is open.
    """

    ledger: Ledger
    single: Sequence[Any]
    mapped: Mapping[int, Mapped]
    let_go: set[int]
    returns: Template
    fetch: Callable[[Sequence[RemoteValue]], None]

    def of(self, key: Key) -> Any:
        """The value of one task run, or a NoValue."""
        return self._all([key])[0]

    def named(self, what: Any) -> list[Any]:
        """The values of the task runs that are meant; see `selectors`. Raises ParameterError if there are none."""
        return self._all([key for piece in meant(self.ledger, what) for key in keys_of(piece)])

    def partial(self) -> Any:
        """What the flow returned, with a NoValue in the place of each value that is not there."""
        return fill(self.returns, self._of_node)

    def _of_node(self, node: int) -> Any:
        mapped = self.ledger.mapped.get(node)
        if mapped is not None:
            return self._all([(node, index) for index, code in enumerate(mapped.states) if code != SKIPPED])
        return None if self.ledger.states[node] == SKIPPED else self.of((node, None))

    def _all(self, keys: Sequence[Key]) -> list[Any]:
        found = [self._held(key) for key in keys]
        away = [each for each in found if type(each) is RemoteValue and each.home is None]
        lost = self._fetch_error(away) if away else ""
        return [
            self._brought(key, value, lost) if type(value) is RemoteValue else value
            for key, value in zip(keys, found, strict=True)
        ]

    def _held(self, key: Key) -> Any:
        """What is held of a task run, which may be remote; a NoValue if there is nothing."""
        node, index = key
        ledger = self.ledger
        code = ledger.states[node] if index is None else ledger.mapped[node].states[index]
        if code not in PRESENT:
            return self._absent(key)
        held: Any = None
        if index is None:
            held = self.single[node]
        elif values := self.mapped[node].values:  # none, if they were let go this moment
            held = values[index]
        if node in self.let_go:  # looked at afterwards: the run may be on, in another thread
            return self._without(key, "was let go, as those of its run became too large together")
        return held

    def _fetch_error(self, away: Sequence[RemoteValue]) -> str:
        """Fetch remote values; what keeps them from being fetched, if anything does."""
        try:
            self.fetch(away)
        except Exception as error:  # noqa: BLE001  (an executor's own, or of a value that cannot be unpickled here)
            return f": {type(error).__name__}: {message_of(error)}"
        return ", whose executor is closed"

    def _brought(self, key: Key, value: RemoteValue, lost: str) -> Any:
        return value.home[0] if value.home else self._without(key, f"stayed on its worker{lost}")

    def _without(self, key: Key, why: str) -> NoValue:
        run = self.ledger.task_run(key)
        return NoValue(run.label, run.state, f"{run.label} is {run.state}, but its value {why}")

    def _absent(self, key: Key) -> NoValue:
        run = self.ledger.task_run(key)
        error = "" if run.error is None else f": {type(run.error).__name__}: {message_of(run.error)}"
        return NoValue(run.label, run.state, f"{run.title} is {run.state}{error}", run.error)
