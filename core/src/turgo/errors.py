"""Every exception of turgo, in one file, one class per remedy.

    TurgoError
    ├── UsageError                     a mistake found before anything ran; the command line exits with 2
    │   ├── ConfigError                a configuration file or variable is malformed: names file, line and key
    │   ├── ExecutorLookupError        the executor that was asked for cannot be had (also a LookupError)
    │   │   ├── UnknownExecutorError       no profile, plugin or known package has that name
    │   │   ├── ExecutorNotInstalledError  a known package would provide it: `pip install …`
    │   │   ├── DuplicateExecutorError     two distributions provide the name: say which
    │   │   ├── BrokenPluginError          the plugin that provides it does not load
    │   │   ├── ExecutorImportError        the class path leads nowhere
    │   │   ├── UntrustedCodeError         a file that somebody else may have written names code
    │   │   ├── NotAnExecutorError         the class path leads to something that is no Executor
    │   │   └── ApiVersionError            plugin and core do not speak the same contract: upgrade one
    │   ├── OptionError                an option is unknown or has the wrong type (also a ValueError)
    │   ├── ObserverError              an observer has no hook that is called: none is marked, or none exists
    │   ├── RequirementError           the executor does not offer what the flow requires: take another one
    │   ├── FlowFileError              a flow file cannot be loaded, or which flow to run is not clear
    │   ├── ParameterError             parameters do not fit the signature of a flow or a task (also a TypeError)
    │   ├── ProjectError               a plugin project cannot be written: take another name or folder
    │   ├── CacheError                 the cache of values cannot be used: its folder is not safe, a package is missing
    │   ├── StoreError                 a folder or URL that values are kept at cannot be used
    │   ├── MissingPackageError        what was asked for needs a package that is not here: `pip install …`
    │   ├── JournalError               the journal of a run cannot be used: damaged, in use, another user's, not there
    │   │   └── JournalFormatError         it was written by a newer or an older turgo: names both formats
    │   ├── TaskPolicyError            a policy given to `@task` or `@flow` makes no sense (also a ValueError)
    │   └── GraphError                 what the flow recorded cannot be run
    │       ├── CycleError                 a result depends on itself
    │       ├── ForeignResultError         a result was used outside the flow that recorded it
    │       ├── NoAttributeError           a result has no attributes of its value (also an AttributeError)
    │       └── EmptyFlowError             the flow recorded no task
    ├── ExecutorError                  an executor was used against its contract, or failed itself
    │   ├── ExecutorNotStartedError        submit or wait outside `start()` (also a RuntimeError)
    │   ├── ExecutorStartedError           `start()` inside `start()` (also a RuntimeError)
    │   ├── ExecutorStartError             the executor could not be started
    │   └── UnresolvableFutureError        a future stands where it cannot be resolved: names the place
    ├── WorkerLostError                the worker that ran the call is gone; not the task's own fault
    ├── NoTaskError                    `turgo.current()` was called outside a task
    ├── CacheKeyError                  a task's `cache_key` failed, or returned no text
    ├── UnkeyedCallError               no stable key can be made of a call, so its value is not cached
    ├── CorruptEntryError              an entry of a cache was damaged; it is made anew
    ├── TaskTimeoutError               the call took longer than its task allows (also a TimeoutError)
    ├── ValueNotPortableError          a value or error could not be pickled to or from the worker (also a TypeError)
    ├── TaskError                      stands in for a task's own exception that could not be pickled
    ├── Skip                           not an error: raised by a task to say that there is nothing to do
    └── RunError                       a flow run did not return the result that was asked for
        ├── TaskFailedError                a task that the result needs did not succeed
        ├── RunCancelledError              the run was interrupted before the result was there
        ├── RunTimeoutError                the run took longer than its flow allows (also a TimeoutError)
        └── StillRunningError              a run that was waited for is not over yet (also a TimeoutError)

Attributes keep the pieces that the message is made of. Every class survives pickling with its attributes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def _rebuild(cls: type[TurgoError], args: tuple[Any, ...], state: dict[str, Any]) -> TurgoError:
    error = cls.__new__(cls, *args)
    error.args = args
    error.__dict__.update(state)
    return error


class TurgoError(Exception):
    """The root: catch this to catch everything that turgo raises on its own account."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (_rebuild, (type(self), self.args, dict(self.__dict__)))


class UsageError(TurgoError):
    """A mistake that was found before anything ran. The command line prints it and exits with 2."""


class ConfigError(UsageError):
    """A configuration file or variable is malformed.

    `file` is the path or variable, `line` counts from 1 where it is known, `key` is dotted as in the file.
    """

    def __init__(
        self, message: str, *, file: str | None = None, line: int | None = None, key: str | None = None
    ) -> None:
        place = ", ".join(
            part for part in (file, f"line {line}" if line else None, f"key {key!r}" if key else None) if part
        )
        super().__init__(f"{place}: {message}" if place else message)
        self.file = file
        self.line = line
        self.key = key


