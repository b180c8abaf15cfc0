"""Modules that a function imports while it runs: their files, and those that these import."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from turgo.identity.imports import imported_within, sources_of


@pytest.fixture
def beside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[dict[str, str]], None]:
    """Writes modules into a folder that is on the path."""
    monkeypatch.syspath_prepend(tmp_path)

    def write(files: dict[str, str]) -> None:
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(exist_ok=True, parents=True)
            path.write_text(text)

    return write


def labels(fn: Any) -> list[str]:
    """The labels of the files."""
    return [label for _, label in sources_of(imported_within(fn))]


def test_all_ways_of_importing_are_seen(beside: Callable[[dict[str, str]], None]) -> None:
    """Whole modules, parts of packages, names from modules, in functions within; none of it is imported for that."""
    beside(
        {
            "turgo_t_a.py": "",
            "turgo_t_p/__init__.py": "",
            "turgo_t_p/b.py": "",
            "turgo_t_p/c.py": "import nothing",
        }
    )

    def uses() -> None:
        import json  # noqa: F401

        import turgo_t_a  # noqa: F401
        from turgo_t_p import b  # noqa: F401

        def deeper() -> None:
            from turgo_t_p.c import nothing  # noqa: F401

    assert labels(uses) == ["turgo_t_a.py", "turgo_t_p.py", "turgo_t_p/b.py", "turgo_t_p/c.py"]
    assert "turgo_t_a" not in sys.modules


def test_what_is_imported_in_turn_is_read_from_the_text(beside: Callable[[dict[str, str]], None]) -> None:
    """Relative imports too, in circles too; a file that is no Python counts by itself."""
    beside(
        {
            "turgo_t_q/__init__.py": "from . import one",
            "turgo_t_q/one.py": "from .two import x",
            "turgo_t_q/two.py": "import turgo_t_q.one, turgo_t_broken",
            "turgo_t_broken.py": "def (",
        }
    )

    def uses() -> None:
        import turgo_t_q.one  # noqa: F401

    assert labels(uses) == ["turgo_t_broken.py", "turgo_t_q.py", "turgo_t_q/one.py", "turgo_t_q/two.py"]
