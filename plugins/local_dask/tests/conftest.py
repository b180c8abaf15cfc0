"""What the tests of the plugin share."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress

import pytest

from turgo_local_dask import LocalDaskExecutor


@pytest.fixture(scope="module")
def processes() -> Iterator[LocalDaskExecutor]:
    """Two processes that the tests of this module share."""
    with LocalDaskExecutor("processes", num_workers=2).start() as executor:
        yield executor


@pytest.fixture
def failing() -> Callable[[LocalDaskExecutor], AbstractContextManager[LocalDaskExecutor]]:
    """Leaves `start()` by an error, and shows that this does not wait for calls that take a minute."""

    @contextmanager
    def left_by_an_error(executor: LocalDaskExecutor) -> Iterator[LocalDaskExecutor]:
        began = 0.0
        with suppress(ZeroDivisionError), executor.start():
            yield executor
            began = time.monotonic()
            _ = 1 / 0
        assert time.monotonic() - began < 20  # it is 3 s at most where nothing else runs

    return left_by_an_error
