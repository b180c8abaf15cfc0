"""One worker process: whose answers count, and what is ended together with it."""

from __future__ import annotations

import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import cloudpickle
import pytest

from turgo.worker.limits.descendants import relative
from turgo_local_dask import LocalDaskExecutor
from turgo_local_dask.processes.pipe import Kind, Pipe, packed, unpacked
from turgo_local_dask.processes.worker import main
from turgo_local_dask.processes.worker_process import Setup, WorkerProcess

cloudpickle.register_pickle_by_value(sys.modules[__name__])  # the processes do not have this file

DEADLINE_SECONDS = 30.0


@pytest.fixture
def process() -> Iterator[WorkerProcess]:
    """A process that is ready."""
    process = WorkerProcess(Setup(multiprocessing.get_context("spawn"), cloudpickle.dumps(None)))
    assert process.receive(DEADLINE_SECONDS).kind is Kind.READY
    yield process
    process.kill()
    process.close()


def wait_until_gone(pids: list[int]) -> None:
    """Fail unless all of them end soon."""
    end = time.monotonic() + DEADLINE_SECONDS
    while any(relative(pid) for pid in pids):
        assert time.monotonic() < end, "a process lives on"
        time.sleep(0.01)


def value_of(process: WorkerProcess, call: object) -> object:
    """What the process answers to a call."""
    message = process.call(packed((False, call, (), {})), DEADLINE_SECONDS)
    assert message.kind is Kind.VALUE, unpacked(message.payload, message.buffers)
    return unpacked(message.payload, message.buffers)


def found_pipe() -> Pipe:
    """A second pipe over the socket of this worker process, as a process that it forks may make one."""
    for name in os.listdir("/proc/self/fd"):
        try:
            end = socket.socket(fileno=os.dup(int(name)))
        except OSError:
            continue
        if end.family == socket.AF_UNIX and end.type == socket.SOCK_STREAM:
            return Pipe(end)
    raise LookupError("no socket is open")


def test_a_process_whose_driver_is_gone_before_it_is_ready_says_nothing(
    capfd: pytest.CaptureFixture[str],
) -> None:
    """It ends, as one does that waits for its next call."""
    ours, theirs = socket.socketpair()
    process = multiprocessing.get_context("spawn").Process(
        target=main, args=(theirs, cloudpickle.dumps(None), {})
    )
    process.start()
    ours.close()
    theirs.close()
    process.join(DEADLINE_SECONDS)
    assert (process.exitcode, capfd.readouterr().err) == (0, "")


def test_what_another_process_sends_is_no_answer(
    process: WorkerProcess, caplog: pytest.LogCaptureFixture
) -> None:
    """A forked child answers on the pipe with the right number; it is dropped, counted and said."""

    def forks() -> str:
        pipe = found_pipe()
        if os.fork() == 0:
            Pipe(pipe._end).send(Kind.VALUE, 1, *packed("the child's"))
            os._exit(0)
        os.wait()
        return "the parent's"

    assert value_of(process, forks) == "the parent's"
    assert value_of(process, lambda: 2) == 2
    assert process.dropped == 1
    assert "was dropped" in caplog.text


def test_an_answer_to_another_call_is_no_answer(process: WorkerProcess) -> None:
    """The process itself answers a call that is over: nobody takes it for the answer to the next one."""

    def answers_twice() -> str:
        found_pipe().send(Kind.VALUE, 7, *packed("of another call"))
        return "its own"

    assert value_of(process, answers_twice) == "its own"
    assert value_of(process, lambda: 2) == 2
    assert process.dropped == 1


def test_what_answers_no_call_is_no_answer(process: WorkerProcess) -> None:
    """Of the right process, but of no call, or of a kind that is not awaited now."""

    def talks() -> str:
        pipe = found_pipe()
        for kind, call in (
            (Kind.VALUE, 0),
            (Kind.READY, 0),
            (Kind.READY, 1),
            (Kind.BEGUN, 1),
            (Kind.CALL, 1),
        ):
            pipe.send(kind, call, *packed("no answer"))
        return "its own"

    assert value_of(process, talks) == "its own"
    assert process.dropped == 4, "BEGUN is awaited of a call that has a limit"
    assert value_of(process, lambda: 2) == 2


