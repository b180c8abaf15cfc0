"""A handle on a run that goes on in a thread of its own.

    flow.start(…) ──> RunningFlow ──> a thread: GraphRun.go()
                           │              │ events, the end
                           └── Ended <────┘

What runs holds no reference to the handle: whoever drops it lets the run go on.
"""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from types import TracebackType
from typing import Any, Generic, Self

from turgo.errors import StillRunningError
from turgo.flows.results import recorder_here
from turgo.main_module import remember_script_line
from turgo.records.flow_run import FlowRun, R_co
from turgo.records.states import TaskState
from turgo.records.task_run import TaskRun
from turgo.running import at_exit
from turgo.running.ended import Ended
from turgo.running.iteration import TaskRunsAsTheyEnd
from turgo.worker.call import own_context


class RunningFlow(Generic[R_co]):
    """A run that goes on in a thread of its own; made by `flow.start(…)`. run: its record, which may be looked at.

        with census.start(root="…", executor="dask") as running:
            for task_run in running:              each task run as it ends
                print(task_run.label, task_run.value)
            run = running.wait()

    Each `for`, and each `async for`, gets all task runs from the first one on, also when the run is over. Leaving the
    block ends the run: it is cancelled if it is not over, and waited for. Every method may be called in any thread; in
    a coroutine, `await running`, `async for` and `async with` do not block the event loop.
    """

    def __init__(self, run: FlowRun[R_co], go: Callable[[], object], ended: Ended) -> None:
        """go: runs it. ended: an observer of the run."""
        self.run = run
        self._ended = ended
        context = own_context()[0]
        context.run(recorder_here.set, None)
        context.run(remember_script_line)
        thread = threading.Thread(
            target=context.run, args=(_go, go, ended), name=f"turgo-{run.id}", daemon=True
        )
        ended.thread = thread
        at_exit.begin(ended, run.cancel)
        try:
            thread.start()
        except BaseException as error:
            at_exit.end(ended)
            ended.close(error)
            raise

    @property
    def done(self) -> bool:
        """Whether the run is over, and its executor closed."""
        return self._ended.over

    def counts(self) -> dict[TaskState, int]:
        """How many task runs are in each state that occurs now."""
        return self.run.task_runs.counts()

    def cancel(self) -> None:
        """End the run: no call begins, those that run are stopped as far as the executor can. Returns at once."""
        if not self._ended.foreign:
            self.run.cancel()

    def _repr_html_(self) -> str:
        """What a notebook shows of it: the run as it is now."""
        return self.run._repr_html_()

    def wait(self, timeout: float | None = None) -> FlowRun[R_co]:
        """Block until the run is over, and return it, whether it succeeded or not.

        timeout: seconds to wait; after them StillRunningError, a TimeoutError, is raised, and the run goes on, as it
        does after Ctrl-C. Raises what `flow.run` would raise, as an ExecutorStartError.
        """
        if not self._ended.wait(None, timeout):
            raise StillRunningError(
                f"the run of {self.run.flow} is not over after {timeout:g} s, and goes on",
                seconds=timeout or 0.0,
            )
        self._ended.raise_error()
        return self.run

    async def _over(self) -> FlowRun[R_co]:
        await self._ended.turn(None)
        self._ended.raise_error()
        return self.run

    def __await__(self) -> Generator[Any, None, FlowRun[R_co]]:
        return self._over().__await__()

    def __iter__(self) -> Iterator[TaskRun]:
        return TaskRunsAsTheyEnd(self.run.task_runs, self._ended)

    def __aiter__(self) -> AsyncIterator[TaskRun]:
        return TaskRunsAsTheyEnd(self.run.task_runs, self._ended)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._ended.foreign:
            return  # a fork that leaves the block ends nothing
        self.cancel()
        self._ended.wait(None)
        self._tell(error)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._ended.foreign:
            return
        self.cancel()
        await self._ended.turn(None)
        self._tell(error)

    def _tell(self, error: BaseException | None) -> None:
        """Raise what the run raised, if nobody has been told, and no other error leaves the block."""
        if error is None and not self._ended.told:
            self._ended.raise_error()

    def __repr__(self) -> str:
        return f"<{self.run.flow}, {'over' if self.done else 'running'}: {self.run.task_runs!r}>"


def _go(go: Callable[[], object], ended: Ended) -> None:
    """What the thread of a run does. What the run raises is kept for whoever asks for the run."""
    error = None
    try:
        go()
    except BaseException as raised:  # noqa: BLE001
        error = raised
    finally:
        at_exit.end(ended)
        ended.close(error)
