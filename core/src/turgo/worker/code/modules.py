"""A flow's modules on a worker. They are shipped by value and found by their names.

    driver:  Pickler ── NamespaceRef(name, owner, run, …) ──> pickle
    worker:  namespace(…) ──> the dict of the module `name` in `sys.modules`, made when first asked for
             restore_function / restore_class ──> what was shipped stands in that dict, once for each run

So a task pickles a class by the name that its file gives it, and the driver finds its own class under that name.
The file itself is written to a folder on `sys.path` and PYTHONPATH where the worker lacks it: processes that a task
starts import it from there.

Within a run a name is set once: a lock or a cache that two functions share stays one object. In the process that ships
the module, the names stay as they are.
"""

from __future__ import annotations

import functools
import importlib.machinery
import os
import sys
import threading
import types
import weakref
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from turgo.worker.once import OfThisProcess

RUNS_KEY = "__turgo_runs__"
"""The name under which a namespace holds what was set in it, by run."""

FOLDERS_KEY = "__turgo_folders__"
"""The fact of a module where the driver has found the modules of its flow."""

HOOK = "__init_subclass__"

NAMESPACE_RUNS = 8
"""How many runs a namespace remembers."""


@OfThisProcess
def _tokens() -> dict[int, str]:
    """Names of processes by their ids: this one's, and those that it has from the process that forked it."""
    return {}


def process_token() -> str:
    """A name of this process that no other has; a forked child has another one."""
    tokens, process = _tokens(), os.getpid()
    if process not in tokens:
        import uuid  # late, as calls within this process need no name for it

        tokens.setdefault(process, uuid.uuid4().hex)
    return tokens[process]


class _ShippedModules:
    """The modules that were shipped to this process, by driver and name."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.modules: dict[tuple[str, str], types.ModuleType] = {}
        self.classes: weakref.WeakSet[type] = weakref.WeakSet()
        """Those that were made here of pickles."""

    def module(self, owner: str, name: str, facts: Mapping[str, Any], source: bytes) -> types.ModuleType:
        """The module, made if it is not there. It becomes the one that `import` finds."""
        with self.lock:
            module = self.modules.get((owner, name))
            if module is None:
                module = self.modules[owner, name] = types.ModuleType(name)
                module.__dict__.update(facts)
                module.__dict__[RUNS_KEY] = {}
                module.__dict__["__getattr__"] = functools.partial(_unshipped, name, [sys.modules.get(name)])
                if source:
                    _provide(name, facts, source)
            if name != "__main__" and sys.modules.get(name) is not module:
                _install(name, module)
                # Some came before their package, others are parts of another driver's.
                for part in sorted(sys.modules):
                    if part.startswith(f"{name}."):
                        del sys.modules[part]
                        if found := self.modules.get((owner, part)):
                            _install(part, found)
            return module


@OfThisProcess
def _shipped_modules() -> _ShippedModules:
    """`sys.modules` is the process's, so there is one of it for each process."""
    return _ShippedModules()


def _unshipped(name: str, own: list[Any], attribute: str) -> Any:
    """What was not shipped, of the module that this worker has under the name: others may have pickled it by name."""
    if not attribute.startswith("__"):
        if not own[0]:
            path = getattr(sys.modules.get(name.rpartition(".")[0]), "__path__", None)
            spec = importlib.machinery.PathFinder.find_spec(name, path)
            if spec and spec.loader:
                own[0] = types.ModuleType(name)  # before it is executed, as it may be imported in turn
                own[0].__file__ = spec.origin
                own[0].__spec__ = spec
                with suppress(Exception):
                    spec.loader.exec_module(own[0])
        if hasattr(own[0], attribute):
            return getattr(own[0], attribute)
    raise AttributeError(f"module {name!r} has no attribute {attribute!r}")


def namespace(owner: str, name: str, facts: Mapping[str, Any], source: bytes) -> dict[str, Any]:
    """The globals of a module of the driver `owner`; in the driver itself, those of the module that is there."""
    return vars(module_of(owner, name, facts, source))


def module_of(owner: str, name: str, facts: Mapping[str, Any], source: bytes) -> types.ModuleType:
    """The module whose globals `namespace` gives."""
    if owner == process_token() and name in sys.modules:
        return sys.modules[name]
    return _shipped_modules().module(owner, name, facts, source)


