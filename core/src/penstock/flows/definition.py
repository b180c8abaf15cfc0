"""Flow definitions: a function that calls tasks, and what a call of it records."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, TypeVar

from penstock.errors import EmptyFlowError, GraphError, ParameterError, TaskPolicyError
from penstock.executor import CAPABILITIES
from penstock.flows.graph import Graph
from penstock.flows.options import FlowOptions
from penstock.flows.recording import recording
from penstock.flows.results import current_recorder
from penstock.flows.task import attribute, checked_name, item
from penstock.names import did_you_mean, nearest
from penstock.settings import MAX_MAP_WIDTH

if TYPE_CHECKING:
    from penstock.config import Config

P = ParamSpec("P")
R = TypeVar("R")

RESERVED = ("executor", "executor_options", "observers")
"""Names that `run` takes for itself, so no flow can have a parameter of that name."""


class FlowDefinition(Generic[P, R]):
    """A function that calls tasks and returns what it wants back. Running it is left to a subclass.

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
        _check_function(fn)
        functools.update_wrapper(self, fn)  # type: ignore[arg-type]  # it is callable once a subclass runs it
        self.fn = fn
        self.name: str = checked_name(name) or str(getattr(fn, "__name__", type(fn).__name__))
        self.executor = executor
        self.requires = _checked_requirements(requires)
        self.options = options or FlowOptions()
        self.signature = inspect.signature(fn)

    def record(self, /, *args: P.args, **kwargs: P.kwargs) -> Graph:
        """The graph of one call with these parameters. Nothing is computed but the flow's own body.

        Raises ParameterError if the parameters do not fit, GraphError if what is recorded cannot be run.
        """
        return self.recorded(args, kwargs, self.options.max_map_width or MAX_MAP_WIDTH)

    def recorded(self, args: tuple[Any, ...], kwargs: dict[str, Any], max_map_width: int) -> Graph:
        """What `record` says; max_map_width: how many elements a mapped task may have."""
        self.check_parameters(args, kwargs)
        with recording(self.name, item, attribute) as recorder:
            recorder.graph.options, recorder.graph.max_map_width = self.options, max_map_width
            try:
                returned = self.fn(*args, **kwargs)
            except RecursionError:
                raise GraphError(
                    f"{self.name} calls itself without end while it is recorded; a flow is recorded before anything "
                    "is computed, so what ends the recursion must depend on parameters alone"
                ) from None
            recorder.graph.requires |= self.requires
            recorder.graph.returns = recorder.template(returned, f"what {self.name} returns")
        if not recorder.graph.nodes:
            raise EmptyFlowError(
                f"the flow {self.name} called no task, so there is nothing to run. Functions that it calls are run "
                "as tasks only if they are decorated with @task"
            )
        recorder.graph.check_reference()
        return recorder.graph

    def max_map_width(self, config: Config) -> int:
        """How many elements a mapped task may have: as a variable says, else the flow's own option, else a file."""
        setting, own = config.max_map_width, self.options.max_map_width
        return int(setting.value) if own is None or setting.origin.kind == "variable" else own

    def inline(self, /, *args: P.args, **kwargs: P.kwargs) -> R:
        """A flow that is called within a flow records its tasks into that one's graph."""
        self.check_parameters(args, kwargs)
        recorder = current_recorder()
        if recorder is not None:
            recorder.graph.requires |= self.requires
            recorder.graph.options = recorder.graph.options.with_limits_of(self.options)
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


def _check_function(fn: Any) -> None:
    if not callable(fn):
        raise TaskPolicyError(f"@flow needs a function, not {fn!r}")
    if inspect.isgeneratorfunction(fn) or inspect.iscoroutinefunction(fn) or inspect.isasyncgenfunction(fn):
        raise TaskPolicyError(
            f"{fn.__qualname__} is a generator or async; a flow is a plain function that records its tasks and "
            "computes nothing. Tasks may be async"
        )
    taken = [name for name in RESERVED if name in inspect.signature(fn).parameters]
    if taken:
        raise TaskPolicyError(
            f"{fn.__qualname__} has a parameter {taken[0]!r}, which `run` needs for itself; rename it"
        )
