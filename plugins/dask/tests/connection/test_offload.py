"""A pool whose thread did not come along with a fork is replaced, and no other."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from distributed import utils

from turgo_dask.connection.offload import renew_offload


@pytest.fixture
def pool(monkeypatch: pytest.MonkeyPatch) -> ThreadPoolExecutor:
    """One in the place of distributed's."""
    pool = ThreadPoolExecutor(1, thread_name_prefix="Dask-Offload")
    monkeypatch.setattr(utils, "_offload_executor", pool)
    return pool


def test_a_pool_whose_thread_is_gone_is_replaced(pool: ThreadPoolExecutor) -> None:
    """The new one runs what it is given."""
    gone = threading.Thread(target=int)
    gone.start()
    gone.join()
    pool._threads.add(gone)  # type: ignore[attr-defined]
    renew_offload()
    assert utils._offload_executor is not pool
    assert utils._offload_executor.submit(max, 3, 7).result(60) == 7
    utils._offload_executor.shutdown()


@pytest.mark.parametrize("used", [False, True])
def test_a_pool_that_works_is_kept(pool: ThreadPoolExecutor, used: bool) -> None:
    """Whether it has a thread yet or not."""
    if used:
        pool.submit(int).result(60)
    renew_offload()
    assert utils._offload_executor is pool
    pool.shutdown()
