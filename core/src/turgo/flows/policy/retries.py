"""Says after which errors a task is tried again, and how much later.

    retry_delay    2.0                          the same before every retry
                   [1, 5, 30]                   before the first, the second, …; the last one holds for all that follow
                   exponential(first=1.0, …)    each longer than the one before
                   a callable                   the number of the attempt that failed (1, 2, …) -> seconds
    retry_on       None                         any error
                   ConnectionError, or several  errors of that type, as `except` would catch them
                   a callable                   the error -> whether to try again

An error that could not be sent home as it is comes as a TaskError that has the names of its types; a type in `retry_on`
is found among them by its full name. A call that took too long counts as a TaskTimeoutError, so as a TimeoutError too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import attrs

from turgo.errors import TaskError, TaskPolicyError
from turgo.flows.policy.validators import MAX_WAIT_SECONDS, is_seconds, seconds

Delay = float | Sequence[float] | Callable[[int], float]
RetryOn = type[BaseException] | Sequence[type[BaseException]] | Callable[[BaseException], bool] | None


def checked_delay(value: Any) -> float | tuple[float, ...] | Callable[[int], float]:
    """What `retry_delay` may be, a sequence as a tuple. Raises TaskPolicyError for anything else."""
    if is_seconds(value) or callable(value):
        return value  # type: ignore[no-any-return]
    if isinstance(value, Iterable) and not isinstance(value, (str, bytes)):
        delays = tuple(value)
        if delays and all(map(is_seconds, delays)):
            return delays
    raise TaskPolicyError(
        f"retry_delay={value!r}: give a number of seconds, from 0 to {MAX_WAIT_SECONDS} (a year), a list of "
        "such numbers, exponential(…), or a callable from the number of the attempt to seconds"
    )


def checked_errors(value: Any) -> tuple[type[BaseException], ...] | Callable[[BaseException], bool] | None:
    """What `retry_on` may be, types as a tuple. Raises TaskPolicyError for anything else."""
    types = (value,) if isinstance(value, type) else value
    if isinstance(types, (list, tuple, set, frozenset)):
        types = tuple(types)
        if types and all(isinstance(each, type) and issubclass(each, BaseException) for each in types):
            return types
    elif value is None or callable(value):
        return value  # type: ignore[no-any-return]
    raise TaskPolicyError(
        f"retry_on={value!r}: give an exception type, a list of them, or a callable from the error to True or False"
    )


def _share(delays: exponential, attribute: attrs.Attribute[float], value: Any) -> None:
    if not is_seconds(value) or value > 1:
        raise TaskPolicyError(f"exponential({attribute.name}={value!r}): give a share from 0.0 to 1.0")


def _factor(delays: exponential, attribute: attrs.Attribute[float], value: Any) -> None:
    if not is_seconds(value) or value < 1:
        raise TaskPolicyError(f"exponential(factor={value!r}): give a number, 1 or more")


@attrs.frozen
class exponential:  # noqa: N801  (called like a function, as in `retry_delay=exponential(first=2)`)
    """Delays before retries that grow: `first` seconds, then each `factor` times the one before, `most` at most.

    jitter: the share by which each is made longer or shorter at random, so that many calls that failed together do not
    come back together; 0 for none. Raises TaskPolicyError for numbers that make no sense.
    """

    first: float = attrs.field(default=1.0, validator=seconds("exponential({})"))
    factor: float = attrs.field(default=2.0, validator=_factor)
    most: float = attrs.field(default=60.0, validator=seconds("exponential({})"))
    jitter: float = attrs.field(default=0.1, validator=_share)

    def exact(self, attempt: int) -> float:
        """Seconds to wait after attempt 1, 2, …, without jitter."""
        try:
            return float(min(self.most, self.first * float(self.factor) ** (attempt - 1)))
        except OverflowError:
            return float(self.most if self.first else 0.0)

    def __call__(self, attempt: int) -> float:
        """Seconds to wait after attempt 1, 2, …, never more than `most`."""
        if not self.jitter:
            return min(float(self.most), self.exact(attempt))
        import random  # late: few delays have jitter

        # Not the generator that the user's tasks may have seeded: drawing from that would change what they draw.
        spread = random.SystemRandom().uniform(-self.jitter, self.jitter)
        return min(float(self.most), self.exact(attempt) * (1 + spread))


def delay_after(delay: Delay, attempt: int) -> float:
    """Seconds to wait after attempt 1, 2, … of a task. Raises TaskPolicyError if its callable cannot say."""
    if isinstance(delay, (int, float)):
        return delay
    if not callable(delay):
        return delay[min(attempt, len(delay)) - 1]
    try:
        waits = delay(attempt)
    except Exception as error:
        raise TaskPolicyError(f"retry_delay({attempt}) raised {type(error).__name__}: {error}") from error
    if not is_seconds(waits):
        raise TaskPolicyError(
            f"retry_delay({attempt}) returned {waits!r}, which is no number of seconds from 0 to {MAX_WAIT_SECONDS}"
        )
    return waits


def is_retried(retry_on: RetryOn, error: BaseException) -> bool:
    """Whether a task is tried again after an error. Raises TaskPolicyError if its predicate raises."""
    if retry_on is None:
        return True
    if isinstance(retry_on, tuple):
        real = type(error) is not TaskError or TaskError in retry_on
        if real and isinstance(error, retry_on):
            return True
        return not _names_of(error).isdisjoint(map(_full_name, retry_on))
    try:
        return bool(retry_on(error))  # type: ignore[operator]
    except Exception as raised:
        message = f"retry_on raised {type(raised).__name__}: {raised}"
        raise TaskPolicyError(f"{message}, when asked about {type(error).__name__}") from raised


def _names_of(error: BaseException) -> frozenset[str]:
    """The full names of the types of an error: a class may exist twice, as its module is loaded twice."""
    if type(error) is TaskError:
        return frozenset((error.type_name, *error.bases))
    return frozenset(map(_full_name, type(error).__mro__))


def _full_name(cls: type) -> str:
    return f"{cls.__module__}.{cls.__qualname__}"
