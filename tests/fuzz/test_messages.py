"""Messages between driver and worker that are none: dropped, or an error of the call. Nothing waits for them."""

from __future__ import annotations

import logging
import multiprocessing
import os
import pickle
import socket
import struct
import zlib
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cloudpickle
import pytest
from hypothesis import strategies as st

from turgo import flow, task
from turgo.engine.log_book import LogBook
from turgo.engine.schedule.progress import Progress
from turgo.engine.transport.report import failure_from, open_report
from turgo.engine.transport.report_check import checked
from turgo.records.ledger import Ledger
from turgo.registry.source_files import load_source
from turgo.worker.batch import BatchPiece
from turgo.worker.outcomes import CallFailure, CallOutcome, MapOutcome, Report
from turgo.worker.output.lines import HEAD, NO_LINES
from turgo.worker.values.pickles import open_packed, pack
from turgo_local_dask.processes.log_records import replay
from turgo_local_dask.processes.pipe import Kind, Pipe, packed, unpacked
from turgo_local_dask.processes.worker_process import Setup, WorkerProcess

inputs = load_source(Path(__file__).with_name("inputs.py"))
fuzzed = inputs.fuzzed


@task
def step(number: int) -> int:
    """A call."""
    return number


PIECES = [BatchPiece(None, step.fn, -1, -1, None), BatchPiece(None, step.fn, 10, 13, [range(3)])]
STAMP = ("host/1", 1e9, 5.0)
LINE = (0, 0, None, "fuzz", logging.INFO, "a line", 1e9, {"lineno": 7})
FAILED = CallFailure("Failed", ValueError("no"), "Traceback …")
REPORTS = (
    Report(STAMP, [CallOutcome(7, None, 5.0, 5.5)], []),
    Report(STAMP, [CallOutcome(None, FAILED, 5.0, 5.5), None], [LINE]),
    Report(STAMP, [None, MapOutcome([1, None, 3], {1: FAILED}, 5.0, array("d", (5.1, 5.2, 5.3)))], []),
)
ROWS = [pickle.loads(bytes(pack(each))) for each in REPORTS]


def received(report: Any) -> None:
    """What becomes of a report: it is one, or there is an error in its place."""
    found = checked(open_report(report), PIECES)
    if isinstance(found, BaseException):
        return
    for piece, outcome in zip(PIECES, found.outcomes, strict=False):
        assert outcome is None or (type(outcome) is MapOutcome) == (piece.columns is not None)
        failed = (
            []
            if outcome is None
            else outcome.failures.values()
            if type(outcome) is MapOutcome
            else [outcome.failure]
        )
        for failure in failed:
            assert failure is None or isinstance(failure_from(failure, step).error, BaseException)
        if type(outcome) is MapOutcome:
            assert 0 < len(outcome.ends) <= 3 and outcome.ends[-1] - outcome.began is not None


@fuzzed(inputs.mutated([bytes(pack(each)) for each in REPORTS]))
def test_a_report_of_other_bytes(report: bytes) -> None:
    """It fails its calls, and not the run."""
    received(report)


@fuzzed(inputs.with_a_part_replaced(ROWS))
def test_a_report_that_is_made_of_something_else(rows: Any) -> None:
    """By an executor that changes what it carries."""
    received(pickle.dumps(rows))
    received(rows)
    assert isinstance(open_packed(bytes(pack(REPORTS[0]))), Report)


@pytest.fixture(scope="module")
def log_book() -> Iterator[LogBook]:
    """Of a run of one call and one map, with a batch that is under way."""
    graph = flow(lambda: [step(1), step.map(range(30))]).record()
    book = LogBook(Progress(graph, Ledger(["step", "step"], [None, None])), "run")
    assert book.open([(0, -1, -1), (1, 10, 20)]) == "run/1"
    logging.getLogger("fuzz").setLevel(logging.CRITICAL + 1)
    logging.getLogger("turgo").disabled = True
    yield book
    logging.getLogger("turgo").disabled = False
    logging.getLogger("fuzz").setLevel(logging.NOTSET)
    book.close()
    assert book._thread is None or not book._thread.is_alive()  # type: ignore[attr-defined]


LINES = [("run/1", LINE), ("run/1", (1, 1, 3, "fuzz", 20, "an element", 1e9, None))]
BEGIN = ("run/1", 1, 4)
BUNCHES = [HEAD.pack(2) + pickle.dumps(LINES), NO_LINES + pickle.dumps(BEGIN)]


