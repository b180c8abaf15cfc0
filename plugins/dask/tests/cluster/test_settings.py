"""Settings of the whole process, however many clusters are open in it."""

from __future__ import annotations

import os

import dask.config

from turgo_dask.cluster.settings import SharedSettings, set_by_user

KEY = "distributed.admin.tick.interval"


def test_settings_are_restored_when_the_last_user_leaves() -> None:
    """Whoever came first may leave first: the other one keeps them, and nothing stays afterwards."""
    before = dask.config.get(KEY)
    shared = SharedSettings({KEY: "7s"})
    first, second = shared.applied(), shared.applied()
    first.__enter__()
    second.__enter__()
    assert dask.config.get(KEY) == "7s"
    first.__exit__(None, None, None)
    assert dask.config.get(KEY) == "7s"
    second.__exit__(None, None, None)
    assert dask.config.get(KEY) == before
    with shared.applied():
        assert dask.config.get(KEY) == "7s"
    assert dask.config.get(KEY) == before


def test_what_the_user_has_set_is_left_alone() -> None:
    """Before and afterwards."""
    with dask.config.set({KEY: "3s"}):
        assert set_by_user(KEY)
        with SharedSettings({KEY: "7s"}).applied():
            assert dask.config.get(KEY) == "3s"
        assert dask.config.get(KEY) == "3s"
    assert not set_by_user(KEY)


def test_variables_that_distributed_sets_for_its_workers_do_not_stay() -> None:
    """It sets them in the driver, as its processes inherit them from there."""
    before = os.environ.get("OMP_NUM_THREADS")
    with SharedSettings({}).applied():
        os.environ["OMP_NUM_THREADS"] = "97"
    assert os.environ.get("OMP_NUM_THREADS") == before
