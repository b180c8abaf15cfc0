"""What a function is, as far as its values may depend on it: its code, and what the code brings along.

Counted: the bytecode with its names and constants, those of the functions within it too; the defaults; what a closure
holds; and of its own module the functions and plain constants that it names, with what those name in turn. Not
counted: comments, the places of lines, and what it uses of other modules. Bytecode differs between versions of Python.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from types import CodeType, FunctionType, MethodType
from typing import Any

from penstock.sources import PREFIX

_PLAIN = frozenset({int, float, complex, bool, str, bytes, type(None)})

Function = FunctionType | MethodType | functools.partial[Any]

FUNCTIONS = (FunctionType, MethodType, functools.partial)
"""What is taken apart here; of anything else, a builtin or an object that can be called, the pickle says what it is."""


def parts_of(fn: Function) -> tuple[Any, ...]:
    """What has to be the same for two functions to be the same; values that a digest can be made of."""
    if isinstance(fn, functools.partial):
        return ("partial", fn.func, fn.args, sorted(fn.keywords.items()))
    if isinstance(fn, MethodType):
        return ("method", fn.__func__, fn.__self__)
    closure = tuple(_content(cell) for cell in fn.__closure__ or ())
    defaults = (fn.__defaults__, sorted((fn.__kwdefaults__ or {}).items()))
    return ("function", place_of(fn), _code(fn.__code__), defaults, closure, _named_globals(fn))


def place_of(fn: Callable[..., Any]) -> str:
    """`module:qualified.name`. What was loaded as a file, or run as a script, has the file's name for its module."""
    if isinstance(fn, functools.partial):
        return place_of(fn.func)
    module = str(getattr(fn, "__module__", None))
    code = getattr(inspect.unwrap(fn), "__code__", None)
    if code is not None and (module in ("__main__", "__mp_main__") or module.startswith(PREFIX)):
        module = Path(code.co_filename).stem
    return f"{module}:{getattr(fn, '__qualname__', type(fn).__qualname__)}"


def _code(code: CodeType) -> tuple[Any, ...]:
    constants = tuple(_code(each) if isinstance(each, CodeType) else each for each in code.co_consts)
    counts = (code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_flags)
    names = (code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars)
    return (counts, names, constants, code.co_code, code.co_exceptiontable)


def _content(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # it is still empty
        return None


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)


def _named_globals(fn: FunctionType) -> list[tuple[str, Any]]:
    """The functions and plain constants of the function's own module that its code names."""
    found = []
    for name in sorted(set(_names(fn.__code__))):
        value = fn.__globals__.get(name)
        if type(value) in _PLAIN - {type(None)}:
            found.append((name, value))
        elif callable(value) and not isinstance(value, type):
            inner = inspect.unwrap(value)
            if isinstance(inner, FunctionType) and inner.__module__ == fn.__module__:
                found.append((name, inner))
    return found