class ExecutorLookupError(UsageError, LookupError):
    """The executor that was asked for cannot be had. `asked` is what was asked, `origin` where."""

    def __init__(self, message: str, *, asked: str, origin: str | None = None) -> None:
        super().__init__(message)
        self.asked, self.origin = asked, origin


class UnknownExecutorError(ExecutorLookupError):
    """No profile, plugin or known package has that name. `known` lists what exists, `nearest` may be meant."""

    def __init__(
        self,
        message: str,
        *,
        asked: str,
        origin: str | None = None,
        known: Sequence[str] = (),
        nearest: str | None = None,
    ) -> None:
        super().__init__(message, asked=asked, origin=origin)
        self.known, self.nearest = tuple(known), nearest


class ExecutorNotInstalledError(ExecutorLookupError):
    """A known package provides the executor but is not installed. `install` is the command that mends it."""

    def __init__(self, message: str, *, asked: str, install: str, origin: str | None = None) -> None:
        super().__init__(message, asked=asked, origin=origin)
        self.install = install


class DuplicateExecutorError(ExecutorLookupError):
    """Two or more distributions provide the name. `distributions` names them; `dist/name` picks one."""

    def __init__(
        self, message: str, *, asked: str, distributions: Sequence[str], origin: str | None = None
    ) -> None:
        super().__init__(message, asked=asked, origin=origin)
        self.distributions = tuple(distributions)


class BrokenPluginError(ExecutorLookupError):
    """The plugin that provides the executor does not load. `distribution` and `reason` say which and why."""

    def __init__(
        self, message: str, *, asked: str, distribution: str, reason: str, origin: str | None = None
    ) -> None:
        super().__init__(message, asked=asked, origin=origin)
        self.distribution, self.reason = distribution, reason


class ExecutorImportError(ExecutorLookupError):
    """A class path does not lead to anything: the file, the module or the attribute is missing or fails."""


class UntrustedCodeError(ExecutorLookupError):
    """A configuration file that somebody else may have written names a file or a class, which would run as code."""


class NotAnExecutorError(ExecutorLookupError):
    """A class path leads to something that is no `turgo.Executor`."""


class ApiVersionError(ExecutorLookupError):
    """Plugin and core do not speak the same version of the contract; the message says which to upgrade.

    `target` is the class, as `module:Class`, and `api_version` what it was written for.
    """

    def __init__(
        self, message: str, *, asked: str, target: str, api_version: int, origin: str | None = None
    ) -> None:
        super().__init__(message, asked=asked, origin=origin)
        self.target, self.api_version = target, api_version


class OptionError(UsageError, ValueError):
    """An option of an executor is unknown or has the wrong type.

    `option` is its name, `executor` whose option it is, `nearest` what may have been meant.
    """

    def __init__(
        self, message: str, *, option: str, executor: str | None = None, nearest: str | None = None
    ) -> None:
        super().__init__(message)
        self.option = option
        self.executor = executor
        self.nearest = nearest


class ObserverError(UsageError):
    """A hook of an observer is never called, or there is none. `observer` is its name, `hook` the one that is wrong."""

    def __init__(self, message: str, *, observer: str, hook: str | None = None) -> None:
        super().__init__(message)
        self.observer, self.hook = observer, hook


