"""Finds files that hide a module of Python's standard library, as a `queue.py` beside a script does.

What imports that module gets the file: turgo, dask, every process that is started there. What comes of it is an
error that names anything but the file. Needs nothing that could be hidden itself.
"""

from __future__ import annotations

import os
import sys


def hidden_modules() -> str:
    """A sentence on the files that hide modules, as the path is now; empty if there are none."""
    found = [file for folder in _folders() for file in _hiding_files(folder)]
    if not found:
        return ""
    who = f"{found[0]} hides Python's own module of that name" if len(found) == 1 else _several(found)
    return f"{who} from everything that imports it, here and in processes that are started here: rename it"


def _several(files: list[str]) -> str:
    return f"{', '.join(files[:-1])} and {files[-1]} each hide Python's own module of that name"


def add_hidden_modules(error: BaseException) -> None:
    """Have the traceback of an error end with that sentence, if there is one."""
    hidden = hidden_modules()
    if hidden and hidden not in getattr(error, "__notes__", ()):
        error.add_note(hidden)


def _folders() -> list[str]:
    """Those that are searched before the standard library."""
    library = os.path.dirname(os.__file__)
    folders = [os.path.abspath(os.fsdecode(folder)) for folder in sys.path]
    before = folders[: folders.index(library)] if library in folders else []
    return list(dict.fromkeys(before))


def _hiding_files(folder: str) -> list[str]:
    try:
        names = sorted(os.listdir(folder))
    except OSError:  # no folder: a zip file, or it is gone
        return []
    return [
        os.path.join(folder, name)
        for name in names
        if name.removesuffix(".py") in sys.stdlib_module_names
        and (name.endswith(".py") or os.path.isfile(os.path.join(folder, name, "__init__.py")))
    ]
