"""The workers of pytest-xdist: how many, what they begin with, and that a Ctrl-C leaves nothing of them.

    pytest -p tools.side_by_side.workers --numprocesses auto --dist loadscope --no-loadscope-reorder

There are two for each core, as most tests wait more than they compute. Files that last longest come first, so that no
worker is alone with one at the end. After a Ctrl-C pytest-xdist kills a worker that does not end in ten seconds, as one
that closes a cluster on a busy machine: what it had started is ended here then.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import suppress

import psutil
import pytest
from tools.side_by_side.seconds import Seconds, known

WORKERS_PER_CORE = 2

GRACE_SECONDS = 5.0
"""How long what is left without its worker has to end by itself, as what removes a folder does."""


@pytest.hookimpl(optionalhook=True, tryfirst=True)
def pytest_xdist_auto_num_workers() -> int:
    """What `--numprocesses auto` means here."""
    return WORKERS_PER_CORE * (os.cpu_count() or 1)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """In a worker, files that last longest come first: in the same order in each of them."""
    if hasattr(config, "workerinput"):
        items[:] = longest_first(items, known())


def longest_first(items: Sequence[pytest.Item], seconds: Seconds) -> list[pytest.Item]:
    """The tests of the file that lasts longest, in their order, then those of the next."""
    lasts: dict[str, float] = defaultdict(float)
    for item in items:
        lasts[file_of(item)] += seconds.of(item.nodeid)
    return sorted(items, key=lambda item: (-lasts[file_of(item)], file_of(item)))


def file_of(item: pytest.Item) -> str:
    """The file that a test is in."""
    return item.nodeid.partition("::")[0]


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> Iterator[None]:
    """After a Ctrl-C, end what the workers had started and could not end."""
    interrupted = exitstatus == pytest.ExitCode.INTERRUPTED and not hasattr(session.config, "workerinput")
    started = psutil.Process().children(recursive=True) if interrupted else []
    result = yield
    _, left = psutil.wait_procs(started, timeout=GRACE_SECONDS)
    for each in left:
        with suppress(psutil.Error):  # it has ended
            each.kill()
    return result
