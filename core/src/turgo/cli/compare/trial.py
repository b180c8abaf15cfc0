"""One run of a flow on one executor, and what was measured of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs

from turgo.cli.compare.memory import Memory
from turgo.config.load import Config
from turgo.config.settings import Origin, Setting
from turgo.errors import TurgoError, UsageError
from turgo.executor import Executor
from turgo.flows.graph import Graph
from turgo.hooks import hookimpl
from turgo.names import reason_of
from turgo.records.flow_run import FlowRun
from turgo.run_report.critical_path import least_seconds
from turgo.runner import Launch


@attrs.frozen
class Trial:
    """What one run gave.

    start_seconds, seconds: what the start of the executor took, and the run after it. work_seconds: what all calls took
    together; least_seconds: in which they could have been over, on its slots. calls: how many there were.
    moved_bytes: between this process and workers; peak_bytes: held at once on this machine. failure: why there is no
    result; else result.
    """

    slots: int
    calls: int
    start_seconds: float
    seconds: float
    work_seconds: float
    least_seconds: float
    moved_bytes: int
    peak_bytes: int
    failure: str = ""
    result: Any = attrs.field(default=None, repr=False)

    @property
    def overhead_seconds(self) -> float:
        """What a call cost beside itself: the time beyond the least, for each call."""
        return max(self.seconds - self.least_seconds, 0.0) / max(self.calls, 1)


class _Slots:
    """Notes how many calls an executor can run at once, while it is open."""

    def __init__(self, executor: Executor) -> None:
        self.executor = executor
        self.most = 1

    @hookimpl
    def turgo_flow_started(self) -> None:
        """Look."""
        self.most = max(1, self.executor.slots)

    @hookimpl
    def turgo_task_events(self) -> None:
        """Look again: there may be more by now."""
        self.most = max(self.most, self.executor.slots)


def with_empty_cache(config: Config, folder: str) -> Config:
    """The configuration with a cache in this folder, so that no run is spared what another one has computed."""
    own = Setting(("cache", "url"), folder, Origin("argument", "turgo compare"))
    return attrs.evolve(config, cache_url=own)


def tried(launch: Launch, graph: Graph, warn: Callable[[str], None]) -> Trial:
    """Run a graph once, without a journal. Raises a UsageError for what cannot be run at all."""
    slots, memory = _Slots(launch.chosen.executor), Memory()
    prepared = launch.prepare(graph, [slots], warn=warn)
    failure = ""
    with memory.watched():
        try:
            run = prepared.go()
        except UsageError:
            raise
        except TurgoError as error:  # of the start, or the executor broke down
            run, failure = prepared.run, str(error)
    explained = prepared.explanation
    start, whole = run.start_seconds or 0.0, run.duration or 0.0
    return Trial(
        slots=slots.most,
        calls=len(run.task_runs),
        start_seconds=start,
        seconds=max(whole - start, 0.0),
        work_seconds=sum(totals.seconds for totals in run.task_runs.by_task().values()),
        least_seconds=least_seconds(explained.ledger, explained.structure, slots.most),
        moved_bytes=prepared.bytes_moved,
        peak_bytes=memory.peak_bytes,
        failure=failure or _failure(run),
        result=run.result if run.ok and run.error is None else None,
    )


def _failure(run: FlowRun) -> str:
    if run.ok and run.error is None:
        return ""
    failed = next(run.task_runs.failures(), None)
    if failed is not None and failed.error is not None:
        return f"{failed.title}: {reason_of(failed.error)}"
    return str(run.error) if run.error is not None else f"it ended {run.state}"
