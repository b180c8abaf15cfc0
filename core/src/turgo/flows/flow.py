"""A flow is a function that calls tasks. A call of it records a graph."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Generic, ParamSpec, Self, TypedDict, TypeVar, Unpack

import attrs

from turgo.config.schema import MAX_MAP_WIDTH
from turgo.errors import EmptyFlowError, GraphError, ParameterError, TaskPolicyError
from turgo.executor import CAPABILITIES, ExecutorLike
from turgo.flows.functions import check_flow_function, name_of
from turgo.flows.graph import Graph
from turgo.flows.policy.options import FlowOptions, known_flow_options
from turgo.flows.recorder import recording
from turgo.flows.results import current_recorder
from turgo.flows.task import AnyTask
from turgo.flows.templates import template_of
from turgo.names import did_you_mean, nearest

P = ParamSpec("P")
R = TypeVar("R")


class FlowKeywords(TypedDict, total=False):
    """The options of a flow as keywords, which only a type checker reads; `flow(…)` says what each of them is."""

    executor: ExecutorLike | None
    requires: Iterable[str]
    timeout: float | None
    limits: Mapping[str, int]
    fail_fast: bool
    reference: AnyTask | str | Iterable[AnyTask | str]
    max_map_width: int | None


class FlowDefinition(Generic[P, R]):
    """A function that calls tasks and returns what it wants back. A subclass runs it.

    name: of the flow; fn: the function; executor: the flow's own choice of one, or None; signature: of the function.
    requires: what an executor has to offer to run it; options: how a run of it is to go.
    """

    def __init__(
        self,
        fn: Callable[P, R],
        *,
        name: str | None = None,
        executor: Any = None,
        requires: Iterable[str] = (),
        options: FlowOptions | None = None,
    ) -> None:
        check_flow_function(fn)
        functools.update_wrapper(self, fn)  # type: ignore[arg-type]  # it is callable once a subclass runs it
        self.fn = fn
        self.name: str = name_of(fn, name)
        self.executor = executor
        self.requires = _checked_requirements(requires)
        self.options = options or FlowOptions()
        self.signature = inspect.signature(fn)

    def with_options(self, *, name: str | None = None, **options: Unpack[FlowKeywords]) -> Self:
        """The same flow with another name or other options: `census.with_options(executor="dask", timeout=3600.0)`."""
        given: dict[str, Any] = {**options}
        own: dict[str, Any] = {"executor": self.executor, "requires": self.requires}
        own |= {each: given.pop(each) for each in own if each in given}
        changed = attrs.evolve(self.options, **known_flow_options(given))
        return type(self)(self.fn, name=name or self.name, options=changed, **own)

    def record(self, /, *args: P.args, **kwargs: P.kwargs) -> Graph:
        """The graph of one call with these parameters. Nothing is computed but the flow's own body.

        Raises ParameterError if the parameters do not fit, GraphError if what is recorded cannot be run.
        """
        return self.recorded(args, kwargs, self.options.max_map_width or MAX_MAP_WIDTH)

    def recorded(self, args: tuple[Any, ...], kwargs: dict[str, Any], max_map_width: int) -> Graph:
        """What `record` says; max_map_width: how many elements a mapped task may have."""
        self.check_parameters(args, kwargs)
        with recording(
            Graph(self.name, recorded=True, options=self.options, max_map_width=max_map_width)
        ) as recorder:
            try:
                returned = self.fn(*args, **kwargs)
            except RecursionError:
                raise GraphError(
                    f"{self.name} calls itself without end while it is recorded; a flow is recorded before anything "
                    "is computed, so what ends the recursion must depend on parameters alone"
                ) from None
            recorder.graph.requires |= self.requires
            recorder.graph.returns = template_of(returned, f"what {self.name} returns", recorder)
        if not recorder.graph.nodes:
            raise EmptyFlowError(
                f"the flow {self.name} called no task, so there is nothing to run. Functions that it calls are run "
                "as tasks only if they are decorated with @task"
            )
        if recorder.graph.options.reference:
            recorder.graph.check_reference()
        return recorder.graph

    def inline(self, /, *args: P.args, **kwargs: P.kwargs) -> R:
        """A flow that is called within a flow records its tasks into that one's graph."""
        self.check_parameters(args, kwargs)
        recorder = current_recorder()
        if recorder is not None:
            recorder.include(self.requires, self.options)
        return self.fn(*args, **kwargs)

    @property
    def within_flow(self) -> bool:
        """Whether a flow is being recorded here."""
        return current_recorder() is not None

    def check_parameters(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Raise ParameterError if the flow does not take these parameters."""
        try:
            self.signature.bind(*args, **kwargs)
        except TypeError as error:
            raise ParameterError(f"{self.name}{self.signature} cannot be run so: {error}") from None

    def _repr_html_(self) -> str:
        """What a notebook shows of it."""
        from turgo.flows.flow_html import flow_html  # late: a notebook asks

        return flow_html(self)

    def __repr__(self) -> str:
        return f"<flow {self.name}>"


def _checked_requirements(requires: Iterable[str]) -> frozenset[str]:
    wanted = frozenset((requires,) if isinstance(requires, str) else requires)
    for requirement in sorted(wanted, key=str):
        capability, colon, detail = str(requirement).partition(":")
        if capability not in CAPABILITIES or (colon and not (capability == "resources" and detail)):
            hint = did_you_mean(nearest(capability, CAPABILITIES)) or "."
            raise TaskPolicyError(
                f"requires={requirement!r} is no capability{hint} There are {', '.join(CAPABILITIES)}, "
                "and resources:NAME"
            )
    return wanted
