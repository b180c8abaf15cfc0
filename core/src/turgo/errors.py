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

Attributes keep the pieces that the message is made of. Every class survives pickling with its attributes. Its
docstring says in the first place what it comes from, and in the last what to do: docs/errors.md is made of that.
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
    """The root: catch this to catch everything that turgo raises on its own account.

    Remedy: read its message; the classes below say more. One that is none of them is a fault of turgo's:
    report it.
    """

    def __reduce__(self) -> tuple[Any, ...]:
        return (_rebuild, (type(self), self.args, dict(self.__dict__)))


class UsageError(TurgoError):
    """A mistake that was found before anything ran. The command line prints it and exits with 2.

    Remedy: correct what the message names; nothing has run. `turgo doctor` looks over the surroundings.
    """


class ConfigError(UsageError):
    """A configuration file or variable is malformed.

    `file` is the path or variable, `line` counts from 1 where it is known, `key` is dotted as in the file.

    Remedy: correct the file or variable at the place that is named. `turgo config` shows what holds, and
    docs/configuration.md which keys there are.
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
    """The executor that was asked for cannot be had. `asked` is what was asked, `origin` where.

    Remedy: look at `turgo executors list` for what there is, and at the place that the message names for who
    asked.
    """

    def __init__(self, message: str, *, asked: str, origin: str | None = None) -> None:
        super().__init__(message)
        self.asked, self.origin = asked, origin


class UnknownExecutorError(ExecutorLookupError):
    """No profile, plugin or known package has that name. `known` lists what exists, `nearest` may be meant.

    Remedy: correct the name, or define the profile that it is to be. `turgo executors list` has all of them.
    """

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
    """A known package provides the executor but is not installed. `install` is the command that mends it.

    Remedy: run the `pip install` line of the message, in the environment that it names.
    """

    def __init__(self, message: str, *, asked: str, install: str, origin: str | None = None) -> None:
        super().__init__(message, asked=asked, origin=origin)
        self.install = install


class DuplicateExecutorError(ExecutorLookupError):
    """Two or more distributions provide the name. `distributions` names them; `dist/name` picks one.

    Remedy: write `distribution-name/executor`, or uninstall one of the two.
    """

    def __init__(
        self, message: str, *, asked: str, distributions: Sequence[str], origin: str | None = None
    ) -> None:
        super().__init__(message, asked=asked, origin=origin)
        self.distributions = tuple(distributions)


class BrokenPluginError(ExecutorLookupError):
    """The plugin that provides the executor does not load. `distribution` and `reason` say which and why.

    Remedy: run the `pip install` line of the message, or upgrade or uninstall the distribution that it names;
    `turgo doctor` shows why it does not load.
    """

    def __init__(
        self, message: str, *, asked: str, distribution: str, reason: str, origin: str | None = None
    ) -> None:
        super().__init__(message, asked=asked, origin=origin)
        self.distribution, self.reason = distribution, reason


class ExecutorImportError(ExecutorLookupError):
    """A class path does not lead to anything: the file, the module or the attribute is missing or fails.

    Remedy: correct the path, or mend the error of the module that is shown. A path is `package.module:Class`
    or `./file.py:Class`.
    """


class UntrustedCodeError(ExecutorLookupError):
    """A configuration file that somebody else may have written names a file or a class, which would run as code.

    Remedy: look at the file; then take it over (`chown`, `chmod go-w`), or name it by `TURGO_CONFIG`.
    """


class NotAnExecutorError(ExecutorLookupError):
    """A class path leads to something that is no `turgo.Executor`.

    Remedy: name the class itself, and derive it from `turgo.Executor`.
    """


class ApiVersionError(ExecutorLookupError):
    """Plugin and core do not speak the same version of the contract; the message says which to upgrade.

    `target` is the class, as `module:Class`, and `api_version` what it was written for.

    Remedy: upgrade the side that the message names.
    """

    def __init__(
        self, message: str, *, asked: str, target: str, api_version: int, origin: str | None = None
    ) -> None:
        super().__init__(message, asked=asked, origin=origin)
        self.target, self.api_version = target, api_version


class OptionError(UsageError, ValueError):
    """An option of an executor is unknown or has the wrong type.

    `option` is its name, `executor` whose option it is, `nearest` what may have been meant.

    Remedy: correct the option; `turgo executors show NAME` prints each with its type, meaning and where its
    value comes from.
    """

    def __init__(
        self, message: str, *, option: str, executor: str | None = None, nearest: str | None = None
    ) -> None:
        super().__init__(message)
        self.option = option
        self.executor = executor
        self.nearest = nearest


class ObserverError(UsageError):
    """A hook of an observer is never called, or there is none. `observer` is its name, `hook` the one that is wrong.

    Remedy: mark the hook with `@hookimpl` and write it as `turgo.hooks` has it.
    """

    def __init__(self, message: str, *, observer: str, hook: str | None = None) -> None:
        super().__init__(message)
        self.observer, self.hook = observer, hook


class RequirementError(UsageError):
    """The executor does not offer what the flow requires. `missing` is that; `offered_by` names others that do.

    Remedy: take one of the executors that the message names, give the options with which yours offers it, or
    drop it from `flow(requires=…)`.
    """

    def __init__(self, message: str, *, missing: Sequence[str], offered_by: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.missing, self.offered_by = tuple(missing), tuple(offered_by)


class FlowFileError(UsageError):
    """A flow file cannot be loaded, or it is not clear which of its flows to run. `path` is the file.

    Remedy: mend the error that is shown, or name the flow: `turgo run FILE:FLOW`.
    """

    def __init__(self, message: str, *, path: str) -> None:
        super().__init__(message)
        self.path = path


class ParameterError(UsageError, TypeError):
    """The parameters do not fit the signature. `parameter` names the one that does not, where it is one.

    Remedy: call it as its signature, which is shown, says; `turgo run FILE --help` lists the parameters of a
    flow.
    """

    def __init__(self, message: str, *, parameter: str | None = None) -> None:
        super().__init__(message)
        self.parameter = parameter


class ProjectError(UsageError):
    """A plugin project cannot be written under the name that was asked for, or not there. `asked` is the name.

    Remedy: take another name, or a folder that is not there yet.
    """

    def __init__(self, message: str, *, asked: str) -> None:
        super().__init__(message)
        self.asked = asked


class CacheError(UsageError):
    """The cache of values cannot be used: its folder is not safe, or a package that its URL needs is not installed.

    Remedy: make the folder your own alone (`chmod 700`), name another one by `[cache] url`, or install what
    is named.
    """


class StoreError(UsageError):
    """A folder or URL that values are kept at cannot be used.

    Remedy: see that the place is there and yours to write to, and that what its URL needs is installed and
    configured.
    """


class MissingPackageError(UsageError):
    """What was asked for needs a package that is not installed; the message has the line that installs it.

    Remedy: run the `pip install` line of the message.
    """


class JournalError(UsageError):
    """The journal of a run cannot be used: it is damaged, in use, another user's, or not there.

    Remedy: do what the message says: name another run, wait for the one that goes on, or take a folder that
    is yours. `--no-journal` does without.
    """


class TaskPolicyError(UsageError, ValueError):
    """A policy given to `@task` or `@flow` makes no sense: negative retries, an unknown trigger …

    Remedy: correct the option of `@task` or `@flow` that is named.
    """


class GraphError(UsageError):
    """What the flow recorded cannot be run.

    Remedy: do inside a task what needs the value of a result; a flow only says which task takes which.
    """


class CycleError(GraphError):
    """A result depends on itself, or a container holds itself.

    Remedy: take out the call or the container that leads back to itself.
    """


class ForeignResultError(GraphError):
    """A recorded result was used outside the flow that recorded it.

    Remedy: use the result in the flow that recorded it, and return it to have its value.
    """


class NoAttributeError(GraphError, AttributeError):
    """A result stands for no value whose attribute could be taken; hasattr() and its like expect an AttributeError.

    Remedy: take the attribute of its value inside a task.
    """


class EmptyFlowError(GraphError):
    """The flow recorded no task, so there is nothing to run.

    Remedy: call at least one task in the flow, and name in `reference` only tasks that it calls.
    """


class ExecutorError(TurgoError):
    """An executor was used against its contract, or failed itself.

    Remedy: look at the cause that is shown below it. If the executor is not yours, its author is to be told.
    """


class ExecutorNotStartedError(ExecutorError, RuntimeError):
    """`submit`, `map`, `wait` … were called outside `start()`.

    Remedy: write `with executor.start():` around it, or give the executor to `flow.run`, which does that.
    """


class ExecutorStartedError(ExecutorError, RuntimeError):
    """`start()` was entered inside `start()`. Run several flows on one started executor instead.

    Remedy: use the executor that is started, by as many flows as you like, or a second object.
    """


class ExecutorStartError(ExecutorError):
    """The executor could not be started: the cluster, the address, the credentials …

    Remedy: mend the cause that is shown: an address, a credential, an option, a guard that is missing. `turgo
    doctor NAME` tries the start.
    """


class UnresolvableFutureError(ExecutorError):
    """A future stands where the executor cannot resolve it. `place` names it: `args[0].weights`.

    Remedy: give the future as an argument of its own, or within a list, tuple, dict or set.
    """

    def __init__(self, message: str, *, place: str) -> None:
        super().__init__(message)
        self.place = place


class WorkerLostError(TurgoError):
    """The worker that ran the call is gone (killed, out of memory, cut off). Not the task's own fault.

    `sure` is False if other calls were lost with it, or those of several workers at once: it may have been another's.
    `blameless` is True if it was another's, or what the call takes was lost: nothing counts against this one.
    `begun` is False if the call had not begun and will not: it goes again, also if it may be made once only.

    Remedy: give the worker more memory or the task less to hold; a worker's log says more. `crash_retries`
    says how often a task is tried again.
    """

    def __init__(
        self, message: str = "", *, sure: bool = True, blameless: bool = False, begun: bool = True
    ) -> None:
        super().__init__(message)
        self.sure = sure
        self.blameless = blameless
        self.begun = begun


class CacheKeyError(TurgoError):
    """A task's `cache_key` failed or returned no text: the failure of the call that it was asked for.

    Remedy: mend the function that `cache_key` names; it takes a dict of arguments and returns a text.
    """


class UnkeyedCallError(TurgoError):
    """No key that is the same in every process can be made of a call: it runs, and its value is not cached.

    Remedy: leave the argument out of the task (a lock, a connection), or give a function for `cache_key`.
    """


class CorruptEntryError(TurgoError):
    """An entry of a cache was damaged, or cannot be read here. It is logged, and the value is made anew.

    Remedy: nothing: the value is made anew. If it comes again, look at the disk, or run `turgo cache clear`.
    """


class TaskTimeoutError(TurgoError, TimeoutError):
    """The call took longer than its task allows. `seconds` is the limit.

    Remedy: raise `@task(timeout=…)`, make the call shorter, or have it tried again by `retries`.
    """

    def __init__(self, message: str, *, seconds: float) -> None:
        super().__init__(message)
        self.seconds = seconds


class ValueNotPortableError(TurgoError, TypeError):
    """A value or an error could not be pickled on its way to or from the worker; the message says which part.

    Remedy: give or return plain data in the place of what is named, or make it inside the task (a connection,
    an open file, a lock).
    """


class TaskError(TurgoError):
    """Stands in for a task's exception that could not be sent as it is: `type_name` and message are its own.

    `bases` are the full names of the types that its type derives from.

    Remedy: treat it as the error that it names, and see the traceback in `task_run.traceback`. An exception
    travels if it can be made again from its `args`.
    """

    def __init__(self, message: str, *, type_name: str, bases: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.type_name, self.bases = type_name, tuple(bases)

    def __str__(self) -> str:
        return f"{self.type_name}: {super().__str__()}"


class NoTaskError(TurgoError):
    """`turgo.current()` was called where no task runs.

    Remedy: call it inside a task, or in a thread that has the context of one.
    """


class Skip(TurgoError):  # noqa: N818  (a signal that a task raises, as StopIteration is, and no error)
    """Raised by a task that finds nothing to do; its task run is Skipped, and so is what depends on it.

    raise Skip("no new rows")

    Remedy: none is needed; `skip_on_upstream_skip=False` has a task run although what it depends on was
    skipped.
    """


class RunError(TurgoError):
    """A flow run did not return the result that was asked for.

    As it is, and none of the classes below, it is the error of a run that broke off: its cause, as of an executor that
    broke down, was raised to whoever ran the flow.

    Remedy: ask for what there is: `run.state` and `run.error` say how far it came. Without values kept
    (`keep_values=False`), run it again with them.
    """


class TaskFailedError(RunError):
    """A task that the result needs did not succeed.

    `task` is its name, `index` the element of a mapped one, `state` the name of its state. The task's own
    exception, where there is one, is the `__cause__`.

    Remedy: look at the cause; `run.explain(…)` and `turgo runs show` say more, `turgo replay` makes the call
    again here, and `turgo run … --resume` goes on with the rest.
    """

    def __init__(self, message: str, *, task: str, index: int | None, state: str) -> None:
        super().__init__(message)
        self.task = task
        self.index = index
        self.state = state


class RunCancelledError(RunError):
    """The run was interrupted, by Ctrl-C, a signal or `run.cancel()`, before the result was there.

    Remedy: run it again, by `turgo run … --resume` without what is finished.
    """


class RunTimeoutError(RunError, TimeoutError):
    """The run took longer than its flow allows. `seconds` is the limit.

    Remedy: raise `@flow(timeout=…)`, take an executor with more slots, or go on by `turgo run … --resume`.
    """

    def __init__(self, message: str, *, seconds: float) -> None:
        super().__init__(message)
        self.seconds = seconds


class StillRunningError(RunError, TimeoutError):
    """The run is not over after the `seconds` that it was waited for; it goes on.

    Remedy: wait again, longer, or end the run by `cancel()`.
    """

    def __init__(self, message: str, *, seconds: float) -> None:
        super().__init__(message)
        self.seconds = seconds
