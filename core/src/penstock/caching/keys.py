"""Keys: under which name the value of one call is kept."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from types import FunctionType
from typing import Any

from penstock.caching.digests import digest_of
from penstock.caching.functions import place_of
from penstock.errors import CacheKeyError, UnkeyedCallError
from penstock.flows.policy import CacheKey

_VERSION = 1
"""Of what a key is made of; another one forgets all that was kept."""


class Keys:
    """Makes the keys of one task.

    name: the task's; fn: its function; key: "inputs", or a callable that gets the arguments by name, defaults among
    them, and returns a text.
    """

    def __init__(
        self, name: str, fn: Callable[..., Any], signature: inspect.Signature, key: CacheKey
    ) -> None:
        self.name, self.fn, self.signature, self.key = name, fn, signature, key
        self._scope: str | None = None
        kinds = inspect.Parameter
        parameters = signature.parameters.values()
        self._simple = all(each.kind is kinds.POSITIONAL_OR_KEYWORD for each in parameters)
        self._names = list(signature.parameters)

    def key_of(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> str:
        """The key of a call, 40 hexadecimal digits.

        Raises UnkeyedCallError if its arguments or its function have no stable digest, and CacheKeyError if a callable
        `cache_key` raises or returns no text.
        """
        bound = self._bound(args, kwargs)
        if callable(self.key):
            return digest_of((self._own_scope(), self._text(self.key, bound)))
        try:
            return digest_of((self._own_scope(), bound))
        except UnkeyedCallError:
            raise
        except Exception as error:
            raise UnkeyedCallError(self._unkeyed(bound, error)) from error

    def _bound(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments by name, the defaults among them."""
        if self._simple and not kwargs and len(args) == len(self._names):
            return dict(zip(self._names, args, strict=True))
        bound = self.signature.bind(*args, **kwargs)
        bound.apply_defaults()
        return dict(bound.arguments)

    def _own_scope(self) -> str:
        """What keeps the keys of one task apart from those of others; for "inputs" its code is part of it."""
        if self._scope is None:
            parts: Any = (_VERSION, self.name, place_of(self.fn))
            if not callable(self.key):
                try:
                    parts = (*parts, digest_of((self.fn, _code_of_object(self.fn))))
                except Exception as error:
                    message = (
                        f"{self.name} is not cached: no stable key can be made of its function ({error})"
                    )
                    raise UnkeyedCallError(message) from error
            self._scope = digest_of(parts)
        return self._scope

    def _text(self, key: Callable[[Mapping[str, Any]], str], bound: Mapping[str, Any]) -> str:
        try:
            text: object = key(bound)
        except Exception as error:
            message = f"the cache_key of {self.name} failed: {type(error).__name__}: {error}"
            raise CacheKeyError(message) from error
        if not isinstance(text, str):
            raise CacheKeyError(
                f"the cache_key of {self.name} returned {text!r:.80}; it has to return a text"
            )
        return text

    def _unkeyed(self, bound: Mapping[str, Any], error: Exception) -> str:
        """Say which argument it is."""
        for name, value in bound.items():
            try:
                digest_of(value)
            except Exception as own:  # noqa: BLE001  (user data, whose pickling may raise anything)
                return (
                    f"{self.name} is not cached: no stable key can be made of its argument {name!r}, "
                    f"a {type(value).__name__} ({own})"
                )
        return f"{self.name} is not cached: no stable key can be made of its arguments ({error})"


def _code_of_object(fn: Callable[..., Any]) -> Any:
    """Of an object that can be called, what calling it does; its pickle says only what it holds."""
    called = getattr(type(fn), "__call__", None)  # noqa: B004  (it is the function itself that is wanted)
    return called if isinstance(called, FunctionType) else None
