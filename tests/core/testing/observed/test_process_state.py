"""The state of the process: what of it changed, and that it can be put back."""

import gc
import locale
import logging
import os
import signal
import socket
import sys
import warnings

import pytest

from turgo.testing.observed.process_state import ProcessState

CHANGES = {
    "the current folder": lambda: os.chdir("/"),
    "the variable TURBINE": lambda: os.environ.update(TURBINE="open"),
    "the handler of SIGUSR2": lambda: signal.signal(signal.SIGUSR2, signal.SIG_IGN),
    "the umask": lambda: os.umask(0o077),
    "filters of warnings": lambda: warnings.simplefilter("ignore", ResourceWarning),
    "the locale": lambda: locale.setlocale(
        locale.LC_NUMERIC, "C.UTF-8" if locale.setlocale(locale.LC_NUMERIC) == "C" else "C"
    ),
    "the level of the root logger": lambda: logging.getLogger().setLevel(7),
    "handlers of the root logger": lambda: logging.getLogger().addHandler(logging.NullHandler()),
    "sys.excepthook": lambda: setattr(sys, "excepthook", print),
    "the limit of recursion": lambda: sys.setrecursionlimit(sys.getrecursionlimit() + 1),
    "the timeout of sockets": lambda: socket.setdefaulttimeout(77),
    "the collection of garbage": gc.disable,
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_is_changed_is_named_and_put_back(change):
    """Each by itself, in a sentence."""
    state = ProcessState.now()
    try:
        CHANGES[change]()
        (sentence,) = state.changes(ProcessState.now())
        assert sentence.startswith(change)
    finally:
        state.restore()
    assert list(state.changes(ProcessState.now())) == []


def test_values_of_variables_are_not_shown(monkeypatch):
    """Some are secret."""
    state = ProcessState.now()
    monkeypatch.setenv("TURBINE_TOKEN", "s3cr3t")
    changed = list(state.changes(ProcessState.now()))
    assert changed == ["the variable TURBINE_TOKEN is another than before"]
    assert "s3cr3t" not in repr(ProcessState.now())