def _install(name: str, module: types.ModuleType) -> None:
    """Let `import` find it, as a part of its package where the name has dots."""
    sys.modules[name] = module
    package, _, child = name.rpartition(".")
    if package:
        if package not in sys.modules:
            parent = types.ModuleType(package)
            parent.__path__ = [os.path.dirname(getattr(module, "__file__", ""))]
            _install(package, parent)
        setattr(sys.modules[package], child, module)


def _provide(name: str, facts: Mapping[str, Any], packed: bytes) -> None:
    """See to it that processes started from here can import the file."""
    import hashlib  # late, all of these: the driver needs none of them
    import tempfile
    import zlib

    source = zlib.decompress(packed)
    file = Path(str(facts.get("__file__")))
    if file.suffix != ".py":
        return
    depth = name.count(".") + (1 if file.name == "__init__.py" else 0)
    with suppress(OSError):
        if file.read_bytes() == source:
            for found_in in (str(file.parents[depth]), *facts.get(FOLDERS_KEY, ())):
                add_import_folder(found_in)
            return
    top = name.partition(".")[0]
    found = importlib.machinery.PathFinder.find_spec(top)
    if found is not None and found.loader is not None and "." not in name:
        return  # the worker has a module of that name, which stays what its processes import
    folder = Path(tempfile.gettempdir()) / f"turgo-code-{os.getuid() if hasattr(os, 'getuid') else 0}"
    folder /= hashlib.sha256(f"{top}\0{facts.get('__file__')}".encode() + b"\0" + source).hexdigest()[:16]
    _write(folder / Path(*file.parts[-1 - depth :]), source, packages=depth)
    add_import_folder(str(folder))


def _write(file: Path, source: bytes, packages: int) -> None:
    """Write a file as a whole, as others may do so at the same moment."""
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    for parent in list(file.parents)[:packages]:
        (parent / "__init__.py").touch()
    part = file.with_name(f"{file.name}.{os.getpid()}.{threading.get_ident()}")
    part.write_bytes(source)
    part.replace(file)


def add_import_folder(folder: str) -> None:
    """Let this process import from a folder, behind all others, and those that it starts.

    PYTHONPATH stands before the standard library, so a folder that holds a `json.py` is not put there.
    """
    if folder not in sys.path:
        sys.path.append(folder)
    listed = os.environ.get("PYTHONPATH", "")
    if folder not in listed.split(os.pathsep) and not _hides_modules(folder):
        os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (listed, folder)))


def _hides_modules(folder: str) -> bool:
    with suppress(OSError):
        found = {each.partition(".")[0] for each in os.listdir(folder)}
        return not found.isdisjoint(sys.stdlib_module_names)
    return True


def set_names(globals_: dict[str, Any], run: str, values: Mapping[str, Any]) -> None:
    """Set names of a namespace that were not set in this run yet."""
    runs: dict[str, set[str]] | None = globals_.get(RUNS_KEY)
    if runs is None:  # the driver's own module
        for name, value in values.items():
            globals_.setdefault(name, value)
        return
    with _shipped_modules().lock:
        known = runs.setdefault(run, set())
        while len(runs) > NAMESPACE_RUNS:
            del runs[next(iter(runs))]
        for name in values.keys() - known:
            globals_[name] = values[name]
        known.update(values)


def function(
    make: Callable[..., Any], run: str, public: str, code: Any, globals_: dict[str, Any], *rest: Any
) -> Any:
    """The function that a module has under a name by now, if it was shipped in this run; else one that is made."""
    found = globals_.get(public)
    if getattr(found, "__code__", None) == code and _is_set(globals_, run, public):
        return found
    return make(code, globals_, *rest)


def _is_set(globals_: dict[str, Any], run: str, name: str) -> bool:
    runs = globals_.get(RUNS_KEY)
    return runs is None or name in runs.get(run, ())


def restore_function(fn: Any, packed: Any) -> None:
    """Give a function its state. packed: cloudpickle's own setter and state; what its names are in other modules."""
    setter, (attributes, slots), run, public, others = packed
    if public and fn.__globals__.get(public) is fn and _is_set(fn.__globals__, run, public):
        return
    for globals_, values in others:
        set_names(globals_, run, values)
    set_names(fn.__globals__, run, slots["__globals__"])
    setter(fn, (attributes, {**slots, "__globals__": {}}))
    if public:
        _publish(fn.__globals__, run, public, fn)