@fuzzed(
    st.one_of(
        inputs.mutated(BUNCHES),
        inputs.with_a_part_replaced([LINES]).map(lambda each: HEAD.pack(2) + pickle.dumps(each)),
        inputs.with_a_part_replaced([BEGIN]).map(lambda each: NO_LINES + pickle.dumps(each)),
    )
)
def test_lines_that_are_none_end_no_thread(log_book: LogBook, bunch: bytes) -> None:
    """Those that follow are read."""
    log_book.deliver(bunch)
    thread = log_book._thread  # type: ignore[attr-defined]
    assert thread is None or thread.is_alive()
    log_book.begun("run/1")


@fuzzed(
    st.one_of(
        inputs.mutated([pickle.dumps({"name": "fuzz", "levelno": 20, "msg": "a line", "args": None})]),
        inputs.with_a_part_replaced([{"name": "fuzz", "levelno": 20, "msg": "a line"}]).map(pickle.dumps),
    )
)
def test_a_log_record_that_is_none_is_dropped(capfd: pytest.CaptureFixture[str], payload: bytes) -> None:
    """With one sentence, and no traceback."""
    own, told = logging.getLogger("fuzz"), logging.getLogger("turgo_local_dask")
    own.propagate = told.propagate = False
    nowhere = logging.NullHandler()
    own.addHandler(nowhere), told.addHandler(nowhere)
    try:
        replay(bytearray(payload))
    finally:
        own.propagate = told.propagate = True
        own.removeHandler(nowhere), told.removeHandler(nowhere)
    assert "Traceback" not in capfd.readouterr().err


VALUE = packed("the value")[0]
HEADS = struct.Struct("!BIQIQ")


def sent(kind: int, sender: int, call: int, payload: bytes, count: int = 0) -> bytes:
    """A message as it goes through a pipe."""
    head = HEADS.pack(kind, sender, call, count, len(payload))
    return head + struct.pack("!I", zlib.crc32(head)) + payload


@fuzzed(
    inputs.mutated(
        [sent(Kind.VALUE, 7, 3, VALUE), sent(Kind.READY, 7, 0, b""), sent(Kind.LOG, 7, 0, b"x" * 100)]
    )
)
def test_a_pipe_gives_a_message_or_ends(data: bytes) -> None:
    """Whatever comes through it; it waits for no more than its other end has to send."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(data)
        theirs.shutdown(socket.SHUT_WR)
        pipe = Pipe(ours)
        try:
            while True:
                message = pipe.receive()
                assert type(message.kind) is Kind
        except (EOFError, OSError):
            pass


@pytest.fixture(scope="module")
def process() -> Iterator[WorkerProcess]:
    """A worker process that is ready, in the middle of a call."""
    process = WorkerProcess(Setup(multiprocessing.get_context("spawn"), cloudpickle.dumps(None)))
    assert process.receive(60).kind is Kind.READY
    logging.getLogger("turgo_local_dask").disabled = True
    yield process
    logging.getLogger("turgo_local_dask").disabled = False
    process.kill()
    process.close()


@fuzzed(
    st.lists(
        st.tuples(
            st.sampled_from(Kind),
            st.booleans(),
            st.integers(-2, 2),
            st.sampled_from((VALUE, b"", packed("another one")[0])),
        ),
        max_size=4,
    )
)
def test_only_the_answer_to_the_call_is_its_answer(
    process: WorkerProcess, messages: list[tuple[Any, ...]]
) -> None:
    """Whoever sends what before it: of another call, another process, another kind."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        pid, real = process._process.pid, process._pipe  # type: ignore[attr-defined]
        call = process._call + 1  # type: ignore[attr-defined]
        for kind, own, distance, payload in messages:
            right = own and distance == 0 and kind in (Kind.VALUE, Kind.FAILURE)
            if not right and kind is not Kind.LOG:
                theirs.sendall(sent(kind, pid if own else os.getpid(), max(0, call + distance), payload))
        theirs.sendall(sent(Kind.VALUE, pid, call, VALUE))
        process._pipe = Pipe(ours)  # type: ignore[attr-defined]
        process._poll.unregister(real.fileno())  # type: ignore[attr-defined]
        process._poll.register(ours.fileno(), 1)  # type: ignore[attr-defined]
        try:
            message = process.call((b"", []), None)
            assert (message.kind, unpacked(message.payload, message.buffers)) == (Kind.VALUE, "the value")
        finally:
            process._poll.unregister(ours.fileno())  # type: ignore[attr-defined]
            process._poll.register(real.fileno(), 1)  # type: ignore[attr-defined]
            process._pipe = real  # type: ignore[attr-defined]
