"""What workers call around the calls of a driver."""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from turgo_dask.slots.shipped import taking, telling

OPENS = """
import pickle, sys
sys.modules["turgo_dask"] = None  # as on a worker that has nothing of it
fn, args = pickle.loads(sys.stdin.buffer.read())
print(fn.__name__, *args[:2])
"""


@pytest.mark.parametrize("made", [telling, taking])
def test_a_worker_needs_nothing_of_ours_to_open_it(made: Callable[..., Any]) -> None:
    """It has distributed alone."""
    shipped = pickle.dumps(made("topic", "key", max, (1, 2)))
    ran = subprocess.run([sys.executable, "-c", OPENS], input=shipped, capture_output=True, check=False)
    assert ran.stdout.split()[1:] == [b"topic", b"key"], ran.stderr
