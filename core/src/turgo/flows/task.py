"""Tasks: a function together with its policy.

A task is called like the function that it is made of. Inside a flow the call is recorded and a `Result` returned;
anywhere else the function is simply called.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, Concatenate, Generic, NoReturn, ParamSpec, Protocol, TypeVar, Unpack, overload

import attrs

from turgo.errors import GraphError, ParameterError
from turgo.executor import ExecutorLike
from turgo.flows.functions import (
    check_paths,
    check_task_function,
    name_of,
    positional_bounds,
    signature_of,
)
from turgo.flows.mapping import Each
from turgo.flows.misplaced import held_by, refuse_hidden, refuse_results
from turgo.flows.policy.keywords import TaskKeywords
from turgo.flows.policy.options import CacheKey, Policy, TriggerLike, known_options
from turgo.flows.policy.retries import Delay, RetryOn
from turgo.flows.policy.triggers import all_finished
from turgo.flows.results import current_recorder
from turgo.worker.functions import counted

P = ParamSpec("P")
R = TypeVar("R")

# For what only a type checker reads: the first parameters of a function, the rest of them, what it returns.
A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")
Rest = ParamSpec("Rest")
Out = TypeVar("Out")


class Task(Generic[P, R]):
    """A function with its policy; made by `@task`.

    To a type checker a call is what the function returns, of a coroutine what it returns, and a map a list of that.

    fn: the function. body: what a worker calls, the function with what its policy makes of it.
    plain: the task without what `after` added to it; the engine knows tasks by it.
    """

    def __init__(self, fn: Callable[P, R], policy: Policy, name: str | None = None) -> None:
        check_task_function(fn)
        if current_recorder() is not None:
            refuse_hidden(held_by(fn), f"the function of the task {name or getattr(fn, '__name__', fn)}")
        functools.update_wrapper(self, fn)
        self.fn: Callable[P, Any] = fn
        self.policy = policy
        self.name: str = name_of(fn, name)
        self.body = fn if policy.nout is None else counted(fn, policy.nout, self.name)
        self.upstream: tuple[Any, ...] = ()
        self.plain = self
        self.signature = signature_of(fn)
        self.fewest, self.most = positional_bounds(self.signature)
        if policy.files:
            check_paths(self.name, policy.files, self.signature)
        if policy.label is not None:
            from turgo.flows.labels import check_label  # late: few tasks have one

            check_label(self.name, policy.label, fn, self.signature)

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
        return self.body(*args, **kwargs)  # a coroutine, if the function is one

    # As a callable, a task has its parameters one by one; those that are named cannot be separated from the rest.
    @overload
    def map(
        self: Callable[Concatenate[A, Rest], Out], first: Each[A], /, **named: Each[Any]
    ) -> list[Out]: ...
    @overload
    def map(
        self: Callable[Concatenate[A, B, Rest], Out], first: Each[A], second: Each[B], /, **named: Each[Any]
    ) -> list[Out]: ...
    @overload
    def map(
        self: Callable[Concatenate[A, B, C, Rest], Out],
        first: Each[A],
        second: Each[B],
        third: Each[C],
        /,
        *more: Each[Any],
        **named: Each[Any],
    ) -> list[Out]: ...
    @overload
    def map(self, /, **named: Each[Any]) -> list[R]: ...
    def map(self, /, *args: Any, **kwargs: Any) -> Any:
        """One call for each element of the arguments, save those in `unmapped(…)`; the shortest decides how many.

        Inside a flow it returns a Result that stands for the list of values. Raises GraphError outside one.
        """
        recorder = current_recorder()
        if recorder is None:
            raise GraphError(
                f"{self.name}.map() was called outside a flow; there, write [{self.name}(x) for x in …]"
            )
        return recorder.map(self, args, kwargs)

    def after(self, *results: Any) -> Task[P, R]:
        """The same task, to be run only once `results` are there, although it does not use them."""
        later: Task[P, R] = object.__new__(type(self))
        later.__dict__.update(self.__dict__)
        later.upstream = (*self.upstream, *results)
        return later

    def with_options(self, *, name: str | None = None, **policy: Unpack[TaskKeywords]) -> Task[P, R]:
        """The same task with another name or policy: `measure.with_options(retries=5)`."""
        other: Task[P, R] = Task(
            self.fn, attrs.evolve(self.policy, **known_options({**policy})), name or self.name
        )
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


class TaskMaker(Protocol):
    """What `task(…)` gives without a function: it makes a task of one."""

    @overload
    def __call__(self, fn: Callable[P, NoReturn], /) -> Task[P, Any]: ...
    @overload
    def __call__(self, fn: Callable[P, Coroutine[Any, Any, R]], /) -> Task[P, R]: ...
    @overload
    def __call__(self, fn: Callable[P, R], /) -> Task[P, R]: ...


@overload
def task(fn: Callable[P, NoReturn], /) -> Task[P, Any]: ...
@overload
def task(fn: Callable[P, Coroutine[Any, Any, R]], /) -> Task[P, R]: ...
@overload
def task(fn: Callable[P, R], /) -> Task[P, R]: ...
@overload
def task(
    *,
    name: str | None = None,
    label: str | None = None,
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
    version: str | int | None = None,
    files: Sequence[str] = (),
    env: Sequence[str] = (),
    journal: bool = True,
    idempotent: bool = True,
    executor: ExecutorLike | None = None,
) -> TaskMaker: ...
def task(fn: Any = None, /, *, name: str | None = None, **policy: Any) -> Any:
    """Make a function a task: `@task`, or `@task(retries=2, retry_delay=1.0, timeout=30.0)`.

    name: what the task is called in records and messages; the function's name if not given.
    label: what calls are told apart by wherever they are shown, as a format string over the parameters, "{path.name}";
        None for the arguments themselves, shortened.
    retries: how often a failed call is tried again (0).
    retry_delay: seconds to wait before that, without a worker: a number (0.0), a list with one for each retry,
        `exponential(…)`, or a callable from the number of the attempt that failed.
    retry_on: after which errors: exception types, or a callable from the error to True or False; None for any.
    crash_retries: how often a call is tried again when the worker that ran it alone was lost (1).
    timeout: seconds that one attempt of a call may take, or None.
    trigger: which states of its upstreams let it run: a name ("all_successful"), a trigger of `turgo`, or a
        callable from the list of states to True or False.
    skip_on_upstream_skip: whether it is skipped with an upstream (True).
    cache_key: under which key its values are kept for later runs: "inputs", or a callable that makes a text of the
        arguments by name; None for not at all.
    cache_expires: seconds after which a kept value counts no more, or None.
    version: of what the task does; a value that was kept under another one counts no more. For what nobody can see in
        its code, as the version of a library.
    journal: whether the journal of a run keeps what it returns (True).
    idempotent: whether a call may be made twice without harm (True). If not, it shares no batch, is not sent again when
        its worker was lost, and a resumed run does not make it again unless it is asked to.
    files: names of parameters that hold paths, of which the content of the file counts; it does for a `Path` anyway.
    env: names of environment variables that it reads: their values on the driver count as its arguments do, and `turgo
        replay` sets them again.
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

picking = Task(
    operator.getitem,
    Policy(trigger=attrs.evolve(all_finished, name="its element is there"), skip_on_upstream_skip=False),
    "item",
)
"""The task behind `mapped[key]`. No call is made for it: the engine gives it the value of the element."""

attribute = Task(getattr, Policy(), "attribute")
"""The task behind `result.name`."""
