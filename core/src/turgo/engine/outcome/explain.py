"""The explanation, in words, of the state of a task run. Reads what the engine wrote, from any thread.

measure[3] is TriggerFailed: it did not run, as its trigger all_successful was not met.
fetch[3] is Failed: ConnectionError: no route, in attempt 3 of 3, after 0.2 s on node-7:123.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from itertools import islice
from typing import Any, NamedTuple

from turgo.engine.batching.tag_limits import Limits
from turgo.engine.outcome.causes import Causes
from turgo.engine.outcome.selectors import meant
from turgo.engine.schedule.pieces import Piece, keys_of
from turgo.engine.schedule.progress import Progress
from turgo.errors import TaskError
from turgo.flows.graph import structure_of
from turgo.flows.operators import merging
from turgo.flows.task import picking
from turgo.outlines.structure import Structure
from turgo.records.ledger import Key, Ledger
from turgo.records.states import CODE, OVER, STATES, SUCCESS, TaskState
from turgo.records.task_run import titled
from turgo.worker.values.pickles import message_of

_UNDER_WAY = (TaskState.RUNNING, TaskState.RETRYING)

WITHOUT_CALL = (merging.policy.trigger.name, picking.policy.trigger.name)
"""The triggers of tasks that the engine itself does."""

EXPLAINED_TASK_RUNS = 10
"""How many task runs are explained one by one where a name means many, and how long a chain of reasons gets."""


class Links(NamedTuple):
    """What is to be known of a node: neither its arguments nor its function."""

    depends: tuple[int, ...]
    follows: tuple[int, ...]
    trigger: str
    spread: bool


class Explanation:
    """What `FlowRun.explain` asks.

    waiting: the retries that are on the clock, as `(due, number, key)` by `clock`, in seconds. limits: of the run,
        if it has any. hindrances: why calls do not begin, as executors tell. progress: while the run is not over;
        recorded: the same, also after the run if that keeps its inputs.
    """

    def __init__(
        self,
        progress: Progress,
        waiting: Sequence[tuple[float, int, Key]] = (),
        limits: Limits | None = None,
        clock: Callable[[], float] = time.monotonic,
        hindrances: Callable[[], Iterable[str]] = tuple,
    ) -> None:
        self.ledger: Ledger = progress.ledger
        self.progress: Progress | None = progress
        self.recorded: Progress | None = progress
        self.waiting = waiting
        self.limits = limits
        self.clock = clock
        self.hindrances = hindrances
        self.guards = progress.guards
        self._kept = Structure([], [], {})
        self._ended_by = ""

    @cached_property
    def causes(self) -> Causes:
        """The task runs that others ended for."""
        return Causes(self.ledger, self._link)

    def settle(self, why: BaseException | None = None) -> None:
        """The run is over: let go of all but what is needed to say why. why: what ended it, if it did not succeed."""
        self._ended_by = "" if why is None else f": {error_text(why)}"
        if self.progress is not None:
            if not self.progress.keeps_inputs:
                self._kept = self.structure
                self.recorded = None
            self.progress, self.waiting = None, ()
            self.hindrances = tuple

    def __getstate__(self) -> dict[str, Any]:
        """A run is pickled without what its calls were made of."""
        return {**vars(self), "_kept": self.structure, "recorded": None}

    def input_of(self, key: Key) -> str:
        """What a call was made of, in words, also once the run is over; nothing if it is not known."""
        progress = self.recorded  # another thread may end the run meanwhile
        if progress is None:
            return ""
        from turgo.engine.schedule.inputs import input_of  # late, with all that shows values

        return input_of(progress, key)

    @property
    def structure(self) -> Structure:
        """What the nodes of the run depend on."""
        progress = self.recorded  # another thread may end the run meanwhile
        return self._kept if progress is None else structure_of(progress.nodes, self.guards)

    def _link(self, node_id: int) -> Links:
        progress = self.recorded  # another thread may end the run meanwhile
        if progress is None:
            kept, spread = self._kept, node_id in self._kept.follows
            return Links(kept.depends[node_id], kept.follows.get(node_id, ()), kept.triggers[node_id], spread)
        node = progress.nodes[node_id]
        return Links(node.depends, node.follows, node.task.policy.trigger.name, node.spread is not None)

    def __call__(self, what: Any) -> str:
        """Why a TaskRun, a task, its name or `name[index]` is as it is. Raises ParameterError for anything else."""
        pieces = meant(self.ledger, what)
        counts = Counter[int]()
        for piece in pieces:
            counts.update(self._codes(piece))
        if counts.total() == 1:
            return "\n".join(self._lines(next(key for piece in pieces for key in keys_of(piece))))
        odd = (
            key
            for piece in pieces
            for key, code in zip(keys_of(piece), self._codes(piece), strict=True)
            if code != SUCCESS
        )
        lines = dict.fromkeys(line for key in islice(odd, EXPLAINED_TASK_RUNS) for line in self._lines(key))
        left = counts.total() - counts[SUCCESS] - EXPLAINED_TASK_RUNS
        summary = _counts(counts) or "there was nothing to map over"
        more = [f"… and {left:,} more that are not Success"] if left > 0 else []
        return "\n".join([f"{counts.total():,} task runs: {summary}.", *lines, *more])

    def _codes(self, piece: Piece) -> Sequence[int]:
        """The codes of the states of some task runs."""
        node, low, high = piece
        return self.ledger.states[node : node + 1] if low < 0 else self.ledger.mapped[node].states[low:high]

    def _state(self, key: Key) -> TaskState:
        node, index = key
        return STATES[self.ledger.states[node] if index is None else self.ledger.mapped[node].states[index]]

    def _label(self, key: Key) -> str:
        """What a task run is called, with its input if it failed, or runs now."""
        known = self.ledger.inputs.get(key)
        if known is None and self._state(key) in _UNDER_WAY:
            known = self.input_of(key)
        return titled(self.ledger.names[key[0]], self.ledger.index(key), known or "")

    def _lines(self, key: Key) -> Iterator[str]:
        """What is said of a task run, then of what it did not run for, up to the one that is the reason."""
        state = self._state(key)
        path = [key]
        if state is TaskState.TRIGGER_FAILED:
            path = self.causes.of_failure(key)
        elif state is TaskState.SKIPPED:
            path = self.causes.of_skip(key)
        for each in path if len(path) <= EXPLAINED_TASK_RUNS else path[: EXPLAINED_TASK_RUNS - 1]:
            yield f"{self._label(each)} is {self._state(each)}{self._reason(each)}."
        if len(path) > EXPLAINED_TASK_RUNS:
            yield f"… and so on, {len(path) - EXPLAINED_TASK_RUNS:,} more, up to"
            yield f"{self._label(path[-1])} is {self._state(path[-1])}{self._reason(path[-1])}."

    def _reason(self, key: Key) -> str:
        """What is said of a task run after its state: why it is in it."""
        state = self._state(key)
        failure = self.ledger.failures.get(key)
        if state is TaskState.PENDING:
            return f": it waits {self._wait(key)}"
        if state is TaskState.RUNNING:
            return f"{self._number(key)}: it was handed to a worker{self._hindered()}"
        if state is TaskState.SKIPPED and failure is None:
            taken = self._state((guard, None)) if (guard := self.guards.get(key[0])) is not None else None
            other = taken is TaskState.SKIPPED
            return ": its case was not taken" if other else ": something that it depends on was skipped"
        if state is TaskState.TRIGGER_FAILED:
            return self._unmet(key)
        if state is TaskState.CACHED:
            return (
                ": its value was in the cache, or in the journal that the run goes on with, so it did not run"
            )
        if state is TaskState.CANCELLED:
            return f", as the run ended before it was over{self._ended_by}"
        return self._made(key)

    def _made(self, key: Key) -> str:
        """The error of a task run, if it has one, and how its attempts went."""
        run = self.ledger.task_run(key)
        text = f": {error_text(run.error)}" if run.error is not None else ""
        if len(run.attempts) > 1:
            text += f", in attempt {len(run.attempts)}"
        if run.attempts:
            text += f", after {run.attempts[-1].duration:.2g} s"
            text += f" on {run.worker}" if run.worker else ""
        if run.state is TaskState.RETRYING:
            return f"{text}; its next attempt begins {self._next_try(key)}"
        failed = [attempt.error for attempt in run.attempts[:-1] if attempt.error is not None]
        return text if not failed or run.error is not None else f"{text}; before, {error_text(failed[-1])}"

    def _hindered(self) -> str:
        """What is said if calls do not begin."""
        return "".join(f"; {each}" for each in self.hindrances()) if self.progress is not None else ""

    def _number(self, key: Key) -> str:
        progress = self.progress
        return "" if progress is None else f", in attempt {progress.attempts.number(key)}"

    def _next_try(self, key: Key) -> str:
        for due, _, waits in list(self.waiting):
            if waits == key:
                return f"in {max(0.0, due - self.clock()):.2g} s"
        return "at once"

    def _unmet(self, key: Key) -> str:
        link = self._link(key[0])
        if link.spread and key[1] is None and key[0] not in self.ledger.mapped:
            return ": it did not run, as what it is mapped over is not there"
        guard = self.guards.get(key[0])
        if guard is not None and self._state((guard, None)).failed:
            return ": it did not run, as the condition of its case is not there"
        states = Counter(code for each in self._upstream(key) for code in self._codes_of(each))
        if link.trigger == picking.policy.trigger.name:
            return ": the element that it takes is not there"
        if link.trigger == merging.policy.trigger.name:
            return f": there was nothing to merge, as a branch failed. Upstream: {_counts(states)}"
        return f": it did not run, as its trigger {link.trigger} was not met. Upstream: {_counts(states)}"

    def _upstream(self, key: Key) -> Iterator[Key]:
        """What a task run depends on: nodes as a whole, and the elements that it follows."""
        link = self._link(key[0])
        yield from ((node, None) for node in link.depends)
        for node in link.follows:
            yield node, key[1] if node in self.ledger.mapped else None

    def _codes_of(self, key: Key) -> Sequence[int]:
        """The code of the state of a task run, or those of all elements of a node."""
        node, index = key
        if index is None and node in self.ledger.mapped:
            return self.ledger.mapped[node].states
        return (CODE[self._state(key)],)

    def _wait(self, key: Key) -> str:
        """What a task run that is Pending waits for."""
        names = []
        for upstream in self._upstream(key):
            node, index = upstream
            if self.ledger.states[node] in OVER or self._state(upstream).finished:
                continue
            codes = self._codes_of(upstream)
            left = sum(code not in OVER for code in codes)
            label = self._label(upstream) if index is not None else self.ledger.names[node]
            wait = f"{left:,} of {len(codes):,} not over" if len(codes) > 1 else self._state(upstream)
            names.append(f"{label} ({wait})")
        if names:
            return f"for {', '.join(names)}"
        progress = self.progress
        if progress is not None and self.limits is not None:
            for tag in self.limits.full(progress.nodes[key[0]].task.policy.tags):
                return f"for room within the limit of the tag {tag!r}, {self.limits.most[tag]} at a time"
        return f"for a free worker{self._hindered()}"


def _counts(codes: Counter[int]) -> str:
    return ", ".join(f"{codes[code]:,} {STATES[code]}" for code in sorted(codes))


def error_text(error: BaseException) -> str:
    """The class and the message of an error; of one whose class is not here, those that it had there."""
    own = "" if isinstance(error, TaskError) else f"{type(error).__name__}: "
    return f"{own}{message_of(error)}"
