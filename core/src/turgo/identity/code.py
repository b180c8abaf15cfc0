"""The code of a task in parts: its function, and all that this refers to and that belongs to the flow.

    score ──names──> threshold, CONFIG, helper.scale, Model ──name──> …        {"work.py:threshold": digest, …}

Counted of a function: the bytecode with its names and constants, defaults, what a closure holds, and the functions,
classes and values that it names, of its own module and of others; of a module that it imports within, the file. Not
counted: comments, the places of lines, and what is installed. Bytecode differs between versions of Python.
"""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, FunctionType, GetSetDescriptorType, MemberDescriptorType, MethodType, ModuleType
from typing import Any

from turgo.identity.digests import CODE, digest_of
from turgo.identity.files import FileDigests
from turgo.identity.imports import imported_within, sources_of
from turgo.identity.mutations import changed_names
from turgo.registry.source_files import MAIN, PREFIX, is_installed_name

_NOT_OF_A_CLASS = frozenset(
    {"__dict__", "__weakref__", "__module__", "__doc__", "__qualname__", "__hash__", "_abc_impl"}
    | {"__firstlineno__", "__static_attributes__", "__slotnames__", "__abstractmethods__"}
    | {"__annotations__", "__annotate__", "__annotations_cache__"}
)
"""Attributes that say nothing of what a class does, or that Python adds when it likes."""


CHANGED = "changed by the task"
"""What stands for a variable that a function changes: it is a record of calls, and no input."""


class Code:
    """Digests of code, for all tasks of one run. files: of those that it looks at."""

    def __init__(self, files: FileDigests | None = None) -> None:
        self.files = files or FileDigests()
        self._known: dict[int, tuple[Any, dict[str, str]]] = {}

    def parts(self, fn: Any) -> dict[str, str]:
        """The digest of each part of a function by its label, `work.py:score`; itself the first."""
        known = self._known.get(id(fn))
        if known is None:
            known = self._known[id(fn)] = (
                fn,
                _Walk(self.files, fn).parts,
            )  # held, so that its id stays its own
        return known[1]

    def refer(self, obj: Any) -> Any:
        """What stands for code, or for a path, among data: for `digest_of`."""
        if isinstance(obj, Path):
            return ("path", str(obj), self.files.of(obj))
        if isinstance(obj, MethodType):
            return ("method", self.refer(obj.__func__), obj.__self__)
        if isinstance(obj, ModuleType):
            return ("module", obj.__name__)
        bare = inspect.unwrap(obj) if not isinstance(obj, (FunctionType, type)) else obj
        if is_looked_into(bare):
            return ("code", sorted(self.parts(bare).items()))
        return None if bare is obj else ("name", label_of(bare))

    def digest(self, value: Any) -> str:
        """The digest of data. Raises whatever its pickling raises."""
        return digest_of(value, self.refer)


def label_of(fn: Any) -> str:
    """`work.py:score`, or `package/work.py:score`: a function or class by the file and the name that it has there."""
    if isinstance(fn, functools.partial):
        return label_of(fn.func)
    code = getattr(inspect.unwrap(fn), "__code__", None)
    file = _file_of(str(getattr(fn, "__module__", None)), code.co_filename if code is not None else "")
    return f"{file}:{getattr(fn, '__qualname__', type(fn).__qualname__)}"


def _file_of(module: str, path: str) -> str:
    """The file of a module; one that was run, or loaded by its path, has a name that says nothing."""
    if module in (MAIN, "__mp_main__") or module.startswith(PREFIX):
        path = path or str(getattr(sys.modules.get(module), "__file__", ""))
        return Path(path).name if Path(path).suffix == ".py" and Path(path).is_file() else MAIN
    return module.replace(".", "/") + ".py"


def is_looked_into(obj: Any) -> bool:
    """Whether the code of a function or class counts, and not its name alone: it is the flow's, or nameless."""
    if isinstance(obj, FunctionType) and (obj.__closure__ or "<" in obj.__qualname__):
        return True
    return isinstance(obj, (FunctionType, type)) and not is_installed_name(str(obj.__module__))


