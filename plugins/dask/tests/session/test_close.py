"""How what is open is closed."""

from __future__ import annotations

import distributed
import pytest

from turgo_dask import DaskExecutor


def test_a_client_that_does_not_close_in_time_is_no_error(
    theirs: distributed.LocalCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a machine that has much else to do: all calls are over, and it was a traceback after the summary."""
    closes = distributed.Client.close

    def close(self: distributed.Client, timeout: float = 0.0) -> None:
        was_open = self.status != "closed"
        closes(self)
        if was_open:  # not as it is finalized
            raise TimeoutError(f"timed out after {timeout} s.")

    monkeypatch.setattr(distributed.Client, "close", close)
    with DaskExecutor(address=theirs.scheduler_address, debug=False).start() as executor:
        assert executor.submit(abs, -3).result() == 3
