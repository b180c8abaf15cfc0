"""The identity of each call of a task: its code, its version, and its arguments by content."""

from __future__ import annotations

import inspect
import os
from collections.abc import Mapping, Sequence
from typing import Any

from turgo.errors import UnkeyedCallError
from turgo.flows.task import AnyTask
from turgo.identity.code import Code, label_of

IDENTITY_VERSION = 2
"""Of what an identity is made of; another one forgets all that was kept."""


class CallIdentity:
    """Makes the identities of the calls of one task.

    variables: the environment variables that it declares, with their values now; None for one that is not set.
    """

    def __init__(self, task: AnyTask, code: Code) -> None:
        self.task = task
        self.code = code
        self.variables = {name: os.environ.get(name) for name in task.policy.env}
        self._scope: str | None = None
        kinds = inspect.Parameter
        parameters = task.signature.parameters.values()
        self._simple = all(each.kind is kinds.POSITIONAL_OR_KEYWORD for each in parameters)
        self._names = list(task.signature.parameters)

    def of(self, bound: Mapping[str, Any]) -> str:
        """The identity of a call with these arguments, 40 hexadecimal digits.

        Raises UnkeyedCallError if its arguments or its function have none.
        """
        scope = self.scope()
        try:
            files = [(name, self.contents(name, bound.get(name))) for name in self.task.policy.files]
            return self.code.digest((scope, bound, files) if files else (scope, bound))
        except UnkeyedCallError:
            raise
        except Exception as error:
            raise UnkeyedCallError(self._unkeyed(bound, error)) from error

    def bound(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments by name, the defaults among them."""
        if self._simple and not kwargs and len(args) == len(self._names):
            return dict(zip(self._names, args, strict=True))
        bound = self.task.signature.bind(*args, **kwargs)
        bound.apply_defaults()
        return dict(bound.arguments)

    def name(self) -> tuple[Any, ...]:
        """What keeps a task apart from others, whatever its code is."""
        return (IDENTITY_VERSION, self.task.name, label_of(self.task.fn), self.task.policy.version)

    def parts(self) -> dict[str, str]:
        """The digest of each part of its code, and of each environment variable. Raises what the code's digest does."""
        named = {f"environment variable {name}": value for name, value in self.variables.items()}
        return {**self.code.parts(self.task.fn), **{name: self.code.digest(named[name]) for name in named}}

    def scope(self) -> str:
        """What all calls have in common: the task with its version, its code and variables. Raises UnkeyedCallError."""
        if self._scope is None:
            try:
                parts = sorted(self.parts().items())
            except Exception as error:
                name = self.task.name
                message = f"{name} is not cached: no stable key can be made of its function ({error})"
                raise UnkeyedCallError(message) from error
            self._scope = self.code.digest((self.name(), parts))
        return self._scope

    def contents(self, name: str, value: Any) -> Any:
        """What the files hold that an argument names: a path, or a collection of such. Raises UnkeyedCallError."""
        if isinstance(value, (str, os.PathLike)):
            return self.code.files.of(os.fspath(value))
        if isinstance(value, Mapping):
            return sorted((str(key), self.contents(name, each)) for key, each in value.items())
        if isinstance(value, (list, tuple)):
            return [self.contents(name, each) for each in value]
        if value is None:
            return None
        raise UnkeyedCallError(
            f"{self.task.name} is not cached: its argument {name!r} is declared as a file, but it is a "
            f"{type(value).__name__}"
        )

    def _unkeyed(self, bound: Mapping[str, Any], error: Exception) -> str:
        """Say which argument it is."""
        task = self.task.name
        for name, value in bound.items():
            try:
                self.code.digest(value)
            except Exception as own:  # noqa: BLE001  (user data, whose pickling may raise anything)
                return (
                    f"{task} is not cached: no stable key can be made of its argument {name!r}, "
                    f"a {type(value).__name__} ({own})"
                )
        return f"{task} is not cached: no stable key can be made of its arguments ({error})"
