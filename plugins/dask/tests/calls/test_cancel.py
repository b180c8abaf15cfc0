"""A call that waits is cancelled for certain."""

from __future__ import annotations

import time
from concurrent.futures import CancelledError
from typing import Any

import pytest

from turgo_dask import DaskExecutor


def test_calls_that_wait_are_taken_back_for_certain(cluster: DaskExecutor, tmp_path: Any) -> None:
    """When `cancel` returns, no worker has a cancelled call before it."""
    gate = tmp_path / "gate"

    def wait_for_gate() -> None:
        while not gate.exists():
            time.sleep(0.01)

    occupants = [cluster.submit(wait_for_gate) for _ in range(cluster.slots)]
    calls = [cluster.submit((tmp_path / str(number)).touch) for number in range(30)]
    assert cluster.cancel(calls) == 30
    gate.touch()
    cluster.wait(occupants)
    cluster.wait(cluster.map(abs, range(10)))
    assert [path.name for path in tmp_path.iterdir()] == ["gate"]
    with pytest.raises(CancelledError):
        calls[0].result()
