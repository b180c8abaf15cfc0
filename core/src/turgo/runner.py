"""Runs flows by joining each to an executor, the engine and observers.

Flow.run(…), Flow.start(…)  ──┐                         ┌─> record ───> Graph
turgo run …  ─────────────────┴─> Launch(flow, chosen, config)            │
                                                        └─> prepare <─────┘ ──> GraphRun.go ──> FlowRun

`run` calls `go` in its own thread, `start` in a new one.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from types import MethodType
from typing import TYPE_CHECKING, Any, Concatenate, Generic, NamedTuple, ParamSpec, Self, TypeVar, overload

import attrs

from turgo.config.load import Config, load_config
from turgo.engine.run import GraphRun, prepare_run
from turgo.errors import RunError
from turgo.executor import ExecutorLike
from turgo.flows.files.load_guard import check_not_loaded
from turgo.flows.flow import FlowDefinition
from turgo.flows.graph import Graph
from turgo.flows.policy.options import flow_options
from turgo.flows.task import Task
from turgo.observers.installed import usable_observers
from turgo.records.flow_run import FlowRun
from turgo.registry.main_script import is_of_main, name_main
from turgo.registry.precedence import Chosen, choose_executor
from turgo.registry.resolve import Registry

if TYPE_CHECKING:
    from turgo.flows.run_method import RunMethod
    from turgo.journal.session import Session
    from turgo.running.running_flow import RunningFlow

P = ParamSpec("P")
R = TypeVar("R")
Rest = ParamSpec("Rest")

Asked = tuple[ExecutorLike | None, Mapping[str, Any] | None]
"""An executor and its options, as they are given to `run`."""

logger = logging.getLogger("turgo")


class Flow(FlowDefinition[P, R], Generic[P, R]):
    """A function that calls tasks, ready to be run; made by `@flow`.

    Called inside another flow, it records its tasks there. Called anywhere else, it is run on the configured executor.
    """

    def __call__(self, /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Run it on the configured executor and return the result.

        Raises a RunError if there is none: a TaskFailedError, a RunTimeoutError, or a RunCancelledError.
        """
        if self.within_flow:
            return self.inline(*args, **kwargs)
        run = self.run(*args, keep_values=False, journal=False, progress=None, **kwargs)
        if not run.ok:
            raise run.error or RunError(f"the run of {self.name} ended {run.state}")
        return run.result

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...
    @overload
    def __get__(self: Flow[Concatenate[Any, Rest], R], instance: object, owner: type) -> Flow[Rest, R]: ...
    def __get__(self, instance: Any, owner: type) -> Any:
        """A flow in a class is bound to the instance, as a function is."""
        if instance is None or isinstance(self.fn, staticmethod):
            return self
        own = {"executor": self.executor, "requires": self.requires, "options": self.options}
        return type(self)(MethodType(self.fn, instance), name=self.name, **own)

    if TYPE_CHECKING:  # no signature says the flow's parameters and options beside them; a protocol does

        @property
        def run(self) -> RunMethod[P, FlowRun[R]]:
            """Run it and return the run, whether it succeeded or not."""

        @property
        def start(self) -> RunMethod[P, RunningFlow[R]]:
            """Begin to run it in a thread of its own, and return a handle at once."""

    else:

        def run(
            self,
            /,
            *args: Any,
            executor: ExecutorLike | None = None,
            executor_options: Mapping[str, Any] | None = None,
            observers: Iterable[object] = (),
            keep_values: bool = True,
            journal: bool = False,
            progress: bool | None = None,
            **parameters: Any,
        ) -> FlowRun[R]:
            """Run it and return the run, whether it succeeded or not.

            executor: a name, class path, mapping, class or instance; what the configuration says if not given. An
                instance that is started already is used as it is and left open. executor_options: its options.
            observers: objects that implement hooks of `turgo.hooks`, marked with `@hookimpl`; besides those that are
                installed.
            keep_values: whether the run holds what each task run returned: `run.values("measure")`, `run.partial`.
                False for huge runs; above 1 GiB, those that nothing needs any more are let go.
            journal: whether to write a journal, as `turgo run` does, from which `turgo run --resume` goes on.
            progress: whether to show how far it is: bars on a terminal, a table in a notebook, else lines. None for
                what the configuration says, `TURGO_PROGRESS=1`; nothing if that says nothing.
            Raises a UsageError for a mistake that can be found before anything runs.
            """
            asked = (executor, executor_options)
            return self._prepared(args, parameters, asked, observers, keep_values, journal, progress).go()

        def start(
            self,
            /,
            *args: Any,
            executor: ExecutorLike | None = None,
            executor_options: Mapping[str, Any] | None = None,
            observers: Iterable[object] = (),
            keep_values: bool = True,
            journal: bool = False,
            progress: bool | None = None,
            **parameters: Any,
        ) -> RunningFlow[R]:
            """Begin to run it in a thread of its own, and return a handle at once: a RunningFlow.

            The parameters are those of `run`. The flow is recorded at once, so a mistake that can be found before
            anything runs is raised here; what is known only later, as an ExecutorStartError, is raised to who waits.
            """
            asked = (executor, executor_options)
            return self._started(args, parameters, asked, observers, keep_values, journal, progress)

    def _started(
        self,
        args: tuple[Any, ...],
        parameters: dict[str, Any],
        asked: Asked,
        observers: Iterable[object],
        keep_values: bool,
        journal: bool,
        progress: bool | None,
    ) -> RunningFlow[R]:
        from turgo.running.ended import Ended  # late: most runs are waited for
        from turgo.running.running_flow import RunningFlow

        ended = Ended(self.name)
        prepared = self._prepared(
            args, parameters, asked, (*observers, ended), keep_values, journal, progress
        )
        ended.pending = prepared.events
        return RunningFlow(prepared.run, prepared.go, ended)

    def _prepared(
        self,
        args: tuple[Any, ...],
        parameters: dict[str, Any],
        asked: Asked,
        observers: Iterable[object],
        keep_values: bool,
        journal: bool,
        progress: bool | None,
    ) -> GraphRun:
        """What `run` and `start` do before anything is open. asked: the executor and its options."""
        check_not_loaded(self.name)
        config = load_config()
        chosen = choose_executor(
            argument=asked[0],
            argument_options=asked[1],
            flow_default=self.executor,
            registry=Registry(config),
        )
        launch = Launch(self, chosen, config)
        graph = launch.record(args, parameters)
        session = None
        if journal:
            from turgo.journal.session import new_session  # late: most runs in code have none

            given = self.signature.bind(*args, **parameters).arguments
            session = new_session(config, self, chosen.name, given)
        shown = _display(progress, config)
        observers = observers if shown is None else (*observers, shown)
        return launch.prepare(graph, observers, warn=logger.warning, keep_values=keep_values, session=session)


