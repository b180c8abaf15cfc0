"""Pickles what a worker needs of a flow. Its code goes by value, under the names of its modules.

    function, class of the flow   by value, into the module of its name there: see `worker.code`
    module of the flow            as that module, with the attributes that the code names
    what is installed             by name
    a task that another calls     a stand-in that calls its function, where turgo is not installed
    a flow                        a stand-in that says what is missing, where turgo is not installed

Nothing that a user wrote is replaced; some kinds of globals are made anew from what they are made of: see `remade`.
"""

from __future__ import annotations

import enum
import functools
import io
import sys
import threading
import zlib
from collections import ChainMap
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any, ClassVar

import cloudpickle

from turgo.engine.transport.flow_code import FlowCode
from turgo.engine.transport.remade import enum_parts, generic_state, is_generic, remade
from turgo.flows.flow import FlowDefinition
from turgo.flows.task import Task
from turgo.registry.source_files import MAIN
from turgo.worker.code import definitions
from turgo.worker.code.bootstrap import InstalledFunction, WorkerCode
from turgo.worker.code.import_folders import FOLDERS_KEY
from turgo.worker.code.modules import module_of, namespace, process_token
from turgo.worker.code.places import by_place, place_of
from turgo.worker.values.errors import reduced
from turgo.worker.values.pickles import large_buffers, whole_class

STAND_IN = "turgo.worker.functions:task_here"
FLOW_STAND_IN = "turgo.worker.functions:flow_here"

OUR_MODULES = ("turgo.worker.functions", "turgo.worker.context")
"""Functions of tasks that no user wrote, and `current`: they are of this version wherever they run."""

FACTS = ("__name__", "__file__", "__package__", "__doc__", "__path__")
"""What a shipped module says of itself."""

LEFT_OUT = "<dynamic-code>"
"""What newer versions of cloudpickle put in the place of a file's name."""

_lock = threading.RLock()  # the list of cloudpickle is one for the whole process


class CodePickler:
    """Pickles for the workers of one run. worker_code: where they may have no turgo."""

    def __init__(self, worker_code: WorkerCode | None, own: FlowCode, run: str = "") -> None:
        self.worker_code = worker_code
        self.own = own
        self.run = run
        self._references: dict[int, _Namespace] = {}

    def dumps(self, value: Any, buffers: list[Any] | None = None) -> bytes:
        """A pickle of `value`, with its large buffers beside it in `buffers` if those are given."""
        with _by_value(self.own.modules.values()):
            return self._pickled(value, buffers)

    def _pickled(self, value: Any, buffers: list[Any] | None) -> bytes:
        file = io.BytesIO()
        callback = None if buffers is None else large_buffers(buffers)
        pickler = _Pickler(file, protocol=5, buffer_callback=callback)
        pickler.owner = self
        pickler.dump(value)
        return file.getvalue()

    def shipped(self, fn: Callable[..., Any]) -> Any:
        """A function of `worker.code`, as the worker finds it within a payload."""
        if self.worker_code is None:
            return fn
        return InstalledFunction(self.worker_code.tag, f"{fn.__module__}:{fn.__name__}")

    def namespace(self, globals_: dict[str, Any]) -> _Namespace | None:
        """What stands for the globals of a module of the flow; None for those of any other."""
        found = self._references.get(id(globals_))
        if found is None or found.globals is not globals_:
            name = self._name_of(globals_)
            if name is None:
                return None
            found = self._references[id(globals_)] = _Namespace(name, globals_, self.own.folders)
        return found

    def _name_of(self, globals_: dict[str, Any]) -> str | None:
        name = globals_.get("__name__")
        modules = self.own.modules
        if isinstance(name, str) and name in modules and vars(modules[name]) is globals_:
            return name
        return next((key for key, module in modules.items() if vars(module) is globals_), None)


