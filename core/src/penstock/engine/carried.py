"""What travels: parcels, and the engine's own worker-side code for workers that do not have it.

On an executor that runs calls on other machines the engine submits a `Carried` function and gets `Parcel`s back. Both
are pickled as nothing but builtins, an expression that `eval` takes and bytes: this very file, and the modules that
run a batch. Where penstock is installed in the same version, they become its own; elsewhere the code is loaded once for
each process, under names that no other version of it sees. A scheduler that passes them on loads this file alone.

Needs nothing but the standard library, and nothing of penstock.
"""

from __future__ import annotations

import builtins
import importlib
import json
import pickle
import sys
import threading
import types
import zlib
from collections.abc import Callable, Mapping
from typing import Any

OPEN = (
    "getattr(__import__('sys').modules.get(tag), 'carrier', None)"
    " or exec(__import__('zlib').decompress(boot)) or opened(tag, boot, packed)"
)
"""Gives the Carrier in any process: the one that is there, else one made by executing this file."""

HERE = "penstock.engine.carried"
PUBLIC = ("penstock", "penstock.errors", "penstock._version", "penstock.context")
"""What functions of users may refer to: to be imported by its name on a worker that has no penstock."""


class Carrier:
    """The worker-side modules of one version of penstock, by a name (`tag`) that is made from their text.

    boot: this file, packed: a mapping of module names to texts; both compressed. own: whether this process has them
    installed.
    """

    def __init__(self, tag: str, boot: bytes, packed: bytes, *, own: bool = False) -> None:
        self.tag, self.boot, self.packed, self.own = tag, boot, packed, own
        self._found: dict[str, Callable[..., Any]] = {}
        self._lock = threading.RLock()
        self._modules: dict[str, types.ModuleType] = {}
        self._sources: Mapping[str, str] | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        return eval, (
            OPEN,
            {"__name__": self.tag, "tag": self.tag, "boot": self.boot, "packed": self.packed},
        )

    def call(self, path: str) -> Carried:
        """The function at `package.module:name`, in a form that any worker can call."""
        return Carried(self, path)

    def parcel(self, blob: bytes, *buffers: Any) -> Parcel:
        """A parcel that any process can open."""
        return Parcel(blob, *buffers, carrier=self)

    def find(self, path: str) -> Callable[..., Any]:
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
                self._sources = json.loads(zlib.decompress(self.packed))
                self._modules[HERE] = sys.modules[self.tag]
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
        """`import` as the carried modules see it: among each other, they see each other."""
        fromlist = where[2] if len(where) > 2 else ()
        if fromlist and self._sources is not None and (name in self._sources or name == HERE):
            return self._load(name)
        return builtins.__import__(name, *where)

    def _publish(self) -> None:
        """Let functions of users find what they refer to; a penstock that is installed keeps its own names."""
        with self._lock:
            self._load("penstock._version")
            for name in ("penstock.context",) if _is_installed() else PUBLIC:
                if self._sources is not None and name in self._sources:
                    module = sys.modules.setdefault(name, self._load(name))
                    package, _, child = name.rpartition(".")
                    if package:
                        setattr(sys.modules[package], child, module)


class _Method:
    """A method of the carrier, pickled by its name; cloudpickle would look for the module of its function."""

    def __init__(self, carrier: Carrier, name: str) -> None:
        self.carrier, self.name = carrier, name

    def __call__(self, *args: Any) -> Any:
        return getattr(self.carrier, self.name)(*args)

    def __reduce__(self) -> tuple[Any, ...]:
        return getattr, (self.carrier, self.name)


class Carried:
    """A function of penstock that can be called on workers without penstock."""

    def __init__(self, carrier: Carrier, path: str) -> None:
        self.carrier, self.path = carrier, path
        self.__name__ = path.rpartition(":")[2]

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        return self.carrier.find(self.path)(*args, **kwargs)

    def __reduce__(self) -> tuple[Any, ...]:
        return _Method(self.carrier, "call"), (self.path,)


class Parcel:
    """A pickle on its way to another process, and the large buffers of arrays that are no part of it.

    A pickler that takes buffers out of band (protocol 5) gets them as they lie in memory, so that nothing is copied on
    the way to it; any other copies them. carrier: for a parcel that goes where penstock may not be.
    """

    __slots__ = ("blob", "buffers", "carrier")

    def __init__(self, blob: bytes, *buffers: Any, carrier: Carrier | None = None) -> None:
        self.blob = blob
        self.buffers = buffers
        self.carrier = carrier

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        wrap: Any = pickle.PickleBuffer if protocol >= 5 else bytearray
        parts = (self.blob, *map(wrap, self.buffers))
        if self.carrier is None:
            return Parcel, parts
        return _Method(self.carrier, "parcel"), parts

    def __sizeof__(self) -> int:
        return len(self.blob) + sum(memoryview(buffer).nbytes for buffer in self.buffers)

    def open(self) -> Any:
        """What was put in. Raises what unpickling raises."""
        return pickle.loads(self.blob, buffers=self.buffers)


def opened(tag: str, boot: bytes, packed: bytes) -> Carrier:
    """The carrier of this process: that of the penstock which is installed here, if it is the same."""
    carrier = _installed(tag) or Carrier(tag, boot, packed)
    module = types.ModuleType(tag, __doc__)
    module.__dict__.update({name: value for name, value in globals().items() if not name.startswith("__")})
    module.__dict__["carrier"] = carrier
    kept: Carrier = sys.modules.setdefault(tag, module).carrier  # two threads may come here at once
    return kept


def _is_installed() -> bool:
    try:
        importlib.import_module("penstock")
    except ImportError:
        return False
    return True


def _installed(tag: str) -> Carrier | None:
    try:
        carrying = importlib.import_module("penstock.engine.carrying")
    except ImportError:
        return None
    carrier: Carrier | None = carrying.engine_carrier()
    return carrier if carrier is not None and carrier.tag == tag else None
