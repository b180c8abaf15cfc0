"""Finds the modules that belong to a flow. They lie where its tasks are defined.

    tasks ──> their modules ──> the folders these were found in ──> every module that was found in one of them

Whatever program was started: `turgo run`, a script, `python -m pkg.flow`, a notebook, pytest, an installed command.
What is installed, in `site-packages` or with Python itself, belongs to no flow.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any

from turgo.flows.task import AnyTask
from turgo.registry.source_files import MAIN, OURS, PREFIX, is_installed, is_installed_name

MP_MAIN = "__mp_main__"
"""What multiprocessing calls the script as well."""


class FlowCode:
    """The modules of the flow that has these tasks. folders: where those that define the tasks were found."""

    def __init__(self, tasks: Iterable[AnyTask]) -> None:
        self._roots = {name for task in tasks for name in _defining(task.fn)}
        self._count = 0
        self._modules: dict[str, ModuleType] = {}
        self.folders: set[Path] = set()

    @property
    def modules(self) -> dict[str, ModuleType]:
        """Those that are imported by now, by the names that they are imported by."""
        if len(sys.modules) != self._count:
            loaded = dict(sys.modules)
            self._count = len(loaded)
            self._modules = self._found(loaded)
        return self._modules

    def _found(self, loaded: dict[str, ModuleType]) -> dict[str, ModuleType]:
        roots = [name for name in self._roots if name in loaded]
        folders = self.folders = {folder for name in roots for folder in _folders(name, loaded)}
        main = loaded.get(MAIN)
        tops = {name.partition(".")[0] for name in loaded}.difference(OURS)
        beside = {top for top in tops if not _folders(top, loaded).isdisjoint(folders)}
        own = {
            name: module
            for name, module in loaded.items()
            if (name.partition(".")[0] in beside or name in roots or name.startswith(PREFIX))
            and name != MP_MAIN
        }
        if main is not None and any(module is main for name, module in own.items() if name != MAIN):
            own.pop(MAIN, None)  # it has a name of its own; see `main_script`
        return own


def _defining(fn: Any) -> Iterator[str]:
    """The modules that a function of a task was defined in, and those that it was decorated in."""
    seen: list[Any] = []
    while fn is not None and not any(fn is each for each in seen):
        seen.append(fn)
        module = getattr(fn, "__module__", None)
        if isinstance(module, str) and not is_installed_name(module):
            yield module
        fn = getattr(fn, "func", None) or getattr(fn, "__func__", None) or getattr(fn, "__wrapped__", None)


def _folders(name: str, loaded: dict[str, ModuleType]) -> AbstractSet[Path]:
    """The folders that the top of a module was found in; none of what was installed, the working one for a notebook."""
    top = loaded.get(name.partition(".")[0])
    path = getattr(top, "__file__", None)
    if top is None:
        return set()
    if path is None and name == MAIN:
        return {Path.cwd()}
    if isinstance(path, str):
        return _folders_of_file(path)
    places = [Path(each) for each in getattr(top, "__path__", ())]  # a package without `__init__.py`
    return {place.resolve().parent for place in places if not is_installed(place)}


@lru_cache(
    maxsize=4096
)  # each run asks for all that is imported, which takes as long as ten thousand quick calls
def _folders_of_file(path: str) -> frozenset[Path]:
    file = Path(path)
    if file.suffix != ".py" or is_installed(file):
        return frozenset()
    file = file.resolve()
    return frozenset([file.parent.parent if file.name == "__init__.py" else file.parent])