class _Walk:
    """Finds the parts of one function."""

    def __init__(self, files: FileDigests, root: Any) -> None:
        self.files = files
        self.parts: dict[str, str] = {}
        self._labels: dict[int, str] = {}
        self._ahead: list[tuple[str, Any]] = []
        self._changed: set[str] = set()
        root = root if isinstance(root, (FunctionType, type)) or not callable(root) else inspect.unwrap(root)
        if isinstance(root, (FunctionType, type)):
            self._labelled(root)
        else:
            self._value(f"{label_of(root)}, itself", root)
        while self._ahead:
            label, obj = self._ahead.pop()
            made = self._class(obj, label) if isinstance(obj, type) else self._function(obj, label)
            self.parts[label] = digest_of(made, self.refer)
        self.parts.update(dict.fromkeys(self._changed & self.parts.keys(), CHANGED))

    def refer(self, obj: Any) -> Any:
        """What stands for code among data: its label, and what it is made of is looked at later."""
        if isinstance(obj, Path):
            return None  # what its file holds counts only for an argument: it may be what the function writes
        if isinstance(obj, MethodType):
            return ("method", self.refer(obj.__func__), obj.__self__)
        if isinstance(obj, ModuleType):
            return ("module", obj.__name__)
        bare = obj if isinstance(obj, (FunctionType, type)) else inspect.unwrap(obj)
        return ("code", self._labelled(bare)) if is_looked_into(bare) else ("name", label_of(bare))

    def _labelled(self, obj: Any) -> str:
        label = self._labels.get(id(obj))
        if label is None:
            label = plain = label_of(obj)
            taken = set(self._labels.values())
            number = 1
            while label in taken:
                number += 1
                label = f"{plain}#{number}"
            self._labels[id(obj)] = label
            self._ahead.append((label, obj))
        return label

    def _named(self, label: str, value: Any) -> Any:
        """What stands for a value of a module; of a lock, an open file and the like counts only that it is one."""
        try:
            return self._value(label, value)
        except Exception:  # noqa: BLE001  (whatever its pickling raises)
            self.parts[label] = digest_of(label_of(type(value)), self.refer)
            return ("value", label)

    def _value(self, label: str, value: Any) -> Any:
        """What stands for a value that a function holds; its digest is a part of its own. Raises if it has none."""
        if isinstance(value, CODE):
            return self.refer(value)
        if label not in self.parts:
            self.parts[label] = digest_of(value, self.refer)
        return ("value", label)

    def _function(self, fn: FunctionType, label: str) -> tuple[Any, ...]:
        code, changed = fn.__code__, changed_names(fn.__code__)
        defaults = [
            self._value(f"{label}, default {at}", each) for at, each in enumerate(fn.__defaults__ or ())
        ]
        named = [
            (name, self._value(f"{label}, {name}", each)) for name, each in (fn.__kwdefaults__ or {}).items()
        ]
        held = [
            (name, CHANGED if name in changed else self._value(f"{label}, {name}", _content(cell)))
            for name, cell in zip(code.co_freevars, fn.__closure__ or (), strict=False)
        ]
        return ("function", _code(code), defaults, named, held, list(self._globals(fn)))

    def _globals(self, fn: FunctionType) -> Iterator[tuple[str, Any]]:
        """What a function names of its module and of others, and the files that it imports when it runs."""
        space, names = fn.__globals__, set(_names(fn.__code__))
        module = str(space.get("__name__"))
        if is_installed_name(module):
            return  # a decorator of a library: what it holds is looked at, and not what it is made with
        file = _file_of(module, fn.__code__.co_filename)
        self._changed.update(f"{file}:{name}" for name in changed_names(fn.__code__))
        for name in sorted(names & space.keys()):
            value = space[name]
            if isinstance(value, ModuleType):
                yield name, self._module(value, names, set())
            elif name != "__builtins__":
                yield name, self._named(f"{file}:{name}", value)
        for path, label in sources_of(imported_within(fn)):
            self.parts[label] = self.files.of(path)

    def _module(self, module: ModuleType, names: set[str], seen: set[str]) -> tuple[Any, ...]:
        """Of a module of the flow, all that has one of the names: so what the function uses of it is among that."""
        seen.add(module.__name__)
        if is_installed_name(module.__name__):
            return ("module", module.__name__)
        file, space, used = _file_of(module.__name__, str(getattr(module, "__file__", ""))), vars(module), []
        for name in sorted(names & space.keys()):
            value = space[name]
            if not isinstance(value, ModuleType):
                used.append((name, self._named(f"{file}:{name}", value)))
            elif value.__name__ not in seen:
                used.append((name, self._module(value, names, seen)))
        return ("module", module.__name__, used)

    def _class(self, cls: type, label: str) -> tuple[Any, ...]:
        members = [
            (name, self._member(f"{label}.{name}", value))
            for name, value in sorted(vars(cls).items())
            if name not in _NOT_OF_A_CLASS
        ]
        return ("class", [self.refer(base) for base in cls.__bases__], members)

    def _member(self, label: str, value: Any) -> Any:
        if isinstance(value, (GetSetDescriptorType, MemberDescriptorType)):
            return ("slot",)
        if isinstance(value, (staticmethod, classmethod)):
            return (type(value).__name__, self._value(label, value.__func__))
        if isinstance(value, property):
            return (
                "property",
                [each and self._value(label, each) for each in (value.fget, value.fset, value.fdel)],
            )
        if isinstance(value, functools.cached_property):
            return ("property", self._value(label, value.func))
        return self._named(label, value)


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