class _Namespace:
    """Stands for the globals of a module in a pickle."""

    def __init__(self, name: str, globals_: dict[str, Any], folders: Iterable[Path]) -> None:
        self.name = name
        self.globals = globals_
        self.facts = {key: globals_[key] for key in FACTS if key in globals_}
        self.source = _source(self.facts.get("__file__"))
        if self.source and name != MAIN:
            self.facts["__file__"] = str(Path(self.facts["__file__"]).resolve())
            self.facts[FOLDERS_KEY] = sorted(map(str, folders))

    def arguments(self) -> tuple[Any, ...]:
        """Of `worker.code.modules.namespace`."""
        return process_token(), self.name, self.facts, self.source


def _code_reduced(code: CodeType) -> Any:
    """How cloudpickle pickles a code object, with the file that it is of: newer versions leave that out."""
    make, arguments = cloudpickle.CloudPickler.dispatch_table[CodeType](code)
    return make, tuple(code.co_filename if each == LEFT_OUT else each for each in arguments)


class _Pickler(cloudpickle.CloudPickler):  # type: ignore[misc]  # cloudpickle carries no types
    dispatch_table: ClassVar[Any] = ChainMap(
        {CodeType: _code_reduced}, *cloudpickle.CloudPickler.dispatch_table.maps
    )
    owner: CodePickler

    def reducer_override(self, obj: Any) -> Any:
        kind = type(obj)
        if kind is FunctionType:
            return self._function(obj)
        if kind is Task:
            return self._stand_in(obj, STAND_IN, functools.partial(Task, policy=obj.policy))
        if isinstance(obj, FlowDefinition):
            own = {"executor": obj.executor, "requires": obj.requires, "options": obj.options}
            return self._stand_in(obj, FLOW_STAND_IN, functools.partial(type(obj), **own))
        if kind is ModuleType:
            space = self.owner.namespace(vars(obj))
            return NotImplemented if space is None else (self._fn(module_of), space.arguments())
        if kind is _Namespace:
            return self._fn(namespace), obj.arguments()
        if isinstance(obj, type):
            return self._class(obj)
        if isinstance(obj, BaseException):
            return reduced(obj)
        found = self._sentinel(obj)
        return (
            found
            if found is not NotImplemented
            else remade(obj, self.owner.own.modules, self._fn(definitions.empty_cache))
        )

    def _fn(self, fn: Callable[..., Any]) -> Any:
        return self.owner.shipped(fn)

    def _stand_in(self, obj: Any, name: str, make: Callable[..., Any]) -> Any:
        """A task or flow, which `make` makes of its function and name where turgo is installed."""
        code = self.owner.worker_code
        if code is None:
            return NotImplemented
        return code.function(name), (obj.fn, self.owner._pickled(make, None), obj.name)

    def _function(self, fn: FunctionType) -> Any:
        code = self.owner.worker_code
        if code is not None and fn.__module__ in OUR_MODULES and _is_public(fn):
            return code.function(f"{fn.__module__}:{fn.__name__}").__reduce__()
        if is_generic(fn):
            base: Any = fn.__wrapped__  # type: ignore[attr-defined]
            state = generic_state(fn)
            return (
                functools.singledispatch,
                (base,),
                state,
                None,
                None,
                self._fn(definitions.restore_dispatch),
            )
        found = super().reducer_override(fn)
        space = self.owner.namespace(fn.__globals__) if isinstance(found, tuple) and len(found) == 6 else None
        if space is None:
            return found
        make, (code_, _, *rest), (attributes, slots), items, pairs, setter = found
        package = str(fn.__globals__.get("__package__") or "")
        others = [(each, values) for each, values in self._attributes(fn.__code__, slots, package)]
        public = _public(fn, space)
        packed = (setter, (attributes, slots), self.owner.run, public, others)
        arguments = (code_, space, *rest)
        if public is not None:
            make, arguments = self._fn(definitions.function), (make, self.owner.run, public, *arguments)
        return make, arguments, packed, items, pairs, self._fn(definitions.restore_function)

    def _attributes(
        self, code: CodeType, slots: dict[str, Any], package: str
    ) -> Iterator[tuple[_Namespace, dict[str, Any]]]:
        """What a function's code may take from modules of the flow: those among its globals, and those it imports.

        package: what `from . import` within the code begins at; it names none.
        """
        names = set(_names(code))
        own = self.owner.own.modules
        ahead = [value for value in slots["__globals__"].values() if type(value) is ModuleType]
        ahead += [own[name] for name in names if name in own]
        while package and "" in names:
            ahead += [own[package]] if package in own else []
            package = package.rpartition(".")[0]
        seen: set[int] = set()
        while ahead:
            module = ahead.pop()
            space = self.owner.namespace(vars(module))
            if space is not None and id(module) not in seen:
                seen.add(id(module))
                values = {
                    name: vars(module)[name] for name in names if name in vars(module) and name not in FACTS
                }
                ahead += [value for value in values.values() if type(value) is ModuleType]
                yield space, values

    def _class(self, cls: type) -> Any:
        found = whole_class(cls, super().reducer_override(cls))
        if not isinstance(found, tuple) or len(found) != 6:
            return found
        make, arguments, state, items, pairs, setter = found
        if issubclass(cls, enum.Enum):
            arguments, state = enum_parts(cls, arguments, state)
            setter, state = self._fn(definitions.restore_enum), (setter, *state)
            make, arguments = self._fn(definitions.enum_of), (make, *arguments)
        elif make.__name__ == "_make_skeleton_class":
            make, arguments = self._fn(definitions.class_of), (make, *self._with_quiet_metaclass(arguments))
        module = self.owner.own.modules.get(str(cls.__module__))
        space = None if module is None else self.owner.namespace(vars(module))
        if space is None:
            return make, arguments, state, items, pairs, setter
        packed = (setter, state, space, self.owner.run, _public(cls, space))
        return make, arguments, packed, items, pairs, self._fn(definitions.restore_class)

    def _with_quiet_metaclass(self, arguments: tuple[Any, ...]) -> tuple[Any, ...]:
        """The arguments of a class's constructor, so that no metaclass of the flow is called: it was called here."""
        meta, *rest = arguments
        own = self.owner.own.modules
        if meta is type or not (meta.__module__ in own or "<locals>" in meta.__qualname__):
            return arguments
        installed = next(each for each in meta.__mro__ if each.__module__ not in own)
        return functools.partial(installed.__new__, meta), *rest

    def _sentinel(self, obj: object) -> Any:
        """An object that is nothing but itself, and that a module holds: known by its place, there as here."""
        own = self.owner.own.modules
        place = place_of(obj, own)
        if place is None:
            return NotImplemented
        module, name = place
        if module not in own:
            return by_place(obj, place)
        space = self.owner.namespace(vars(own[module]))
        return self._fn(definitions.attribute), (space, self.owner.run, name, type(obj))


def _is_public(fn: FunctionType) -> bool:
    return getattr(sys.modules[str(fn.__module__)], fn.__name__, None) is fn


def _public(obj: Any, space: _Namespace) -> str | None:
    """The name that a module gives to a function or class of its own."""
    name: str = obj.__name__
    return name if space.globals.get(name) is obj else None


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)


def _source(path: Any) -> bytes:
    """The text of a module, packed; none where it has no file."""
    if not isinstance(path, str) or not path.endswith(".py"):
        return b""
    try:
        return zlib.compress(Path(path).read_bytes(), 9)
    except OSError:
        return b""


@contextmanager
def _by_value(modules: Iterable[ModuleType]) -> Iterator[None]:
    with _lock:
        known = cloudpickle.list_registry_pickle_by_value()
        ours = {module.__name__: module for module in modules if module.__name__ not in known}
        for module in ours.values():
            cloudpickle.register_pickle_by_value(module)
        try:
            yield
        finally:
            for module in ours.values():
                cloudpickle.unregister_pickle_by_value(module)
