"""Resolves futures in containers that dask does not look into.

Dask finds futures in lists, tuples, dicts and sets. It ignores a frozenset, and makes a plain dict of a
defaultdict or an OrderedDict that holds one. Such a container becomes a call of its own, made of the plain
one.
"""

from __future__ import annotations

import operator
from typing import Any

import distributed

_PLAIN = frozenset({int, float, str, bytes, bool, type(None), complex, bytearray})


def resolvable(client: distributed.Client, args: tuple[Any, ...]) -> tuple[tuple[Any, ...], bool]:
    """`args` as `client.submit` resolves every future in them, and whether they hold one."""
    resolved = [_resolved(client, value) for value in args]
    return tuple(value for value, _ in resolved), any(holds for _, holds in resolved)


def _resolved(client: distributed.Client, value: Any) -> tuple[Any, bool]:
    """The value as dask resolves it, and whether it holds a future."""
    if type(value) in _PLAIN:
        return value, False
    if isinstance(value, distributed.Future):
        return value, True
    if isinstance(value, (list, tuple, set, frozenset)):
        return _resolved_items(client, value)
    if isinstance(value, dict):
        return _resolved_dict(client, value)
    return value, False


def _resolved_items(client: distributed.Client, value: Any) -> tuple[Any, bool]:
    items = [_resolved(client, item) for item in value]
    if not any(holds for _, holds in items):
        return value, False
    filled = [item for item, _ in items]
    if isinstance(value, frozenset):
        return client.submit(frozenset, filled, pure=False), True
    if isinstance(value, tuple):
        return (type(value)(*filled) if hasattr(value, "_fields") else tuple(filled)), True
    return type(value)(filled), True


def _resolved_dict(client: distributed.Client, value: dict[Any, Any]) -> tuple[Any, bool]:
    items = {key: _resolved(client, item) for key, item in value.items()}
    if not any(holds for _, holds in items.values()):
        return value, False
    filled = {key: item for key, (item, _) in items.items()}
    if type(value) is dict:
        return filled, True
    empty = value.copy()
    empty.clear()
    return client.submit(operator.or_, empty, filled, pure=False), True