def class_of(make: Callable[..., Any], meta: Any, name: str, bases: tuple[Any, ...], *rest: Any) -> Any:
    """The class that this one became here before; else a new one. Its bases learned of it where it was written."""
    tracked, owned = (make.__globals__[f"_DYNAMIC_CLASS_TRACKER_BY_{each}"] for each in ("ID", "CLASS"))
    with _shipped_modules().lock:
        found = tracked.get(rest[1])
        if found is None:
            lineage = [cls for base in bases if isinstance(base, type) for cls in base.__mro__]
            held = {cls: vars(cls)[HOOK] for cls in lineage if cls in owned and HOOK in vars(cls)}
            for cls in held:
                type.__delattr__(cls, HOOK)
            try:
                found = make(meta, name, bases, *rest)
            finally:
                for cls, hook in held.items():
                    type.__setattr__(cls, HOOK, hook)
            _shipped_modules().classes.add(found)
        return found


def enum_of(make: Callable[..., Any], *arguments: Any) -> Any:
    """The enum that this one became here before; else a new one."""
    with _shipped_modules().lock:
        found = make.__globals__["_DYNAMIC_CLASS_TRACKER_BY_ID"].get(arguments[-2])
        if found is None:
            found = make(*arguments)
            _shipped_modules().classes.add(found)
        return found


def restore_class(cls: type, packed: Any) -> None:
    """Give a class its state, and place it in its module. packed: cloudpickle's own setter and state.

    The driver's own class stays as it is: while it is set anew, another thread could not pickle it.
    """
    setter, state, globals_, run, public = packed
    if RUNS_KEY not in globals_ and cls not in _shipped_modules().classes:
        return
    if public:
        _publish(globals_, run, public, cls)
    setter(cls, state)


def restore_enum(cls: Any, packed: Any) -> None:
    """Give an enum its state, its aliases, and its members what their own `__init__` or `__new__` has given them.

    A class that is restored once more has its aliases, which may not be set again.
    """
    setter, state, members = packed
    setter(cls, state)
    for name, own_name, value, attributes in members:
        member = cls._member_map_.get(name)
        if member is None:
            member = cls._member_map_[name] = cls(value)
            member._name_ = own_name
            type.__setattr__(cls, name, member)
        elif member._value_ != value:
            with suppress(TypeError):  # those that cannot be hashed are looked for one by one
                cls._value2member_map_.pop(member._value_, None)
                cls._value2member_map_[value] = member
            member._value_ = value
        vars(member).update(attributes)


def _publish(globals_: dict[str, Any], run: str, name: str, found: Any) -> None:
    """Set what a module defines under its own name; what a notebook defines also where pickle looks for it."""
    set_names(globals_, run, {name: found})
    main = vars(sys.modules["__main__"])
    ours = getattr(main.get(name, found), "__module__", None) == "__main__"
    if ours and found.__module__ == "__main__" and RUNS_KEY in globals_:
        main[name] = found


def attribute(globals_: dict[str, Any], run: str, name: str, kind: Any) -> Any:
    """An object of a class that is known by its identity, as `MISSING = object()`."""
    if not _is_set(globals_, run, name):
        set_names(globals_, run, {name: kind.__new__(kind)})
    return globals_[name]


def empty_cache(fn: Callable[..., Any], maxsize: int | None, typed: bool) -> Any:
    """The function with a cache, as `functools.lru_cache` made it."""
    return functools.lru_cache(maxsize, typed)(fn)


def restore_dispatch(fn: Any, packed: tuple[dict[type, Callable[..., Any]], dict[str, Any]]) -> None:
    """Register the implementations of a generic function, as `functools.singledispatch` made it."""
    registry, attributes = packed
    for cls, implementation in registry.items():
        if cls is not object:
            fn.register(cls, implementation)
    fn.__dict__.update(attributes)


def shipped_modules() -> dict[str, types.ModuleType]:
    """The modules that were shipped to this process, by name."""
    return {name: module for (_, name), module in list(_shipped_modules().modules.items())}
