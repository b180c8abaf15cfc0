"""Simulates an executor with any number of workers in virtual time. It runs under the real engine.

    submit ──> scheduler ──> travels ──> waits ──> a worker ──> travels ──> the future is done
               serial_seconds  latency_seconds / 2   durations, sleep()   latency_seconds / 2

Nobody sleeps: the time advances only when the run waits, and then leaps to what happens next. So a day of a thousand
workers passes in seconds, and with the same seed in the same way. Calls are really made, in the thread of the run; how
long they take is given::

    simulated = SimulatedExecutor(workers=1_000, serial_seconds=0.0015, durations={"measure": 0.01})
    run = census.run(executor=simulated)
    run.duration                            # virtual seconds

    @task
    def uneven(number):
        simulated.sleep(random.lognormvariate(0.0, 1.5))  # instead of `durations`
        if number == 13:
            simulated.die()                               # its worker is lost, and what else was in its batch

The time limits of tasks are real time, and do not end a call that takes long in virtual time only.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from heapq import heappop, heappush
from math import inf
from typing import Any, Self

import attrs

from turgo.errors import ExecutorNotStartedError, WorkerLostError
from turgo.executor import Executor, ExtraContext
from turgo.futures import Future
from turgo.testing.virtual_time import START_SECONDS, SimulatedClock, SimulatedFuture
from turgo.worker.batch import Batch

Durations = float | Mapping[str, float] | Callable[[str, int | None], float]
"""Seconds of each call: the same for all, by the task's name, or by its name and the element."""


@attrs.define
class _Job:
    """A call on its way."""

    future: SimulatedFuture
    call: Callable[[], Any]
    batch: Batch | None


@attrs.define
class _Worker:
    """One worker. speed: how many times as fast as others; dies: when, in virtual seconds."""

    name: str
    speed: float
    dies: float


@attrs.define
class _Running:
    """What runs at this very moment: on which worker, since when, and for how many seconds already."""

    worker: _Worker
    began: float
    spent: float = 0.0
    died: bool = False

    def now(self) -> float:
        """The worker's own time."""
        return self.began + self.spent


