"""What belongs to the whole process, and is to be as it was once an executor is left."""

from __future__ import annotations

import gc
import locale
import logging
import os
import signal
import socket
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import attrs

IMPORT_PATH = "folders of the import path"


@attrs.frozen
class ProcessState:
    """The state of this process at one moment. values: by names for people; variables: of the environment."""

    values: dict[str, Any]
    variables: dict[str, str] = attrs.field(repr=False)  # some are secret

    @classmethod
    def now(cls) -> ProcessState:
        """The present one."""
        mask = os.umask(0o022)
        os.umask(mask)
        handlers = {
            number.name: signal.getsignal(number) for number in signal.Signals if number != signal.SIGALRM
        }
        values = {
            "the current folder": os.getcwd(),
            "the variable": {name: hash(value) for name, value in os.environ.items()},
            "the handler of": handlers,
            "the umask": mask,
            "filters of warnings": list(warnings.filters),
            "the locale": locale.setlocale(locale.LC_ALL),
            "the level of the root logger": logging.getLogger().level,
            "handlers of the root logger": list(logging.getLogger().handlers),
            "sys.excepthook": sys.excepthook,
            "threading.excepthook": threading.excepthook,
            "the limit of recursion": sys.getrecursionlimit(),
            "the timeout of sockets": socket.getdefaulttimeout(),
            "the collection of garbage": gc.isenabled(),
            IMPORT_PATH: list(sys.path),
        }
        return cls(values, dict(os.environ))

    def restore(self) -> None:
        """Make the process what it was then; the import path aside, as what was imported since stays."""
        values = self.values
        with suppress(OSError):  # the folder may be gone
            os.chdir(values["the current folder"])
        _restore_variables(self.variables)
        _restore_handlers(values["the handler of"])
        os.umask(values["the umask"])
        warnings.resetwarnings()  # which also has Python forget what it has filtered
        warnings.filters[:] = values["filters of warnings"]  # type: ignore[index]  # it is a list
        locale.setlocale(locale.LC_ALL, values["the locale"])
        root = logging.getLogger()
        root.setLevel(values["the level of the root logger"])
        root.handlers[:] = values["handlers of the root logger"]
        sys.excepthook = values["sys.excepthook"]
        threading.excepthook = values["threading.excepthook"]
        sys.setrecursionlimit(values["the limit of recursion"])
        socket.setdefaulttimeout(values["the timeout of sockets"])
        (gc.enable if values["the collection of garbage"] else gc.disable)()

    def changes(self, now: ProcessState) -> Iterator[str]:
        """A sentence for each thing that is not as it was: of a mapping for each key, of a list for each entry."""
        for name, was in self.values.items():
            is_now = now.values[name]
            if isinstance(was, dict):
                keys = sorted(key for key in was.keys() | is_now.keys() if was.get(key) != is_now.get(key))
                yield from (f"{name} {key} is another than before" for key in keys)
            elif isinstance(was, list) and was != is_now:
                more = [each for each in is_now if each not in was]
                less = [each for each in was if each not in is_now]
                yield (
                    f"{name}: {more} came and {less} went" if more or less else f"{name} are in another order"
                )
            elif was != is_now:
                yield f"{name} is {is_now!r} instead of {was!r}"


def _restore_variables(variables: dict[str, str]) -> None:
    for name in os.environ.keys() - variables.keys():
        del os.environ[name]
    for name, value in variables.items():
        if os.environ.get(name) != value:
            os.environ[name] = value


def _restore_handlers(handlers: dict[str, Any]) -> None:
    for name, handler in handlers.items():
        number = signal.Signals[name]
        if handler is not None and signal.getsignal(number) != handler:  # one of C can only be left
            signal.signal(number, handler)
