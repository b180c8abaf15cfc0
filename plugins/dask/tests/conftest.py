"""One small cluster with processes, shared by those tests of a module that leave it as they found it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from penstock_dask import DaskExecutor

TWO_WORKERS = {"n_workers": 2, "threads_per_worker": 1}


@pytest.fixture(scope="module")
def cluster() -> Iterator[DaskExecutor]:
    """A started executor on a temporary cluster of two processes."""
    with DaskExecutor(cluster_kwargs=TWO_WORKERS, debug=False).start() as executor:
        yield executor


@pytest.fixture
def small() -> DaskExecutor:
    """An executor of one's own, not started, for tests that break what they use."""
    return DaskExecutor(cluster_kwargs=TWO_WORKERS, debug=False)
