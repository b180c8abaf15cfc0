"""What the tests of shipped code share."""

import sys

import pytest


@pytest.fixture
def names(monkeypatch):
    """Modules that a test makes are gone afterwards."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        del sys.modules[name]
