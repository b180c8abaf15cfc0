"""Packs the source of the worker's modules, to be shipped with calls. See `worker.code.bootstrap`.

What is packed is found by following the imports of the modules that run a batch: nothing is listed twice.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import re
import zlib
from collections.abc import Callable, Mapping
from functools import lru_cache
from importlib.abc import InspectLoader
from pathlib import Path
from typing import Any

from turgo._version import __version__
from turgo.worker.code.bootstrap import BOOTSTRAP_MODULE, PUBLIC_MODULES, WorkerCode

EXECUTING_MODULES = ("turgo.worker.execute", "turgo.worker.functions", "turgo.worker.code.definitions")
"""The modules that execute a batch, and what its functions refer to."""

PACKER = f"{__name__}:own_worker_code"
"""Where a worker with turgo installed finds its own code; the payload holds it as data."""


TEXT_EXPRESSION = "exec(text, space) or space[name]"
"""Gives a function of a module in any process, by its text."""

# No parser: that of Python 3.11 fails if two threads use it at once.
_IMPORT = re.compile(r"^from (turgo\.[\w.]+) import", re.MULTILINE)
_DOCSTRING = re.compile(r'^( *)"""(?:[^"\\]|\\.|"(?!""))*"""\n', re.MULTILINE | re.DOTALL)
_INDENT = re.compile(r"^(?: {4})+", re.MULTILINE)
_FOR_TYPES = re.compile(r"^if TYPE_CHECKING:\n(?: +.*\n)+", re.MULTILINE)
_TYPE = (
    r"(?:[A-Z][a-z]\w*|int|str|bool|bytes|float|type|object|array|list|dict|tuple|set|[a-z]+\.[A-Z]\w+)"
    r"(?:\[[^][\n]*(?:\[[^][\n]*\][^][\n]*)*\])?"
)
_HINTS = re.compile(
    rf"(?<=\)) -> [^:\n]+(?=:$)|(?<=\w): {_TYPE}(?: \| (?:{_TYPE}|None))*"
    r"(?=[,)]|\n *\)| = (?:[\w.\"-]+|\(\))(?:[,)]|\n *\)))",
    re.MULTILINE,
)
_COMMENT = re.compile(r"(^ *|  )# .*$", re.MULTILINE)


@lru_cache(maxsize=1)
def own_worker_code() -> WorkerCode | None:
    """The code of this version; None where turgo is installed without its sources."""
    sources: dict[str, str] = {}
    ahead = [
        BOOTSTRAP_MODULE,
        *EXECUTING_MODULES,
        *(name for name in PUBLIC_MODULES if importlib.util.find_spec(name)),
    ]
    while ahead:
        name = ahead.pop()
        if name not in sources:
            source = _source(name)
            if source is None:
                return None
            sources[name] = source
            ahead += _imports(source)
    digest = hashlib.sha256(json.dumps(sources, sort_keys=True).encode()).hexdigest()[:12]
    boot = zlib.compress(_bare(sources.pop(BOOTSTRAP_MODULE)).encode(), 9)
    deep_first = sorted(
        sources, key=lambda name: (-name.count("."), name)
    )  # like beside like: it packs better
    slim = {name: _bare(sources[name]) for name in deep_first}
    return WorkerCode(f"turgo_{__version__}_{digest}", boot, packed(slim), PACKER, own=True)


class TextFunction:
    """A function of a module that needs the standard library alone, shipped as the text of its module.

    For what few runs need, and so is no part of the worker code of all. Raises LookupError without the text.
    """

    def __init__(self, fn: Callable[..., Any]) -> None:
        source = _source(fn.__module__)
        if source is None:
            raise LookupError(fn.__module__)
        self.fn = fn
        self.__name__ = fn.__name__
        self._text = _bare(source)

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        return self.fn(*args, **kwargs)

    def __reduce__(self) -> tuple[Any, ...]:
        space = {"__name__": "turgo_" + self.fn.__module__.rpartition(".")[2]}
        return eval, (TEXT_EXPRESSION, {"text": self._text, "space": space, "name": self.__name__})


def packed(sources: Mapping[str, str]) -> bytes:
    """Modules by name as a `WorkerCode` holds them: what JSON escapes would take some more of each message."""
    return zlib.compress("\0".join(text for each in sources.items() for text in each).encode(), 9)


def _source(name: str) -> str | None:
    spec = importlib.util.find_spec(name)
    if spec is None or spec.loader is None:
        return None
    if isinstance(spec.loader, InspectLoader):
        return spec.loader.get_source(name)
    file = Path(spec.origin or "")  # a loader that rewrites what it loads, as that of pytest
    return file.read_text("utf-8") if file.suffix == ".py" else None


def _imports(source: str) -> list[str]:
    """The modules of turgo that a module needs to be imported; those that a function imports are not among them."""
    return _IMPORT.findall(source)


def _bare(source: str) -> str:
    """The same lines with less in them: nothing of docstrings, comments and what is for type checkers alone."""
    bare = _FOR_TYPES.sub(lambda found: "\n" * found[0].count("\n"), source)
    bare = _HINTS.sub("", bare)
    bare = _DOCSTRING.sub(
        lambda found: (found[1] + "0" if found[1] else '""') + "\n" * found[0].count("\n"), bare
    )
    return _INDENT.sub(lambda found: " " * (len(found[0]) // 4), _COMMENT.sub("", bare))