@pytest.mark.parametrize("how", ["return", "raise", "exit"])
def test_a_forked_child_that_comes_back_is_ended(how: str, process: WorkerProcess) -> None:
    """It returns from the call, raises or exits: its answer is lost, it is ended, and its parent's answer counts."""

    def forks() -> int:
        child = os.fork()
        if child == 0 and how == "raise":
            raise ValueError("in the child")
        if child == 0 and how == "exit":
            sys.exit(0)
        return child

    pids = [value_of(process, forks) for _ in range(3)]
    assert all(pids)
    wait_until_gone([pid for pid in pids if isinstance(pid, int)])
    assert process.dropped == 0


def starts(folder: Path, program: list[str]) -> None:
    """Start a child and a grandchild, say who they are, and wait for them."""
    inner = f"import subprocess; subprocess.Popen({program}).wait()"
    child = subprocess.Popen([sys.executable, "-c", inner])
    while not (below := Path(f"/proc/{child.pid}/task/{child.pid}/children").read_text().split()):
        time.sleep(0.01)
    (folder / "pids.new").write_text(f"{child.pid} {below[0]}")
    (folder / "pids.new").rename(folder / "pids")
    child.wait()


def started(folder: Path) -> list[int]:
    """Their ids, once they run."""
    end = time.monotonic() + DEADLINE_SECONDS
    while not (folder / "pids").exists():
        assert time.monotonic() < end, "nothing was started"
        time.sleep(0.01)
    return [int(word) for word in (folder / "pids").read_text().split()]


@pytest.mark.parametrize("ending", ["limit", "cancel", "error"])
def test_what_a_call_started_ends_with_its_process(ending: str, tmp_path: Path) -> None:
    """By a limit of time, by cancelling it, and by leaving with an error: child and grandchild are gone."""
    context = {"task_timeout": 3.0} if ending == "limit" else {}
    try:
        with LocalDaskExecutor("processes", num_workers=1).start() as executor:
            future = executor.submit(starts, tmp_path, ["sleep", "60"], extra_context=context)  # type: ignore[arg-type]
            pids = started(tmp_path)
            if ending == "cancel":
                assert executor.cancel(future) == 1
            if ending == "error":
                raise LookupError
            future.exception() if ending == "limit" else None
            wait_until_gone(pids)
    except LookupError:
        wait_until_gone(pids)


def test_what_a_call_started_ends_when_its_process_crashes(tmp_path: Path) -> None:
    """The process is killed from outside: what lost its parent by that is ended as well."""
    with LocalDaskExecutor("processes", num_workers=1).start() as executor:
        pid = executor.submit(os.getpid).result()
        future = executor.submit(starts, tmp_path, ["sleep", "60"])
        pids = started(tmp_path)
        os.kill(pid, signal.SIGKILL)
        assert future.exception() is not None
        wait_until_gone(pids)


def test_what_a_call_left_running_stays_when_the_executor_is_left_normally(tmp_path: Path) -> None:
    """A server that a call started on purpose is not ended, as nobody ended the call."""

    def leaves_a_child() -> int:
        return subprocess.Popen(["sleep", "60"]).pid

    with LocalDaskExecutor("processes", num_workers=1).start() as executor:
        pid = executor.submit(leaves_a_child).result()
    assert relative(pid) is not None
    os.kill(pid, signal.SIGKILL)
    wait_until_gone([pid])


def test_the_end_of_the_program_may_join_a_process_that_is_given_back() -> None:
    """As multiprocessing does for all that it had listed just before, while a thread of the pool gives one back."""
    process = WorkerProcess(Setup(multiprocessing.get_context("spawn"), cloudpickle.dumps(None)))
    assert process.receive(DEADLINE_SECONDS).kind is Kind.READY
    (listed,) = [each for each in multiprocessing.active_children() if each.name == "turgo-process"]
    assert process.close()
    listed.join(DEADLINE_SECONDS)
    assert listed.exitcode == 0 and listed not in multiprocessing.active_children()
