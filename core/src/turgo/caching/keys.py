"""Keys: the name under which the value of one call is kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from turgo.errors import CacheKeyError
from turgo.flows.task import AnyTask
from turgo.identity.calls import CallIdentity
from turgo.identity.code import Code


class Keys:
    """Makes the keys of one task: the identities of its calls, unless its `cache_key` is a callable.

    That gets the arguments by name, defaults among them, and returns a text.
    """

    def __init__(self, task: AnyTask, code: Code) -> None:
        self.task = task
        self.identity = CallIdentity(task, code)

    def key_of(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> str:
        """The key of a call, 40 hexadecimal digits.

        Raises UnkeyedCallError if its arguments or its function have no stable digest, and CacheKeyError if a callable
        `cache_key` raises or returns no text.
        """
        bound, key = self.identity.bound(args, kwargs), self.task.policy.cache_key
        if not callable(key):
            return self.identity.of(bound)
        variables = sorted(self.identity.variables.items())
        return self.identity.code.digest((self.identity.name(), self._text(key, bound), *variables))

    def _text(self, key: Callable[[Mapping[str, Any]], str], bound: Mapping[str, Any]) -> str:
        name = self.task.name
        try:
            text: object = key(bound)
        except Exception as error:
            raise CacheKeyError(f"the cache_key of {name} failed: {type(error).__name__}: {error}") from error
        if not isinstance(text, str):
            raise CacheKeyError(f"the cache_key of {name} returned {text!r:.80}; it has to return a text")
        return text
