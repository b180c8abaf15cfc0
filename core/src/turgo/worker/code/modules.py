"""A flow's modules on a worker. They are shipped by value and found by their names.

    driver:  Pickler ── NamespaceRef(name, owner, run, …) ──> pickle
    worker:  namespace(…) ──> the dict of the module `name` in `sys.modules`, made when first asked for
             set_names(…) ──> what was shipped stands in that dict, once for each run

So a task pickles a class by the name that its file gives it, and the driver finds its own class under that name.
`definitions` restores functions and classes, `import_folders` writes the file itself where the worker lacks it.

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
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from turgo.worker.code.import_folders import write_source
from turgo.worker.once import OfThisProcess

RUNS_KEY = "__turgo_runs__"
"""The name under which a namespace holds what was set in it, by run."""

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
                    write_source(name, facts, source)
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


def is_set(globals_: dict[str, Any], run: str, name: str) -> bool:
    """Whether a name of a namespace was set in this run; those of the driver's own module are."""
    runs = globals_.get(RUNS_KEY)
    return runs is None or name in runs.get(run, ())


def publish(globals_: dict[str, Any], run: str, name: str, found: Any) -> None:
    """Set what a module defines under its own name; what a notebook defines also where pickle looks for it."""
    set_names(globals_, run, {name: found})
    main = vars(sys.modules["__main__"])
    ours = getattr(main.get(name, found), "__module__", None) == "__main__"
    if ours and found.__module__ == "__main__" and RUNS_KEY in globals_:
        main[name] = found


def shipped_modules() -> dict[str, types.ModuleType]:
    """The modules that were shipped to this process, by name."""
    return {name: module for (_, name), module in list(_shipped_modules().modules.items())}
