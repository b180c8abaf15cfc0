"""What a failed start leaves is ended, processes that are only just starting too."""

from __future__ import annotations

import time

import psutil
import pytest

from turgo.errors import ExecutorStartError
from turgo_dask import DaskExecutor


@pytest.mark.parametrize("seconds", [0.3, 0.6, 1.0, 1.5])
def test_processes_that_are_just_starting_are_ended_too(seconds: float) -> None:
    """A local cluster that has not enough time, whatever its nannies are at just then."""
    children = set(psutil.Process().children(recursive=True))
    options = {"n_workers": 4, "threads_per_worker": 1, "preload": "import time; time.sleep(30)"}
    with pytest.raises(ExecutorStartError, match="LocalCluster did not come up"):
        DaskExecutor(cluster_kwargs=options, start_timeout=seconds, debug=False).start().__enter__()
    end = time.monotonic() + 20
    while left := [
        each
        for each in set(psutil.Process().children(recursive=True)) - children
        if each.is_running() and "resource_tracker" not in " ".join(each.cmdline())
    ]:
        assert time.monotonic() < end, left
        time.sleep(0.05)
