"""Tasks: a function together with its policy.

A task is called like the function that it is made of. Inside a flow the call is recorded and a `Result` returned;
anywhere else the function is simply called.
"""

from __future__ import annotations

import functools
import inspect
import operator
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, ParamSpec, TypeVar, overload

import attrs

from penstock.errors import GraphError, ParameterError, TaskPolicyError
from penstock.executor import Executor
from penstock.flows.hidden import held_by, refuse_hidden, refuse_results
from penstock.flows.mapping import record_map
from penstock.flows.policy import CacheKey, Policy, TriggerLike, known_options
from penstock.flows.results import current_recorder
from penstock.flows.shapes import counted
from penstock.registry import Asked
from penstock.retrying import Delay, RetryOn

P = ParamSpec("P")
R = TypeVar("R")


class Task(Generic[P, R]):
    """A function with its policy; made by `@task`.

    fn: the function. body: what a worker calls, the function with what its policy makes of it.
    plain: the task without what `after` added to it; the engine knows tasks by it.
    """

    def __init__(self, fn: Callable[P, R], policy: Policy, name: str | None = None) -> None:
        _check_function(fn)
        if current_recorder() is not None:
            refuse_hidden(held_by(fn), f"the function of the task {name or getattr(fn, '__name__', fn)}")
        functools.update_wrapper(self, fn)
        self.fn = fn
        self.policy = policy
        self.name: str = checked_name(name) or str(getattr(fn, "__name__", type(fn).__name__))
        self.body = fn if policy.nout is None else counted(fn, policy.nout, self.name)
        self.upstream: tuple[Any, ...] = ()
        self.plain = self
        self.signature = _signature_of(fn)
        self.fewest, self.most = _positional_bounds(self.signature)

    @overload
    def __get__(self, instance: None, owner: type) -> Task[P, R]: ...
    @overload
    def __get__(self, instance: object, owner: type) -> Task[..., R]: ...
    def __get__(self, instance: object | None, owner: type) -> Task[..., R]:
        """A task in a class is bound to the instance, as a function is; within a flow, to the same task each time."""
        if instance is None or isinstance(self.fn, staticmethod):
            return self
        recorder = current_recorder()
        known = None if recorder is None else recorder.bound.get((id(self), id(instance)))
        if known is None:
            fn: Callable[..., R] = functools.partial(self.fn, instance)  # type: ignore[arg-type]
            known = Task(fn, self.policy, self.name)
            if recorder is not None:
                recorder.bound[id(self), id(instance)] = known  # which keeps the instance, and so its id
        return known

    def __call__(self, /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call the function; inside a flow, record the call and return a Result that stands for its value."""
        recorder = current_recorder()
        if recorder is not None:
            return recorder.call(self, args, kwargs)  # type: ignore[return-value]
        refuse_results(self.name, (*args, *kwargs.values()))
        return self.body(*args, **kwargs)

    def map(self, /, *args: Any, **kwargs: Any) -> Any:
        """One call for each element of the arguments, save those in `unmapped(…)`; the shortest decides how many.

        Inside a flow it returns a Result that stands for the list of values. Raises GraphError outside one.
        """
        recorder = current_recorder()
        if recorder is None:
            raise GraphError(
                f"{self.name}.map() was called outside a flow; there, write [{self.name}(x) for x in …]"
            )
        return record_map(recorder, self, args, kwargs)

    def after(self, *results: Any) -> Task[P, R]:
        """The same task, to be run only once `results` are there, although it does not use them."""
        later: Task[P, R] = object.__new__(type(self))
        later.__dict__.update(self.__dict__)
        later.upstream = (*self.upstream, *results)
        return later

    def with_options(self, *, name: str | None = None, **policy: Any) -> Task[P, R]:
        """The same task with another name or policy: `measure.with_options(retries=5)`."""
        other = Task(self.fn, attrs.evolve(self.policy, **known_options(policy)), name or self.name)
        other.upstream = self.upstream
        return other

    def check_arguments(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
        """Raise ParameterError if the function does not take these arguments."""
        try:
            self.signature.bind(*args, **kwargs)
        except TypeError as error:
            raise ParameterError(f"{self.name}{self.signature} cannot be called so: {error}") from None

    def __reduce__(self) -> tuple[Any, ...]:
        return (Task, (self.fn, self.policy, self.name))

    def __repr__(self) -> str:
        return f"<task {self.name}>"


AnyTask = Task[..., Any]
"""A task, whatever its function takes and returns."""


def _check_function(fn: Any) -> None:
    """Raise TaskPolicyError for what cannot be a task."""
    if isinstance(fn, classmethod):
        raise TaskPolicyError(f"{fn.__name__} is a classmethod already; put @classmethod above @task")
    if not callable(fn):
        raise TaskPolicyError(f"@task needs a function, not {fn!r}")
    called = fn if hasattr(fn, "__name__") else getattr(fn, "__call__", fn)  # noqa: B004  (to look at it)
    for each in (fn, called):
        if inspect.isgeneratorfunction(each) or inspect.isasyncgenfunction(each):
            raise TaskPolicyError(
                f"{getattr(fn, '__qualname__', type(fn).__name__)} is a generator: its values could be taken only "
                "once, and not from elsewhere. Return a list"
            )


def checked_name(name: str | None) -> str | None:
    """The name of a task or flow, None if it is to be that of its function. Raises TaskPolicyError."""
    if name is not None and (type(name) is not str or not name):
        raise TaskPolicyError(f"name={name!r}: give a text, or nothing for the name of the function")
    return name


def _signature_of(fn: Callable[..., Any]) -> inspect.Signature:
    """The signature of a function; of a builtin that does not tell its own (`max`), one that takes anything."""
    try:
        return inspect.signature(fn)
    except ValueError:
        return inspect.signature(lambda *args, **kwargs: None)


def _positional_bounds(signature: inspect.Signature) -> tuple[int, int]:
    """How many arguments a call without named ones has, at least and at most."""
    kinds = inspect.Parameter
    fewest = most = 0
    for parameter in signature.parameters.values():
        required = parameter.default is kinds.empty
        if parameter.kind in (kinds.POSITIONAL_ONLY, kinds.POSITIONAL_OR_KEYWORD):
            most += 1
            fewest += required
        elif parameter.kind is kinds.VAR_POSITIONAL:
            most = sys.maxsize
        elif parameter.kind is kinds.KEYWORD_ONLY and required:
            fewest = sys.maxsize
    return fewest, most


@overload
def task(fn: Callable[P, R], /) -> Task[P, R]: ...
@overload
def task(
    *,
    name: str | None = None,
    retries: int = 0,
    retry_delay: Delay = 0.0,
    retry_on: RetryOn = None,
    timeout: float | None = None,
    tags: Sequence[str] = (),
    trigger: TriggerLike = "all_successful",
    skip_on_upstream_skip: bool = True,
    crash_retries: int = 1,
    batch: bool = True,
    log_prints: bool = False,
    nout: int | None = None,
    cache_key: CacheKey | None = None,
    cache_expires: float | None = None,
    executor: Asked | Executor | None = None,
) -> Callable[[Callable[P, R]], Task[P, R]]: ...
def task(fn: Any = None, /, *, name: str | None = None, **policy: Any) -> Any:
    """Make a function a task: `@task`, or `@task(retries=2, retry_delay=1.0, timeout=30.0)`.

    name: what the task is called in records and messages; the function's name if not given.
    retries: how often a failed call is tried again (0).
    retry_delay: seconds to wait before that, without a worker: a number (0.0), a list with one for each retry,
        `exponential(…)`, or a callable from the number of the attempt that failed.
    retry_on: after which errors: exception types, or a callable from the error to True or False; None for any.
    crash_retries: how often a call is tried again when the worker that ran it alone was lost (1).
    timeout: seconds that one attempt of a call may take, or None.
    trigger: which states of its upstreams let it run: a name ("all_successful"), one of `penstock.triggers`, or a
        callable from the list of states to True or False.
    skip_on_upstream_skip: whether it is skipped with an upstream (True).
    cache_key: under which key its values are kept for later runs: "inputs", or a callable that makes a text of the
        arguments by name; None for not at all.
    cache_expires: seconds after which a kept value counts no more, or None.
    executor: where its calls are made, if not on the executor of the run: a name, class path, mapping, class or object.
    tags: labels: `flow(limits=…)` counts by them, and an executor may read some of them (`dask-resource:GPU=1`).
    log_prints: whether what it prints becomes lines of its log (False).
    nout: how many values it returns, so that a flow can take them apart, `left, right = halves(rows)`; or None.
    batch: whether its calls may travel together with others (True).

    Raises TaskPolicyError for options that make no sense.
    """
    made = Policy(**known_options(policy))
    if fn is not None:
        return Task(fn, made, name)
    return lambda function: Task(function, made, name)


item = Task(operator.getitem, Policy(), "item")
"""The task behind `result[key]`, and behind taking a result apart."""

attribute = Task(getattr, Policy(), "attribute")
"""The task behind `result.name`."""
