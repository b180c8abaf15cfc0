"""What tests of the connection share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import distributed
import pytest


@pytest.fixture
def client(nannied: Callable[..., Any]) -> Iterator[distributed.Client]:
    """Of a cluster of one worker with a process."""
    with nannied(1, 1) as cluster, distributed.Client(cluster, set_as_default=False) as found:
        yield found


@pytest.fixture
def kept_events(client: distributed.Client) -> Callable[[str], dict[str, int]]:
    """Look for the topics that begin so: those that the scheduler knows, and how many events it keeps of each."""

    def kept(prefix: str) -> dict[str, int]:
        def look(dask_scheduler: Any) -> dict[str, int]:
            every = dask_scheduler._broker._topics
            return {name: len(topic.events) for name, topic in every.items() if name.startswith(prefix)}

        found: dict[str, int] = client.run_on_scheduler(look)
        return found

    return kept
