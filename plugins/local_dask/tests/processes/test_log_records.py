"""What is logged in processes reaches the loggers of the driver."""

from __future__ import annotations

import logging
import pickle
import sys
import threading

import cloudpickle
import pytest

from turgo_local_dask import LocalDaskExecutor
from turgo_local_dask.processes.log_records import replay

cloudpickle.register_pickle_by_value(sys.modules[__name__])  # the processes do not have this file


def test_what_calls_log_reaches_the_driver(
    processes: LocalDaskExecutor, caplog: pytest.LogCaptureFixture
) -> None:
    """Levels, arguments and tracebacks included; what cannot be pickled comes as text."""

    def log() -> None:
        logger = logging.getLogger("far.away")
        logger.warning("%d of %s", 3, "four", extra={"lock": threading.Lock()})
        try:
            raise LookupError("inner")
        except LookupError:
            logger.exception("it failed")

    processes.submit(log).result()
    records = [record for record in caplog.records if record.name == "far.away"]
    assert [record.getMessage() for record in records] == ["3 of four", "it failed"]
    assert records[0].lock.startswith("<unlocked")  # type: ignore[attr-defined]  # from `extra`
    assert "LookupError: inner" in (records[1].exc_text or "")


def test_levels_of_the_driver_hold_in_its_processes(caplog: pytest.LogCaptureFixture) -> None:
    """What is switched on for a logger here is logged there."""
    caplog.set_level(logging.DEBUG, logger="far.away")
    with LocalDaskExecutor("processes", num_workers=1).start() as executor:
        executor.submit(lambda: logging.getLogger("far.away").debug("low")).result()
        executor.submit(lambda: logging.getLogger("other").info("too low")).result()
    assert caplog.messages == ["low"]


@pytest.mark.parametrize("payload", [b"", b"no pickle", pickle.dumps(5), pickle.dumps({"levelno": "high"})])
def test_what_is_no_record_is_told_of_in_a_sentence(
    payload: bytes, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """And no traceback."""
    replay(bytearray(payload))
    assert "a log record of a worker process is lost" in caplog.text
    assert "Traceback" not in capfd.readouterr().err
