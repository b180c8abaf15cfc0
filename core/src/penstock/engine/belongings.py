"""What belongs to a flow and is not on other machines: the modules that lie in the folder of its file or script.

Their functions and classes travel by value, as those of the flow's file itself do; what was installed travels by name.
A task that another one calls travels as its function alone, to a worker that has no penstock.
"""

from __future__ import annotations

import io
import sys
import threading
from collections import ChainMap
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any, ClassVar

import cloudpickle

from penstock import context
from penstock.engine.carried import Carrier
from penstock.engine.portable import FAITHFUL, large_buffers
from penstock.flows import shapes
from penstock.flows.task import Task
from penstock.sources import PREFIX

STAND_IN = "penstock.flows.standing:task_here"

_OURS = (
    shapes,
    context,
)  # functions of tasks that no user wrote, and `current`: of this version wherever they run
_INSTALLED = ("site-packages", "dist-packages")
_lock = threading.RLock()  # the list of cloudpickle is one for the whole process


def dumps(value: Any, callback: Callable[[Any], bool] | None = None) -> bytes:
    """What `cloudpickle.dumps` makes of a value, with the errors in it as they are."""
    file = io.BytesIO()
    _Faithful(file, protocol=5, buffer_callback=callback).dump(value)
    return file.getvalue()


class Belongings:
    """Pickles for workers that may have neither penstock nor the flow's files."""

    def __init__(self, carrier: Carrier) -> None:
        self.carrier = carrier
        self._count = 0
        self._modules: list[ModuleType] = []

    def dumps(self, value: Any, buffers: list[Any] | None = None) -> bytes:
        """A pickle of `value`, with its large buffers beside it in `buffers` if those are given.

        Code of the modules is in it by value, unless it is of a kind that cannot be.
        """
        modules = self._found()
        if modules:
            try:
                with _by_value(modules):
                    return self._pickled(value, buffers)
            except Exception:  # noqa: BLE001  (a module that holds a lock, a file …: perhaps the workers have it)
                if buffers is not None:
                    buffers.clear()
        return self._pickled(value, buffers)

    def _pickled(self, value: Any, buffers: list[Any] | None) -> bytes:
        file = io.BytesIO()
        callback = None if buffers is None else large_buffers(buffers)
        pickler = _Pickler(file, protocol=5, buffer_callback=callback)
        pickler.carrier = self.carrier
        pickler.dump(value)
        return file.getvalue()

    def _found(self) -> list[ModuleType]:
        """Looked for again only where something was imported since."""
        if len(sys.modules) != self._count:
            modules = dict(sys.modules)
            self._count = len(modules)
            folders = set(_folders(modules))
            self._modules = [
                module
                for name, module in modules.items()
                if "." not in name and not name.startswith((PREFIX, "__")) and _home(module) in folders
            ]
        return self._modules


class _Faithful(cloudpickle.CloudPickler):  # type: ignore[misc]  # cloudpickle carries no types
    dispatch_table: ClassVar[Any] = ChainMap(dict(FAITHFUL), *cloudpickle.CloudPickler.dispatch_table.maps)


class _Pickler(_Faithful):
    carrier: Carrier

    def reducer_override(self, obj: Any) -> Any:
        if type(obj) is Task:
            policy = cloudpickle.dumps(obj.policy)
            return self.carrier.call(STAND_IN), (obj.fn, policy, obj.name)
        name = obj.__name__ if type(obj) is FunctionType else ""
        for module in _OURS if name else ():
            if getattr(module, name, None) is obj:
                return self.carrier.call(f"{module.__name__}:{name}").__reduce__()
        return super().reducer_override(obj)


def _folders(modules: dict[str, ModuleType]) -> Iterator[Path]:
    """The folders of flow files, and of the script that runs; not that of a command which was installed."""
    for name, module in modules.items():
        if name == "__main__" or name.startswith(PREFIX):
            file = _file(module)
            if file is not None:
                yield file.parent


def _home(module: ModuleType) -> Path | None:
    """The folder that a module or package was found in; None for one that was installed, or has no file."""
    file = _file(module)
    if file is None:
        return None
    return file.parent.parent if file.name == "__init__.py" else file.parent


def _file(module: ModuleType) -> Path | None:
    path = getattr(module, "__dict__", {}).get("__file__")
    if not isinstance(path, str) or not path.endswith(".py"):
        return None
    file = Path(path)
    return None if any(part in _INSTALLED for part in file.parts) else file.resolve()


@contextmanager
def _by_value(modules: Iterable[ModuleType]) -> Iterator[None]:
    with _lock:
        known = cloudpickle.list_registry_pickle_by_value()
        ours = [module for module in modules if module.__name__ not in known]
        for module in ours:
            cloudpickle.register_pickle_by_value(module)
        try:
            yield
        finally:
            for module in ours:
                cloudpickle.unregister_pickle_by_value(module)
