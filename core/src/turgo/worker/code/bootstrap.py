"""Payloads and functions of turgo that load on a worker without turgo.

    driver: WorkerCode ── function("module:name") ──> ShippedFunction ─┐ pickled as builtins, an expression
                       └─ payload(bytes) ───────────> Payload ─────────┘ for `eval`, and bytes
    worker: eval ──> WorkerCode of this process: the installed turgo of that version, else made from the bytes

The bytes are this very file and the modules that execute a batch. Where turgo is not installed in the same version
they are executed once in each process, under names that no other version sees. A scheduler that opens a payload to pass
it on executes this file alone.

This file needs the standard library alone. The packer's own path is shipped in the payload as data.
"""

from __future__ import annotations

import builtins
import importlib
import pickle
import sys
import threading
import types
from collections.abc import Callable, Mapping
from typing import Any

OPEN_EXPRESSION = (
    "getattr(__import__('sys').modules.get(tag), 'worker_code', None)"
    " or exec(__import__('zlib').decompress(boot)) or opened(tag, boot, packed, packer)"
)
"""Gives the WorkerCode in any process: the one that is there, else one made by executing this file."""

INSTALLED_EXPRESSION = "__import__('sys').modules[tag].worker_code.load(path)"
"""Gives a function of a WorkerCode that is there."""

BOOTSTRAP_MODULE = "turgo.worker.code.bootstrap"
PUBLIC_MODULES = (
    "turgo",
    "turgo.errors",
    "turgo._version",
    "turgo.worker",
    "turgo.worker.context",
    "turgo.worker.values",
    "turgo.worker.values.errors",
)
"""Modules that functions of users refer to; a worker without turgo imports them by these names."""


class WorkerCode:
    """The worker-side modules of one version of turgo, by a name (`tag`) that is made from their text.

    boot: this file, packed: a mapping of module names to texts; both compressed. packer: `module:name` of the function
    that gives the WorkerCode of an installed turgo. own: whether this process has them installed.
    """

    def __init__(self, tag: str, boot: bytes, packed: bytes, packer: str, *, own: bool = False) -> None:
        self.tag = tag
        self.boot = boot
        self.packed = packed
        self.packer = packer
        self.own = own
        self._found: dict[str, Callable[..., Any]] = {}
        self._lock = threading.RLock()
        self._modules: dict[str, types.ModuleType] = {}
        self._sources: Mapping[str, str] | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        names = {"tag": self.tag, "boot": self.boot, "packed": self.packed, "packer": self.packer}
        return eval, (OPEN_EXPRESSION, {"__name__": self.tag, **names})

    def function(self, path: str) -> ShippedFunction:
        """The function at `package.module:name`, in a form that any worker can call."""
        return ShippedFunction(self, path)

    def payload(self, blob: bytes, *buffers: Any) -> Payload:
        """A payload that any process can open."""
        return Payload(blob, *buffers, worker_code=self)

    def load(self, path: str) -> Callable[..., Any]:
        """The function itself. Loads the code if this is the first."""
        found = self._found.get(path)
        if found is None:
            module, _, name = path.partition(":")
            if not self.own:
                self._publish()
            found = self._found[path] = getattr(self._load(module), name)
        return found

    def _load(self, name: str) -> types.ModuleType:
        if self.own:
            return importlib.import_module(name)
        with self._lock:
            if self._sources is None:
                import zlib  # late: installed code is not packed

                texts = zlib.decompress(self.packed).decode().split("\0")
                self._sources = dict(zip(texts[::2], texts[1::2], strict=True))
                self._modules[BOOTSTRAP_MODULE] = sys.modules[self.tag]
            if name not in self._modules:
                self._execute(name, self._sources[name])
            return self._modules[name]

    def _execute(self, name: str, source: str) -> None:
        module = self._modules[name] = types.ModuleType(name)
        module.__dict__["__builtins__"] = {**vars(builtins), "__import__": self._import}
        module.__path__ = []
        # Some decorators look for the module of their class.
        alone = sys.modules.setdefault(name, module) is module
        try:
            exec(compile(source, f"<{name}>", "exec"), module.__dict__)
        except BaseException:
            del self._modules[name]
            raise
        finally:
            if alone:
                del sys.modules[name]

    def _import(self, name: str, *where: Any) -> Any:
        """`import` as the packed modules see it: among each other, they see each other."""
        fromlist = where[2] if len(where) > 2 else ()
        if fromlist and self._sources is not None and (name in self._sources or name == BOOTSTRAP_MODULE):
            return self._load(name)
        return builtins.__import__(name, *where)

    def _publish(self) -> None:
        """Let functions of users find what they refer to; a turgo that is installed keeps its own names."""
        with self._lock:
            self._load("turgo._version")
            for name in ("turgo.worker.context",) if _is_installed() else PUBLIC_MODULES:
                if self._sources is not None and name in self._sources:
                    module = sys.modules.setdefault(name, self._load(name))
                    package, _, child = name.rpartition(".")
                    if package:
                        setattr(sys.modules[package], child, module)