class RequirementError(UsageError):
    """The executor does not offer what the flow requires. `missing` is that; `offered_by` names others that do."""

    def __init__(self, message: str, *, missing: Sequence[str], offered_by: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.missing, self.offered_by = tuple(missing), tuple(offered_by)


class FlowFileError(UsageError):
    """A flow file cannot be loaded, or it is not clear which of its flows to run. `path` is the file."""

    def __init__(self, message: str, *, path: str) -> None:
        super().__init__(message)
        self.path = path


class ParameterError(UsageError, TypeError):
    """The parameters do not fit the signature. `parameter` names the one that does not, where it is one."""

    def __init__(self, message: str, *, parameter: str | None = None) -> None:
        super().__init__(message)
        self.parameter = parameter


class ProjectError(UsageError):
    """A plugin project cannot be written under the name that was asked for, or not there. `asked` is the name."""

    def __init__(self, message: str, *, asked: str) -> None:
        super().__init__(message)
        self.asked = asked


class CacheError(UsageError):
    """The cache of values cannot be used: its folder is not safe, or a package that its URL needs is not installed."""


class StoreError(UsageError):
    """A folder or URL that values are kept at cannot be used."""


class MissingPackageError(UsageError):
    """What was asked for needs a package that is not installed; the message has the line that installs it."""


class JournalError(UsageError):
    """The journal of a run cannot be used: it is damaged, in use, another user's, or not there."""


class JournalFormatError(JournalError):
    """The journal of a run was written by another turgo. found: the number of its format; known: the one read here."""

    def __init__(self, message: str, *, found: int, known: int) -> None:
        super().__init__(message)
        self.found = found
        self.known = known


class TaskPolicyError(UsageError, ValueError):
    """A policy given to `@task` or `@flow` makes no sense: negative retries, an unknown trigger …"""


class GraphError(UsageError):
    """What the flow recorded cannot be run."""


class CycleError(GraphError):
    """A result depends on itself, or a container holds itself."""


class ForeignResultError(GraphError):
    """A recorded result was used outside the flow that recorded it."""


class NoAttributeError(GraphError, AttributeError):
    """A result stands for no value whose attribute could be taken; hasattr() and its like expect an AttributeError."""


class EmptyFlowError(GraphError):
    """The flow recorded no task, so there is nothing to run."""


class ExecutorError(TurgoError):
    """An executor was used against its contract, or failed itself."""


class ExecutorNotStartedError(ExecutorError, RuntimeError):
    """`submit`, `map`, `wait` … were called outside `start()`."""


class ExecutorStartedError(ExecutorError, RuntimeError):
    """`start()` was entered inside `start()`. Run several flows on one started executor instead."""


class ExecutorStartError(ExecutorError):
    """The executor could not be started: the cluster, the address, the credentials …"""


class UnresolvableFutureError(ExecutorError):
    """A future stands where the executor cannot resolve it. `place` names it: `args[0].weights`."""

    def __init__(self, message: str, *, place: str) -> None:
        super().__init__(message)
        self.place = place


class WorkerLostError(TurgoError):
    """The worker that ran the call is gone (killed, out of memory, cut off). Not the task's own fault.

    `sure` is False if other calls were lost with it, or those of several workers at once: it may have been another's.
    `blameless` is True if it was another's, or what the call takes was lost: nothing counts against this one.
    """

    def __init__(self, message: str = "", *, sure: bool = True, blameless: bool = False) -> None:
        super().__init__(message)
        self.sure = sure
        self.blameless = blameless


class CacheKeyError(TurgoError):
    """A task's `cache_key` failed or returned no text: the failure of the call that it was asked for."""


class UnkeyedCallError(TurgoError):
    """No key that is the same in every process can be made of a call: it runs, and its value is not cached."""


class CorruptEntryError(TurgoError):
    """An entry of a cache was damaged, or cannot be read here. It is logged, and the value is made anew."""


class TaskTimeoutError(TurgoError, TimeoutError):
    """The call took longer than its task allows. `seconds` is the limit."""

    def __init__(self, message: str, *, seconds: float) -> None:
        super().__init__(message)
        self.seconds = seconds


class ValueNotPortableError(TurgoError, TypeError):
    """A value or an error could not be pickled on its way to or from the worker; the message says which part."""


class TaskError(TurgoError):
    """Stands in for a task's exception that could not be sent as it is: `type_name` and message are its own.

    `bases` are the full names of the types that its type derives from.
    """

    def __init__(self, message: str, *, type_name: str, bases: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.type_name, self.bases = type_name, tuple(bases)

    def __str__(self) -> str:
        return f"{self.type_name}: {super().__str__()}"


class NoTaskError(TurgoError):
    """`turgo.current()` was called where no task runs."""


class Skip(TurgoError):  # noqa: N818  (a signal that a task raises, as StopIteration is, and no error)
    """Raised by a task that finds nothing to do; its task run is Skipped, and so is what depends on it.

    raise Skip("no new rows")
    """


class RunError(TurgoError):
    """A flow run did not return the result that was asked for.

    As it is, and none of the classes below, it is the error of a run that broke off: its cause, as of an executor that
    broke down, was raised to whoever ran the flow.
    """


class TaskFailedError(RunError):
    """A task that the result needs did not succeed.

    `task` is its name, `index` the element of a mapped one, `state` the name of its state. The task's own
    exception, where there is one, is the `__cause__`.
    """

    def __init__(self, message: str, *, task: str, index: int | None, state: str) -> None:
        super().__init__(message)
        self.task = task
        self.index = index
        self.state = state


class RunCancelledError(RunError):
    """The run was interrupted, by Ctrl-C, a signal or `run.cancel()`, before the result was there."""


class RunTimeoutError(RunError, TimeoutError):
    """The run took longer than its flow allows. `seconds` is the limit."""

    def __init__(self, message: str, *, seconds: float) -> None:
        super().__init__(message)
        self.seconds = seconds


class StillRunningError(RunError, TimeoutError):
    """The run is not over after the `seconds` that it was waited for; it goes on."""

    def __init__(self, message: str, *, seconds: float) -> None:
        super().__init__(message)
        self.seconds = seconds
