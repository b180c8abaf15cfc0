"""The packed code of the worker: what is in it, and what of each module is left out."""

from __future__ import annotations

import ast
import sys
import zlib

import turgo.worker.execute
from turgo._version import __version__
from turgo.engine.transport.worker_code import own_worker_code

CODE = own_worker_code()


def sources() -> dict[str, str]:
    """The modules that are packed, by their names."""
    assert CODE is not None
    texts = zlib.decompress(CODE.packed).decode().split("\0")
    return dict(zip(texts[::2], texts[1::2], strict=True))


def test_all_that_executes_a_batch_is_packed() -> None:
    """What it imports of turgo is there too, and nothing of the driver's side."""
    names = set(sources())
    assert {"turgo.worker.execute", "turgo.worker.functions", "turgo.errors"} <= names
    assert not [name for name in names if name.startswith(("turgo.engine", "turgo.flows", "turgo.registry"))]


def test_what_is_packed_needs_the_standard_library_alone() -> None:
    """Each module can be imported where nothing is installed."""
    for name, source in sources().items():
        for node in ast.parse(source).body:
            if isinstance(node, ast.ImportFrom) and node.module:
                top = node.module.partition(".")[0]
                assert top in sys.stdlib_module_names or node.module in {
                    *sources(),
                    "turgo.worker.code.bootstrap",
                }, name


def test_docstrings_and_comments_stay_behind() -> None:
    """The lines keep their numbers, so that a traceback is right."""
    packed = sources()["turgo.worker.execute"]
    assert not ast.get_docstring(ast.parse(packed))
    assert not [line for line in packed.splitlines() if line.lstrip().startswith("#")]
    with open(turgo.worker.execute.__file__, encoding="utf-8") as file:
        assert len(packed.splitlines()) == len(file.read().splitlines())


def test_the_code_is_named_by_version_and_content() -> None:
    """It is packed once in a process; other code has another name."""
    assert CODE is not None and CODE is own_worker_code()
    assert CODE.tag.startswith(f"turgo_{__version__}_") and CODE.own
