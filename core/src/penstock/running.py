"""Running flows: `@flow`, which joins a flow's definition to the registry, the engine and the observers."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Generic, ParamSpec, TypeVar, overload

from penstock.config import load_config
from penstock.engine.run import run_graph
from penstock.errors import RunError
from penstock.executor import Executor
from penstock.flows.definition import FlowDefinition
from penstock.flows.options import flow_options
from penstock.flows.task import Task
from penstock.observers.loading import installed_observers
from penstock.records import FlowRun
from penstock.registry import Asked, choose_executor

P = ParamSpec("P")
R = TypeVar("R")

logger = logging.getLogger("penstock")


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
        run = self.run(*args, **kwargs)
        if not run.ok:
            raise run.error or RunError(f"the run of {self.name} ended {run.state}")
        return run.result  # type: ignore[no-any-return]

    def run(
        self,
        /,
        *args: Any,
        executor: Asked | Executor | None = None,
        executor_options: Mapping[str, Any] | None = None,
        observers: Iterable[object] = (),
        **parameters: Any,
    ) -> FlowRun:
        """Run it and return the run, whether it succeeded or not.

        executor: a name, class path, mapping, class or instance; what the configuration says if not given. An instance
        that is started already is used as it is and left open. executor_options: options of the executor.
        observers: objects that implement hooks of `penstock.hooks`, marked with `@hookimpl`; besides those that are
            installed.
        Raises a UsageError for a mistake that can be found before anything runs.
        """
        config = load_config()
        chosen = choose_executor(
            argument=executor, argument_options=executor_options, flow_default=self.executor, config=config
        )
        graph = self.recorded(args, parameters, self.max_map_width(config))
        heard_by = [*observers, *_installed()]
        return run_graph(graph, chosen.executor, executor_name=chosen.name, observers=heard_by, config=config)


def _installed() -> Iterator[object]:
    """The observers that other distributions bring; one that does not load is told of in the log."""
    for each in installed_observers():
        if each.observer is not None:
            yield each.observer
        else:
            logger.warning(
                "the observer %r of %s is left out: %s", each.name, each.distribution, each.problem
            )


@overload
def flow(fn: Callable[P, R], /) -> Flow[P, R]: ...
@overload
def flow(
    *,
    name: str | None = None,
    executor: Asked | Executor | None = None,
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
    if fn is not None:
        return Flow(fn)
    made = flow_options(options)
    return lambda function: Flow(function, name=name, executor=executor, requires=requires, options=made)