def _display(progress: bool | None, config: Config) -> object | None:
    """What shows the progress of a run in code, if anything is to."""
    if progress is False or (progress is None and not config.progress.value):
        return None
    from turgo.observers.display import display  # late: most runs in code show nothing

    return display(unasked=progress is None)


class Launch(NamedTuple):
    """What one run is made of: the flow, its executor and the configuration. `Flow.run` and `turgo run` make one."""

    flow: FlowDefinition[..., Any]
    chosen: Chosen
    config: Config

    def record(self, args: tuple[Any, ...], parameters: dict[str, Any], *, fail_fast: bool = False) -> Graph:
        """The graph of the flow with these parameters.

        fail_fast: whether the run ends with the first failure, whatever the flow's own option says.
        Raises a UsageError for what cannot be run, and what the flow's own code raises.
        """
        graph = record(self.flow, args, parameters, self.config)
        if fail_fast:
            graph.options = attrs.evolve(graph.options, fail_fast=True)
        return graph

    def prepare(
        self,
        graph: Graph,
        observers: Iterable[object],
        *,
        warn: Callable[[str], None],
        keep_values: bool = False,
        session: Session | None = None,
    ) -> GraphRun:
        """A run of a graph, watched by these observers and by those that are installed; its `go` runs it.

        warn: is called with a sentence for each installed observer that cannot be used.
        keep_values: whether the run holds what each task run returned. session: with its journal, closed at the end.
        Raises as `prepare_run` does.
        """
        try:
            return prepare_run(
                graph,
                self.chosen.executor,
                executor_name=self.chosen.name,
                observers=(*observers, *usable_observers(warn)),
                config=self.config,
                keep_values=keep_values,
                session=session,
            )
        except BaseException:
            if session is not None:
                session.end()
            raise


def record(
    flow: FlowDefinition[..., Any], args: tuple[Any, ...], parameters: dict[str, Any], config: Config
) -> Graph:
    """The graph of a flow with these parameters. Raises a UsageError for what cannot be run, and what its code raises.

    A mapped task may have as many elements as a variable says, else the flow's own option, else a file.
    """
    # First, as the flow's own code may pickle what the script defines.
    if is_of_main(flow.fn):
        name_main()
    setting, own = config.max_map_width, flow.options.max_map_width
    most = int(setting.value) if own is None or setting.origin.kind == "variable" else own
    return flow.recorded(args, parameters, most)


@overload
def flow(
    fn: Callable[P, R],
    /,
    *,
    name: str | None = None,
    executor: ExecutorLike | None = None,
    requires: Iterable[str] = (),
    timeout: float | None = None,
    limits: Mapping[str, int] = ...,
    fail_fast: bool = False,
    reference: Task[..., Any] | str | Iterable[Task[..., Any] | str] = (),
    max_map_width: int | None = None,
) -> Flow[P, R]: ...
@overload
def flow(
    *,
    name: str | None = None,
    executor: ExecutorLike | None = None,
    requires: Iterable[str] = (),
    timeout: float | None = None,
    limits: Mapping[str, int] = ...,
    fail_fast: bool = False,
    reference: Task[..., Any] | str | Iterable[Task[..., Any] | str] = (),
    max_map_width: int | None = None,
) -> Callable[[Callable[P, R]], Flow[P, R]]: ...
def flow(
    fn: Any = None,
    /,
    *,
    name: str | None = None,
    executor: Any = None,
    requires: Iterable[str] = (),
    **options: Any,
) -> Any:
    """Make a function a flow: `@flow`, or `@flow(executor="dask", timeout=3600.0)`.

    name: what the flow is called in records; the function's name if not given.
    executor: the executor that the flow runs on unless an argument, an option or a variable says otherwise.
    requires: capabilities that its executor must have, `{"parallel", "resources:GPU"}`; on one that does not offer them
        the flow is refused before anything starts.
    timeout: seconds that a whole run may take, or None.
    limits: how many calls with a tag may run at once, by tag: `{"db": 4}`.
    fail_fast: whether a run is ended by the first task that fails for good (False).
    reference: tasks, or names of tasks, that decide the state of a run; if there are none, those that the flow returns
        decide, and those that nothing depends on.
    max_map_width: how many elements a mapped task of it may have; None for what the configuration says.

    Raises TaskPolicyError for options that make no sense.
    """
    made = flow_options(options)
    if fn is not None:
        return Flow(fn, name=name, executor=executor, requires=requires, options=made)
    return lambda function: Flow(function, name=name, executor=executor, requires=requires, options=made)