class _Method:
    """A method of WorkerCode, pickled by its name; cloudpickle would look for the module of its function."""

    def __init__(self, worker_code: WorkerCode, name: str) -> None:
        self.worker_code, self.name = worker_code, name

    def __call__(self, *args: Any) -> Any:
        return getattr(self.worker_code, self.name)(*args)

    def __reduce__(self) -> tuple[Any, ...]:
        return getattr, (self.worker_code, self.name)


class ShippedFunction:
    """A function of turgo that can be called on workers without turgo."""

    def __init__(self, worker_code: WorkerCode, path: str) -> None:
        self.worker_code, self.path = worker_code, path
        self.__name__ = path.rpartition(":")[2]

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        return self.worker_code.load(self.path)(*args, **kwargs)

    def __reduce__(self) -> tuple[Any, ...]:
        return _Method(self.worker_code, "function"), (self.path,)


class InstalledFunction:
    """A function of turgo within a payload: whoever opens that has the worker code of this tag already."""

    def __init__(self, tag: str, path: str) -> None:
        self.tag = tag
        self.path = path

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        return sys.modules[self.tag].worker_code.load(self.path)(*args, **kwargs)

    def __reduce__(self) -> tuple[Any, ...]:
        return eval, (INSTALLED_EXPRESSION, {"tag": self.tag, "path": self.path})


class Payload:
    """A pickle for another process, and the large buffers of arrays that are no part of it.

    A pickler that takes buffers out of band (protocol 5) gets them as they lie in memory, so that nothing is copied on
    the way to it; any other copies them. worker_code: for a payload that goes where turgo may not be.
    """

    __slots__ = ("blob", "buffers", "worker_code")

    def __init__(self, blob: bytes, *buffers: Any, worker_code: WorkerCode | None = None) -> None:
        self.blob = blob
        self.buffers = buffers
        self.worker_code = worker_code

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        wrap: Any = pickle.PickleBuffer if protocol >= 5 else bytearray
        parts = (self.blob, *map(wrap, self.buffers))
        if self.worker_code is None:
            return Payload, parts
        return _Method(self.worker_code, "payload"), parts

    def __sizeof__(self) -> int:
        return len(self.blob) + sum(memoryview(buffer).nbytes for buffer in self.buffers)

    def open(self) -> Any:
        """What was put in. Raises what unpickling raises."""
        return pickle.loads(self.blob, buffers=self.buffers)


def opened(tag: str, boot: bytes, packed: bytes, packer: str) -> WorkerCode:
    """The worker code of this process: that of the turgo which is installed here, if it is the same."""
    worker_code = _installed(tag, packer) or WorkerCode(tag, boot, packed, packer)
    module = types.ModuleType(tag, __doc__)
    module.__dict__.update({name: value for name, value in globals().items() if not name.startswith("__")})
    module.__dict__["worker_code"] = worker_code
    first: WorkerCode = sys.modules.setdefault(tag, module).worker_code  # two threads may come here at once
    return first


def _is_installed() -> bool:
    try:
        found = importlib.import_module("turgo")
    except ImportError:
        return False
    return found.__spec__ is not None  # else another version has published its own here


def _installed(tag: str, packer: str) -> WorkerCode | None:
    module, _, name = packer.partition(":")
    try:
        worker_code: WorkerCode | None = getattr(importlib.import_module(module), name)()
    except ImportError:
        return None
    return worker_code if worker_code is not None and worker_code.tag == tag else None
