"""Whether distributed finds its dashboard is settled before clusters start."""

from __future__ import annotations

import importlib
import importlib.machinery
import importlib.util
import sys

import pytest

from turgo_dask.cluster.dashboard import MODULES, dashboard_settled


def test_without_bokeh_the_import_fails_at_once_and_only_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    """Afterwards a bokeh that was installed since is found."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    for name in MODULES:
        monkeypatch.delitem(sys.modules, name, raising=False)
    with dashboard_settled():
        for name in MODULES:
            with pytest.raises(ModuleNotFoundError):
                importlib.import_module(name)
    assert not set(MODULES) & sys.modules.keys()


def test_with_bokeh_the_modules_are_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """And stay."""
    spec = importlib.machinery.ModuleSpec("bokeh", None)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: spec)
    imported: list[str] = []
    monkeypatch.setattr(importlib, "import_module", imported.append)
    with dashboard_settled():
        assert tuple(imported) == MODULES
