'''The contract of an executor: the only file that its author reads.

How a call travels::

    flow run, or you             the base class                     your executor
    ────────────────             ─────────────────                  ─────────────
    start()                 ──>  checks that it is not open    ──>  start(): open what you need
    submit(fn, *args, …)    ──>  checks that it is open,
                                 replaces futures among the
                                 arguments by their values     ──>  submit(fn, *args, …): run it somewhere
         Future             <──────────────────────────────────     return a future at once
    wait(futures)           ──>  collects the values
    leaving start()         ──────────────────────────────────>     close what you opened

A complete executor, in one file. It works as it stands, as `--executor ./threads.py:ThreadsExecutor`::

    from concurrent.futures import ThreadPoolExecutor
    from contextlib import contextmanager

    from turgo import Executor


    class ThreadsExecutor(Executor):
        """Run calls on a pool of threads."""

        capabilities = frozenset({"parallel"})

        def __init__(self, *, workers: int = 4):
            self.workers = workers  # options are public attributes of their own name

        @property
        def slots(self):
            return self.workers  # how many calls it can run at once

        @contextmanager
        def start(self):
            self._pool = ThreadPoolExecutor(self.workers)  # "_": stays behind on pickling
            try:
                yield self
            finally:
                self._pool.shutdown(cancel_futures=True)

        def submit(self, fn, /, *args, extra_context=None, **kwargs):
            return self._pool.submit(fn, *args, **kwargs)

`submit` is the one method that must be written. The rules that it keeps:

1.  It returns at once and starts work eagerly; it never waits for the result. (A synchronous executor, which
    has computed it by then, aside.)
2.  It never raises for a failure of the call itself: that is the exception of the future.
3.  Futures among the arguments never reach it, unless their class is in `native_futures`.
4.  `extra_context` may carry `task_name`, `task_index` and `task_tags`: hints for keys, resources and logs, which an
    executor may ignore; `task_timeout`, above all for those that declare `hard_timeouts`; and `task_once`, above all
    for those that make again by themselves what a dead worker had.
5.  It may be called from several threads at once.
6.  A future may have an attribute `type`: the class of its value, once it is done, known without fetching it. On an
    executor that declares `keeps_results_remote` it saves the engine a call.

And of `start`: whatever happened inside, what was opened is closed when it is left. There is one rule for leaving, on
every executor and every kind of cluster:

    calls that wait                 never begin
    calls that run
        left in order               are waited for
        left by an error            are stopped: killed with their process, where that is the executor's own, else
                                    interrupted, else waited for
    afterwards                      nothing runs, and every future is done

"By an error" is any exception that comes out of the `with`, Ctrl-C included; a flow leaves so when its timeout,
`cancel()` or `fail_fast` ends it. Between two starts the object holds its options only, so it can be pickled and
started again.
`turgo.testing.ExecutorConformance` checks all of this.
'''

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any, ClassVar, Self, TypedDict, TypeVar

import attrs

from turgo.contract.guards import guard_start, guard_submit, guard_wait, nothing_to_open, require_started
from turgo.contract.pool import ExecutorPool
from turgo.contract.versions import (
    API_VERSION as API_VERSION,  # part of the contract, so it is had from here too
)
from turgo.futures import Future, failure_is_cancellation, find, replace

T = TypeVar("T")

CAPABILITIES: Mapping[str, str] = {
    "parallel": "runs several calls at once",
    "distributed": "runs calls on other machines",
    "cancels_running": "can stop a call that is running",
    "hard_timeouts": "a call that takes too long is killed, and its worker freed",
    "survives_worker_loss": "runs on when a worker dies",
    "keeps_results_remote": "results stay on the workers; a future is an argument like any other",
    "forwards_logs": "what calls log reaches the driver",
    "resources": "tags can ask for resources of a worker",
}
"""What an executor may declare that it can do, and what each means."""


class ExtraContext(TypedDict, total=False):
    """The hints that come with a call. None of them is ever needed, and there may come to be more.

    `task_name`: of the task, or of the first one in a batch. `task_index`: the element, if it is a single one of a
    mapped task. `task_tags`: the labels of the task, which may ask for resources of a worker.
    `task_timeout`: seconds after which an executor that declares `hard_timeouts` kills the call, whose future then
    fails with TaskTimeoutError, and frees its worker. `task_seconds`: how long the call is thought to run, as others of
    its task have; it is not there before one has. `task_once`: whether the call may not be made a second time, by
    an executor that makes again what was lost with a worker. `task_stays`: whether the value is to stay where it is
    made, as a call that is submitted before this one is over takes its future. `run_id`: of the flow run that the call
    belongs to, if to one.
    """

    task_name: str
    task_index: int | None
    task_tags: Sequence[str]
    task_timeout: float
    task_seconds: float
    task_once: bool
    task_stays: bool
    run_id: str


