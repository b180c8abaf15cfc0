"""What counts as noise, and what is a user's own."""

import pytest
from faults.noise import noise

NOISY = [
    '  File "/x/site-packages/distributed/client.py", line 3, in close',
    '  File "/x/core/src/turgo/engine/loop.py", line 3, in step',
    '  File "/usr/lib/python3.13/asyncio/base_events.py", line 3, in run',
    "Task exception was never retrieved",
    "Task was destroyed but it is pending!",
    "resource_tracker: There appear to be 9 leaked semaphore objects to clean up at shutdown",
    "Exception ignored in: <function f>",
    "2026-01-01 10:00:00,000 - distributed.nanny - WARNING - Restarting worker",
    "WARNING:distributed.nanny:Restarting worker",
    "x.py:3: ResourceWarning: unclosed file",
]

QUIET = [
    '  File "/home/me/flow.py", line 3, in step',
    "dask: starting LocalCluster …, for 1 s so far; start_timeout is 60 s",
    "Error: interrupted",
    "step-3 is Failed: ValueError: no",
]


@pytest.mark.parametrize("line", NOISY)
def test_noise(line: str) -> None:
    """Frames of libraries and of ours, their log lines, warnings: one complaint each."""
    assert len(noise(f"fine\n{line}\nfine")) == 1
    assert noise(line, [line[4:20]]) == []


def test_what_users_read() -> None:
    """Their own frames and our sentences are none."""
    assert noise("\n".join(QUIET)) == []
