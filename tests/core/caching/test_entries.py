"""Entries: what comes back is what went in, or an error; never something else."""

import random
import sys
import threading
import types
from collections.abc import Callable

import pytest

from turgo.caching.entries import open_entry, pack, written
from turgo.errors import CorruptEntryError

KEY = "ab" * 20


def made_here(value: int) -> Callable[[], int]:
    return lambda: value


def test_an_entry_brings_the_value_back() -> None:
    """With the time of writing; a lambda too, which pickle alone could not take."""
    entry = pack(KEY, {"a": [1, 2]}, 1234.5)
    assert open_entry(KEY, entry) == {"a": [1, 2]}
    assert written(entry) == 1234.5
    assert open_entry(KEY, pack(KEY, made_here(3), 0.0))() == 3


def test_every_flipped_byte_and_every_cut_is_found() -> None:
    """Wherever the damage is: in the head, in the time, in the value."""
    entry = pack(KEY, list(range(20)), 1234.5)
    for at in range(len(entry)):
        damaged = bytearray(entry)
        damaged[at] ^= 1 << random.Random(at).randrange(8)
        with pytest.raises(CorruptEntryError):
            open_entry(KEY, bytes(damaged))
        with pytest.raises(CorruptEntryError):
            open_entry(KEY, entry[:at])


def test_an_entry_of_another_key_is_damaged() -> None:
    """One that was copied to another place is not that place's value."""
    with pytest.raises(CorruptEntryError):
        open_entry("cd" * 20, pack(KEY, 1, 0.0))


def test_a_value_that_cannot_be_opened_here_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its class is gone: the entry is of no use, and the message says why."""
    module = types.ModuleType("went_away")
    exec("class Row: pass", module.__dict__)
    monkeypatch.setitem(sys.modules, "went_away", module)
    entry = pack(KEY, module.Row(), 0.0)
    del module.Row
    with pytest.raises(CorruptEntryError, match="cannot be unpickled here"):
        open_entry(KEY, entry)


def test_a_value_that_cannot_be_pickled_is_an_error() -> None:
    """It is the caller's to say that it is not kept."""
    with pytest.raises(TypeError):
        pack(KEY, threading.Lock(), 0.0)