@attrs.frozen
class ExecutorEvent:
    """Something that happened to an executor while it was open, for those who watch a run.

    kind: `worker_arrived`, `worker_left`, `dashboard` (it can be watched at `link`), `waiting` (calls wait for
    something), or a word of the executor's own. message: a sentence for people. worker: its name or address.
    logged: the logger and the level at which the executor has logged the message, if it has: who prints where
    that logger's lines stand does not say it again.
    """

    kind: str
    message: str
    worker: str | None = None
    link: str | None = None
    logged: tuple[str, int] | None = None


@attrs.frozen
class Growth:
    """What an executor grows by: calls that wait there.

    slots: how many calls it would run at once, as far as is known. seconds: of work that have to be there for each of
    them, those that run included, until it has grown so far, and as long as it is to stay so.
    """

    slots: int
    seconds: float


def _words(words: Iterable[str]) -> frozenset[str]:
    if isinstance(words, str):
        raise TypeError(f"capabilities must be a set of names, not the text {words!r}")
    return frozenset(words)


@attrs.frozen(kw_only=True)
class ExecutorSpec:
    """The light description a plugin yields from `turgo_executors()`; importing it imports no executor.

    name: what users write, `local_dask`; the name of the plugin's entry point.
    target: where the class is, `"turgo_dask.executor:DaskExecutor"`; imported only when it is used.
    summary: one line for `turgo executors list`.
    capabilities: those of CAPABILITIES that it offers with its default options.
    install: what to `pip install` for it, if not the distribution that holds the plugin.
    api_version: the version of the contract that it was written for.
    url: where its documentation is.
    """

    name: str = attrs.field(validator=attrs.validators.instance_of(str))
    target: str = attrs.field(validator=attrs.validators.instance_of(str))
    summary: str = attrs.field(default="", validator=attrs.validators.instance_of(str))
    capabilities: frozenset[str] = attrs.field(default=frozenset(), converter=_words)
    install: str = attrs.field(default="", validator=attrs.validators.instance_of(str))
    api_version: int = attrs.field(default=API_VERSION)
    url: str = attrs.field(default="", validator=attrs.validators.instance_of(str))

    @capabilities.validator
    def _known(self, attribute: attrs.Attribute[frozenset[str]], value: frozenset[str]) -> None:
        unknown = sorted(map(str, value - CAPABILITIES.keys()))
        if unknown:
            raise ValueError(f"unknown capabilities {unknown}; there are {sorted(CAPABILITIES)}")

    @api_version.validator
    def _whole(self, attribute: attrs.Attribute[int], value: int) -> None:
        if type(value) is not int:
            raise TypeError(f"api_version must be a whole number, not {value!r}")


