"""Which processes execute calls."""

import pytest
from faults import processes
from faults.processes import Process, workers

NANNY = Process(7, 1, "/usr/bin/python -m dask worker --scheduler-file scheduler.json")
TRACKER = Process(8, 7, "/usr/bin/python -c from multiprocessing.resource_tracker import main;main(24)")
PLAIN = Process(
    10, 7, "/usr/bin/python -c from multiprocessing.spawn import spawn_main; spawn_main(tracker_fd=25)"
)
TITLED = Process(9, 7, "dask worker [tcp://127.0.0.1:34497]")


@pytest.mark.parametrize("found", [[NANNY, TRACKER, PLAIN, TITLED]])
def test_workers_are_known_by_command_or_title(found: list[Process], monkeypatch: pytest.MonkeyPatch) -> None:
    """With setproctitle, workers of a cluster get another command once they run."""
    monkeypatch.setattr(processes, "marked", lambda *_: found)
    assert workers("a run") == [9, 10]
