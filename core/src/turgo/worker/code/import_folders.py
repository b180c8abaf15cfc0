"""Folders that a process imports from, and the processes that it starts.

add_import_folder(folder) ──> sys.path, PYTHONPATH
write_source(module) ──> the file is here: its folder
                     └─> it is not: a folder of this machine, into which the file is written
"""

from __future__ import annotations

import importlib.machinery
import os
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

FOLDERS_KEY = "__turgo_folders__"
"""The fact of a module where the driver has found the modules of its flow."""


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


def write_source(name: str, facts: Mapping[str, Any], packed: bytes) -> None:
    """See to it that processes started from here can import the file of a module.

    facts: of the module, `__file__` and FOLDERS_KEY among them. packed: its text, by zlib.
    """
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