class SimulatedExecutor(Executor):
    """Runs calls one after the other on simulated workers.

    workers: how many; each makes one call at a time. durations: seconds of the calls of tasks; what they spend in
    `sleep` comes on top. serial_seconds: what each submission costs the one scheduler, which deals with them in turn.
    latency_seconds: of a round trip, without that. jitter_seconds: up to so many more at random, each way.
    speeds: of the workers, in turn, as factors; 0.1 is ten times as slow. lifetime_seconds: after which a worker is
    lost, in the mean of an exponential distribution; another takes its place after restart_seconds.
    seed: of all that is random here. submissions: how many there were since it was last started.
    """

    capabilities = frozenset({"parallel", "survives_worker_loss"})

    def __init__(
        self,
        workers: int = 4,
        *,
        durations: Durations = 0.0,
        serial_seconds: float = 0.0,
        latency_seconds: float = 0.0,
        jitter_seconds: float = 0.0,
        speeds: Sequence[float] = (1.0,),
        lifetime_seconds: float = inf,
        restart_seconds: float = 0.0,
        seed: int = 0,
    ) -> None:
        self.workers = workers
        self.durations = durations
        self.serial_seconds = serial_seconds
        self.latency_seconds = latency_seconds
        self.jitter_seconds = jitter_seconds
        self.speeds = speeds
        self.lifetime_seconds = lifetime_seconds
        self.restart_seconds = restart_seconds
        self.seed = seed

    @property
    def slots(self) -> int:
        """How many calls run at once: one on each worker."""
        return self.workers

    @property
    def clock(self) -> SimulatedClock:
        """The virtual time, which a run on this executor reads and waits by."""
        clock: SimulatedClock = self.__dict__.setdefault("_clock", SimulatedClock())
        return clock

    @property
    def submissions(self) -> int:
        """How many calls were submitted since it was last started."""
        number: int = self.__dict__.get("_submissions", 0)
        return number

    @contextmanager
    def start(self) -> Iterator[Self]:
        """All workers are there at once and idle; calls that wait at the end never begin."""
        self._random = random.Random(self.seed)
        self._waiting: deque[_Job] = deque()
        self._scheduler_free = self.clock.now
        self._submissions = 0
        self._running: _Running | None = None
        self._idle = list(range(self.workers))  # a heap, so that the first worker is taken first
        speeds = self.speeds
        self._workers = [
            _Worker(f"simulated-{number}", speeds[number % len(speeds)], self._death())
            for number in range(self.workers)
        ]
        try:
            yield self
        finally:
            self.clock.clear()
            self._waiting.clear()

    def submit(
        self, fn: Callable[..., Any], /, *args: Any, extra_context: ExtraContext | None = None, **kwargs: Any
    ) -> Future[Any]:
        """Hand a call to the scheduler, which takes its time for one after the other."""
        clock = self.clock
        future = SimulatedFuture(clock)
        batch = args[0] if args and isinstance(args[0], Batch) else None
        job = _Job(future, partial(fn, *args, **kwargs), batch)
        with clock.lock:
            self._submissions += 1
            self._scheduler_free = max(clock.now, self._scheduler_free) + self.serial_seconds
            clock.at(self._scheduler_free + self._way(), lambda: self._arrive(job))
        return future

    def sleep(self, seconds: float) -> None:
        """Let a call take so many seconds more, on a worker of speed 1; outside of calls, let the time advance."""
        running = self.__dict__.get("_running")
        if running is not None:
            running.spent += seconds / running.worker.speed
        else:
            self.clock.now += seconds

    def die(self) -> None:
        """Let the worker of this call be lost, together with all that was in its batch. It does not return."""
        running = self.__dict__.get("_running")
        if running is None:
            raise ExecutorNotStartedError(
                "die() was called outside of a simulated call, so no worker can be lost"
            )
        running.died = True
        raise WorkerLostError("this worker was lost in a simulated call", sure=True)

    def _way(self) -> float:
        """Seconds from the scheduler to a worker, or back."""
        jitter = self._random.uniform(0.0, self.jitter_seconds) if self.jitter_seconds else 0.0
        return self.latency_seconds / 2 + jitter

    def _death(self) -> float:
        """When a worker that begins now is to be lost."""
        lifetime = self.lifetime_seconds
        return inf if lifetime == inf else self.clock.now + self._random.expovariate(1 / lifetime)

    def _arrive(self, job: _Job) -> None:
        self._waiting.append(job)
        self._begin_next()

    def _begin_next(self) -> None:
        while self._waiting and self._idle:
            job = self._waiting.popleft()
            if job.future.set_running_or_notify_cancel():
                self._execute(job, heappop(self._idle))

    def _execute(self, job: _Job, number: int) -> None:
        """Make a call now, and let its worker and its future know when it would have ended."""
        clock, worker = self.clock, self._workers[number]
        if worker.dies <= clock.now:  # it was lost while it was idle, and replaced since
            worker.dies = self._death()
        before, running = self._running, _Running(worker, clock.now)
        self._running = running
        try:
            settle = self._settle(job, running)
        finally:
            self._running = before
        ends = running.now()
        if running.died or worker.dies < ends:
            lost = min(ends, worker.dies) if not running.died else ends
            error = WorkerLostError(f"the worker {worker.name} was lost", sure=True)
            clock.at(lost + self._way(), lambda: job.future.set_exception(error))
            clock.at(lost + self.restart_seconds, lambda: self._restart(number))
        else:
            clock.at(ends + self._way(), settle)
            clock.at(ends, lambda: self._free(number))

    def _settle(self, job: _Job, running: _Running) -> Callable[[], None]:
        """Make a call; return what puts its value or error into its future."""
        if job.batch is not None:
            self._prepare(job.batch, running)
        try:
            value = job.call()
        except BaseException as error:  # noqa: BLE001  (it is the call's failure)
            failure = error
            return lambda: job.future.set_exception(failure)
        return lambda: job.future.set_result(value)

    def _prepare(self, batch: Batch, running: _Running) -> None:
        """Let a batch read the worker's time, and each of its calls take as long as it is to."""
        batch.worker = running.worker.name
        batch.clock = running.now
        batch.wall_clock = lambda: START_SECONDS + running.now()
        if self.durations != 0.0:
            batch.pieces = [
                piece._replace(call=self._lasting(batch, piece.step, piece.call)) for piece in batch.pieces
            ]

    def _lasting(self, batch: Batch, step: Any, call: Callable[..., Any]) -> Callable[..., Any]:
        """A call of a batch that takes as long as `durations` says."""
        durations, sleep, name = self.durations, self.sleep, batch.name_of(step)

        def seconds() -> float:
            if callable(durations):
                return durations(name, batch.where().task_context().index)
            return durations.get(name, 0.0) if isinstance(durations, Mapping) else durations

        def lasting(*args: Any, **kwargs: Any) -> Any:
            sleep(seconds())
            return call(*args, **kwargs)

        return lasting

    def _free(self, number: int) -> None:
        heappush(self._idle, number)
        self._begin_next()

    def _restart(self, number: int) -> None:
        self._workers[number].dies = self._death()
        self._free(number)