class Executor(ABC):
    """Runs calls somewhere. Subclass it, write `submit`, and override what else you can do better."""

    capabilities: frozenset[str] = frozenset()
    """What this one can do, of CAPABILITIES. A property where it depends on the options."""

    native_futures: ClassVar[tuple[type, ...]] = ()
    """Futures of these classes are given to `submit` as they are, for a library that resolves them itself."""

    resource_tag: ClassVar[str] = ""
    """How a tag asks for a resource, if it declares `resources`: `"my-resource:{name}={amount}"`."""

    api_version: ClassVar[int] = API_VERSION
    """The version of the contract that the class was written for; write the number, `api_version = 1`."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "start" in cls.__dict__:
            cls.start = guard_start(cls.start)  # type: ignore[method-assign, assignment]
        if "submit" in cls.__dict__:
            cls.submit = guard_submit(cls.submit)  # type: ignore[method-assign]
        if "wait" in cls.__dict__:
            cls.wait = guard_wait(cls.wait)  # type: ignore[method-assign, assignment]

    def start(self) -> AbstractContextManager[Self]:
        """Open what is needed, and close it on leaving, whatever happened. Write it under `@contextmanager`.

        Entering it gives the executor itself. Raises ExecutorStartedError inside another `start()` of the
        same object, and ExecutorStartError (or what the library behind raises) if it cannot be opened.
        """
        return nothing_to_open(self)

    @abstractmethod
    def submit(
        self, fn: Callable[..., T], /, *args: Any, extra_context: ExtraContext | None = None, **kwargs: Any
    ) -> Future[T]:
        """Run `fn(*args, **kwargs)` and return its future at once. The rules are at the top of the module."""

    def wait(self, futures: Any) -> Any:
        """The same shape with values in the place of futures: lists, tuples, dicts, sets, nested as you like.

        Blocks until they are there. Whatever is no future passes through. Raises the error of the first
        future that failed. Raises ExecutorNotStartedError outside `start()`.
        """
        require_started(self)
        return replace(futures, lambda future: future.result())

    def map(
        self, fn: Callable[..., T], *iterables: Iterable[Any], extra_context: ExtraContext | None = None
    ) -> list[Future[T]]:
        """One call per element; with several iterables, per tuple of them until the shortest ends."""
        calls = zip(*iterables, strict=False)
        return [
            self.submit(fn, *arguments, extra_context={**(extra_context or {}), "task_index": index})
            for index, arguments in enumerate(calls)
        ]

    def cancel(self, futures: Any) -> int:
        """Take back the calls of all futures in `futures`, nested as in `wait`.

        Returns how many of them are cancelled now. One that is done keeps its value; one that runs is stopped
        only by an executor that says `cancels_running`.
        """
        found = list(find(futures, "futures"))
        for future in found:
            if not future.done():  # dask's futures forget their value on `cancel`
                future.cancel()
        return sum(failure_is_cancellation(future) for future in found)

    @contextmanager
    def as_pool(self) -> Iterator[ExecutorPool]:
        """This started executor as a true `concurrent.futures.Executor`, for `asyncio`, `tqdm` and others."""
        require_started(self)
        with ExecutorPool(self) as pool:
            yield pool

    @property
    def slots(self) -> int:
        """How many calls it can run at once at this moment; at least 1. May change while it runs.

        Those that it could run with workers that would come only if more calls waited are for `growth` to say.
        """
        return 1

    @property
    def growth(self) -> Growth | None:
        """To how many slots it grows by itself, and at how much work; None if calls that wait let no worker come.

        A flow run has two calls under way for each slot, which an executor that looks at what waits takes for little
        work. Where this says more, so many seconds of work are kept there. Asked for as often as `slots`.
        """
        return None

    def offers(self, requirement: str) -> bool:
        """Whether it can do what a flow asks for by `@flow(requires=…)`: a capability, or `resources:GPU`.

        Called before `start()`, where it says what its options let expect, and again inside it, where it may know what
        its workers offer: True as long as it may be so. What stands behind the colon is not looked at unless you
        override this.
        """
        return requirement.partition(":")[0] in self.capabilities

    def check_tags(self, tags: Sequence[str]) -> None:  # noqa: B027  (most executors have no tags of their own)
        """Raise an OptionError for a tag of a task that is meant for this executor and makes no sense.

        Called before `start()`, for the tasks that are to run here.
        """

    @contextmanager
    def channel(self, deliver: Callable[[bytes], None]) -> Iterator[Callable[[bytes], None] | None]:
        """A way for calls to send bytes to the driver while they run, as for lines of logs; None if there is none.

        Entered by each run once this is started, and left when the run is over. What it gives is pickled by cloudpickle
        and called on workers, from any thread, with a few KiB at a time; it may block and raise. Each is passed to
        `deliver`, in any thread of the driver, those of one worker in their order; that returns at once.

        If what is sent may be lost when the process ends at the next moment, what it gives has an attribute `surely`, a
        function of the same form that returns once it will arrive, and before the future of its call is done.
        """
        yield None

    def events(self) -> Sequence[ExecutorEvent]:
        """What happened since this was last asked. Called about once a second by a run that is watched.

        Also while `start()` is entered, from another thread: then it says what the start waits for.
        """
        return ()

    def hindrance(self) -> str | None:
        """Why calls that were submitted do not begin, as `all workers are paused`; None if nothing is known of that.

        For those who ask what a call waits for: from any thread, while `start()` is entered. It asks nobody.
        """
        return None

    @property
    def started(self) -> bool:
        """Whether `start()` is entered."""
        return "_opened" in self.__dict__

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if not name.startswith("_")}

    def __repr__(self) -> str:
        from turgo.redaction import redacted_repr  # late: few are shown

        options = ", ".join(
            f"{name}={redacted_repr(value, name)}" for name, value in self.__getstate__().items()
        )
        return f"{type(self).__name__}({options})"


ExecutorLike = str | Mapping[str, Any] | type[Executor] | Executor
"""What names an executor: a name or class path, a mapping with `use` and options, a class, or the object itself."""
