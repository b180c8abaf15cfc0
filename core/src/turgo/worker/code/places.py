"""Pickles a sentinel as the module and the name that hold it, so each process has its own single one.

    MISSING = object()     ── place_of ──> ("flow", "MISSING") ── by_place ──> the same object, in any process

Pickled as what it is made of, it would be another object.
"""

from __future__ import annotations

import sys
import types
from collections.abc import Mapping
from typing import Any

PLACE_EXPRESSION = "getattr(__import__('sys').modules.get(module), name, kind.__new__(kind))"
"""Gives an object that stands in a module, in any process; one of its class where that is not there."""


def place_of(obj: Any, modules: Mapping[str, types.ModuleType]) -> tuple[str, str] | None:
    """Where an object stands that is nothing but itself: the name of the module, and its own.

    It is looked for in the module of its class first. None for what has a state, and for what stands nowhere.
    """
    kind = type(obj)
    if kind is not object:
        if getattr(obj, "__dict__", None) or not _is_pickled_plainly(kind):
            return None
        try:
            if obj.__reduce_ex__(2)[1:] != ((kind,), None, None, None):
                return None
        except Exception:  # noqa: BLE001  (what cannot be pickled, or has code of its own for it)
            return None
        home = sys.modules.get(kind.__module__)
        modules = modules if home is None else {kind.__module__: home, **modules}
    for name, module in modules.items():
        for key, value in list(vars(module).items()):
            if value is obj:
                return name, key
    return None


def _is_pickled_plainly(kind: Any) -> bool:
    return kind.__reduce__ is object.__reduce__ and kind.__reduce_ex__ is object.__reduce_ex__


def by_place(obj: Any, place: tuple[str, str]) -> tuple[Any, ...]:
    """How an object that stands in a place is pickled."""
    module, name = place
    return eval, (PLACE_EXPRESSION, {"module": module, "name": name, "kind": type(obj)})
