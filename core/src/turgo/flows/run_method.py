"""What `flow.run` and `flow.start` take, as a type checker sees it: the parameters of the flow, and options beside.

The parameters are checked where no option is given: a signature cannot have both those of a function and keywords of
its own. So there is a form without options, and one for each that is there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ParamSpec, Protocol, TypeVar, overload

from turgo.executor import ExecutorLike

P = ParamSpec("P")
Out = TypeVar("Out", covariant=True)

RESERVED = ("executor", "executor_options", "observers", "keep_values", "journal", "progress")
"""Names that `run` takes for itself, so no flow can have a parameter of that name."""


class RunMethod(Protocol[P, Out]):
    """A method that runs a flow with parameters `P`, and gives `Out`."""

    @overload
    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Out: ...
    @overload
    def __call__(
        self,
        *args: Any,
        executor: ExecutorLike | None,
        executor_options: Mapping[str, Any] | None = ...,
        observers: Iterable[object] = ...,
        keep_values: bool = ...,
        journal: bool = ...,
        progress: bool | None = ...,
        **parameters: Any,
    ) -> Out: ...
    @overload
    def __call__(
        self,
        *args: Any,
        executor: ExecutorLike | None = ...,
        executor_options: Mapping[str, Any] | None,
        observers: Iterable[object] = ...,
        keep_values: bool = ...,
        journal: bool = ...,
        progress: bool | None = ...,
        **parameters: Any,
    ) -> Out: ...
    @overload
    def __call__(
        self,
        *args: Any,
        executor: ExecutorLike | None = ...,
        executor_options: Mapping[str, Any] | None = ...,
        observers: Iterable[object],
        keep_values: bool = ...,
        journal: bool = ...,
        progress: bool | None = ...,
        **parameters: Any,
    ) -> Out: ...
    @overload
    def __call__(
        self,
        *args: Any,
        executor: ExecutorLike | None = ...,
        executor_options: Mapping[str, Any] | None = ...,
        observers: Iterable[object] = ...,
        keep_values: bool,
        journal: bool = ...,
        progress: bool | None = ...,
        **parameters: Any,
    ) -> Out: ...
    @overload
    def __call__(
        self,
        *args: Any,
        executor: ExecutorLike | None = ...,
        executor_options: Mapping[str, Any] | None = ...,
        observers: Iterable[object] = ...,
        keep_values: bool = ...,
        journal: bool,
        progress: bool | None = ...,
        **parameters: Any,
    ) -> Out: ...
    @overload
    def __call__(
        self,
        *args: Any,
        executor: ExecutorLike | None = ...,
        executor_options: Mapping[str, Any] | None = ...,
        observers: Iterable[object] = ...,
        keep_values: bool = ...,
        journal: bool = ...,
        progress: bool | None,
        **parameters: Any,
    ) -> Out: ...
    def __call__(self, *args: Any, **parameters: Any) -> Any:
        """Run the flow. Raises what `Flow.run` says."""
