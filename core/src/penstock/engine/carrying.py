"""Packing the engine's worker-side code, so that it can travel with the calls; see `carried`.

What is packed is found by following the imports of the modules that run a batch: nothing is listed twice.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import re
import zlib
from functools import lru_cache
from importlib.abc import InspectLoader
from pathlib import Path

from penstock._version import __version__
from penstock.engine.carried import HERE, PUBLIC, Carrier

RUNS = ("penstock.engine.work", "penstock.flows.standing", "penstock.flows.shapes")
"""The modules that run a batch, and what its functions refer to."""


# No parser: that of Python 3.11 fails if two threads use it at once.
_IMPORT = re.compile(r"^from (penstock\.[\w.]+) import", re.MULTILINE)
_DOCSTRING = re.compile(r'^( *)"""(?:[^"\\]|\\.|"(?!""))*"""\n', re.MULTILINE | re.DOTALL)
_COMMENT = re.compile(r"^ *#.*$", re.MULTILINE)


@lru_cache(maxsize=1)
def engine_carrier() -> Carrier | None:
    """The carrier of this version; None where penstock is installed without its sources."""
    sources: dict[str, str] = {}
    ahead = [HERE, *RUNS, *(name for name in PUBLIC if importlib.util.find_spec(name))]
    while ahead:
        name = ahead.pop()
        if name not in sources:
            source = _source(name)
            if source is None:
                return None
            sources[name] = source
            ahead += _imports(source)
    digest = hashlib.sha256(json.dumps(sources, sort_keys=True).encode()).hexdigest()[:12]
    boot = zlib.compress(sources.pop(HERE).encode(), 9)
    slim = {name: _bare(source) for name, source in sources.items()}
    packed = zlib.compress(json.dumps(slim).encode(), 9)
    return Carrier(f"penstock_{__version__}_{digest}", boot, packed, own=True)


def _source(name: str) -> str | None:
    spec = importlib.util.find_spec(name)
    if spec is None or spec.loader is None:
        return None
    if isinstance(spec.loader, InspectLoader):
        return spec.loader.get_source(name)
    file = Path(spec.origin or "")  # a loader that rewrites what it loads, as that of pytest
    return file.read_text("utf-8") if file.suffix == ".py" else None


def _imports(source: str) -> list[str]:
    """The modules of penstock that a module needs to be imported; those that a function imports are not among them."""
    return _IMPORT.findall(source)


def _bare(source: str) -> str:
    """The same lines; those of docstrings and comments are empty."""
    bare = _DOCSTRING.sub(lambda found: found[1] + '""' + "\n" * found[0].count("\n"), source)
    return _COMMENT.sub("", bare)
