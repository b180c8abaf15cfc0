"""A run that is ended before its tasks are over: by `cancel`, by its time, by its first failure. On every executor."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import cloudpickle
import pytest

from turgo import flow, task
from turgo.errors import RunCancelledError, RunTimeoutError, TaskFailedError
from turgo.hooks import hookimpl
from turgo.records.states import RunState, TaskState

cloudpickle.register_pickle_by_value(sys.modules[__name__])  # the workers do not have this file

LONG = 1.5  # seconds; what threads cannot interrupt is waited for


@task
def began(folder, number):
    Path(folder, f"began-{number}").touch()
    return number


@task
def nap(folder, number, seconds=LONG):
    Path(folder, f"began-{number}").touch()
    time.sleep(seconds)
    Path(folder, f"ended-{number}").touch()
    return number


class Cancels:
    """An observer that cancels the run in a thread, once a file is there."""

    def __init__(self, file: Path, times: int = 1) -> None:
        self.file, self.times = file, times

    @hookimpl
    def turgo_flow_started(self, run):
        self.run = run
        self.thread = threading.Thread(target=self.wait, daemon=True)
        self.thread.start()

    def wait(self):
        end = time.monotonic() + 60
        while not self.file.exists() and time.monotonic() < end:
            time.sleep(0.01)
        for _ in range(self.times):
            self.run.cancel()

    @hookimpl
    def turgo_flow_finished(self, run):
        self.told = (run.state, Counter(each.state for each in run.task_runs))


def test_a_run_is_cancelled_from_another_thread(own_executor, tmp_path):
    """No call begins any more, what is over stays over, and the run comes back Cancelled instead of raising."""

    @flow
    def naps(folder):
        first = began(folder, "first")
        return nap.after(first).map([folder] * 20, [f"nap-{number}" for number in range(20)])

    watch = Cancels(tmp_path / "began-nap-0", times=2)
    run = naps.run(str(tmp_path), executor=own_executor, observers=[watch])
    begun = {path.name for path in tmp_path.glob("began-nap-*")}
    assert (run.state, run.ok) == (RunState.CANCELLED, False)
    assert isinstance(run.error, RunCancelledError)
    with pytest.raises(RunCancelledError, match="the run of naps was cancelled"):
        assert run.result
    counts = Counter(each.state for each in run.task_runs)
    assert counts.keys() == {TaskState.SUCCESS, TaskState.CANCELLED} and counts[TaskState.CANCELLED] >= 12
    assert watch.told == (RunState.CANCELLED, counts)
    run.cancel()
    assert run.state is RunState.CANCELLED, "a run that is over stays as it is"
    time.sleep(0.3)  # nothing tells of a call that does not begin
    late = {path.name for path in tmp_path.glob("began-nap-*")} - begun
    assert len(late) <= 2 * own_executor.slots, "only what the executor could not take back"


def test_a_run_is_cancelled_before_its_first_call(own_executor, tmp_path):
    """By an observer that hears of its start: nothing runs."""

    class Refuses:
        @hookimpl
        def turgo_flow_started(self, run):
            run.cancel()

    run = flow(lambda: began(str(tmp_path), 1)).run(executor=own_executor, observers=[Refuses()])
    assert run.state is RunState.CANCELLED
    assert [each.state for each in run.task_runs] == [TaskState.CANCELLED]
    assert not list(tmp_path.iterdir())


def test_cancelling_wakes_a_run_that_waits_for_a_retry(own_executor, tmp_path):
    """A delay of an hour keeps nobody waiting."""

    @task(retries=3, retry_delay=3600)
    def fails(folder):
        Path(folder, "tried").touch()
        raise ValueError("not yet")

    begin = time.monotonic()
    watch = Cancels(tmp_path / "tried")
    run = flow(lambda folder: fails(folder)).run(str(tmp_path), executor=own_executor, observers=[watch])
    assert run.state is RunState.CANCELLED and time.monotonic() - begin < 60
    assert [each.state for each in run.task_runs] == [TaskState.CANCELLED]


def test_the_time_of_a_whole_run_is_limited(own_executor, tmp_path):
    """The run has Failed with an error that names the seconds; what is over keeps its state."""

    def naps(folder):
        first = began(folder, "first")
        return nap.after(first).map([folder] * 40, range(40), seconds=[limit / 8] * 40)

    for limit in (3.0, 24.0):  # a slow machine may need more for the first call
        run = flow(timeout=limit)(naps).run(str(tmp_path), executor=own_executor)
        if run.task_runs[0].state is TaskState.SUCCESS:
            break
    assert run.state is RunState.FAILED
    assert isinstance(run.error, RunTimeoutError) and isinstance(run.error, TimeoutError)
    assert run.error.seconds == limit and f"naps took longer than its {limit:g} s" in str(run.error)
    counts = Counter(each.state for each in run.task_runs)
    assert counts.keys() == {TaskState.SUCCESS, TaskState.CANCELLED}
    states = {each.name: each.state for each in run.task_runs if each.index is None}
    assert states == {"began": TaskState.SUCCESS}
    with pytest.raises(RunTimeoutError):
        assert run.result


def test_a_run_in_time_is_left_alone(own_executor, tmp_path):
    """And so is the next one."""
    quick = flow(timeout=60)(lambda: began.map([str(tmp_path)] * 3, range(3)))
    assert quick.run(executor=own_executor).result == quick.run(executor=own_executor).result == [0, 1, 2]


def test_the_first_failure_ends_a_run_that_is_to_fail_fast(own_executor, tmp_path):
    """The run's error is that failure; the same flow runs to its end otherwise."""

    @task
    def breaks(folder):
        raise ValueError("broken")

    def body(folder):
        return breaks(folder), nap.map([folder] * 40, range(40), seconds=[0.1] * 40)

    run = flow(fail_fast=True)(body).run(str(tmp_path), executor=own_executor)
    assert run.state is RunState.FAILED
    assert isinstance(run.error, TaskFailedError) and str(run.error).endswith("is Failed: ValueError: broken")
    assert Counter(each.state for each in run.task_runs)[TaskState.CANCELLED] >= 5
    run = flow(body).run(str(tmp_path), executor=own_executor)
    assert Counter(each.state for each in run.task_runs) == {TaskState.SUCCESS: 40, TaskState.FAILED: 1}


def test_no_call_begins_after_the_first_failure_even_in_the_same_batch(own_executor, tmp_path):
    """Short calls travel many at a time; one batch is under way at once, so none begins after the one that fails."""

    @task(tags=["one"])
    def counted(file, number):
        with open(file, "ab") as begun:
            begun.write(b".")
        if number == 3_000:
            raise ValueError("broken")

    @flow(fail_fast=True, limits={"one": 1})
    def counting(file):
        return counted.map([file] * 20_000, range(20_000))

    run = counting.run(str(tmp_path / "begun"), executor=own_executor)
    assert str(run.error).startswith("counted[3000] (file=")
    assert str(run.error).endswith(", number=3000) is Failed: ValueError: broken")
    assert (tmp_path / "begun").stat().st_size == 3_001
    counts = Counter(each.state for each in run.task_runs)
    assert counts == {TaskState.SUCCESS: 3_000, TaskState.FAILED: 1, TaskState.CANCELLED: 16_999}


def test_a_retry_is_no_failure_to_end_a_run(own_executor, tmp_path):
    """Only what fails for good ends a run that is to fail fast."""

    @task(retries=1)
    def once(folder):
        tried = Path(folder, "tried")
        if not tried.exists():
            tried.touch()
            raise ValueError("the first time")
        return "there"

    assert (
        flow(fail_fast=True)(lambda folder: once(folder)).run(str(tmp_path), executor=own_executor).result
        == "there"
    )


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this system has no timer that sends SIGALRM")
@pytest.mark.parametrize("limit", [None, 30.0])
def test_a_signal_ends_a_call_that_runs_in_the_main_thread(limit, tmp_path):
    """On the local executor, whether the task has a longer limit of its own or not."""
    name = str(tmp_path)
    slow, before = nap.with_options(timeout=limit), signal.getsignal(signal.SIGALRM)
    for seconds in (0.5, 5.0, 20.0):  # a slow machine may need more until it runs
        run = flow(timeout=seconds)(lambda: (began(name, 1), slow(name, 2, 100))).run(executor="local")
        if (tmp_path / "began-2").exists():
            break
    assert not (tmp_path / "ended-2").exists()
    assert isinstance(run.error, RunTimeoutError)
    assert {each.name: each.state for each in run.task_runs} == {
        "began": TaskState.SUCCESS,
        "nap": TaskState.CANCELLED,
    }
    assert signal.getsignal(signal.SIGALRM) == before


def test_in_another_thread_a_local_run_ends_between_its_calls(tmp_path):
    """There are no signals there; the call that runs comes to its end."""
    name = str(tmp_path)
    runs = []

    def ends_early():
        for limit in (0.5, 5.0):  # a slow machine may need more until the first begins
            naps = flow(timeout=limit)(lambda each=0.6 * limit: nap.map([name] * 5, range(5), [each] * 5))
            runs[:] = [naps.run(executor="local")]
            if (tmp_path / "began-0").exists():
                break

    thread = threading.Thread(target=ends_early)
    thread.start()
    thread.join(100)
    assert isinstance(runs[0].error, RunTimeoutError)
    begun, ended = (
        sorted(path.name[5:] for path in tmp_path.glob(f"{deed}-*")) for deed in ("began", "ended")
    )
    assert begun == ended and 1 <= len(begun) < 5
    assert [each.state for each in runs[0].task_runs].count(TaskState.SUCCESS) == len(ended)


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this system has no timer that sends SIGALRM")
def test_limits_of_tasks_hold_within_a_run_that_has_one(tmp_path):
    """The shorter one of both ends the call; the run goes on after a task that timed out."""
    name = str(tmp_path)
    short = nap.with_options(timeout=0.2)
    late = began.with_options(trigger="all_finished")
    run = flow(timeout=30)(lambda: late.after(short(name, 1, 20))(name, 2)).run(executor="local")
    assert [each.state for each in run.task_runs] == [TaskState.TIMED_OUT, TaskState.SUCCESS]


SCRIPT = """
import sys, time
from pathlib import Path

from turgo import flow, task
from turgo.hooks import hookimpl

folder = Path(sys.argv[1])
THREADS = {"use": "local_dask", "scheduler": "threads", "num_workers": 2}
PROCESSES = {"use": "local_dask", "scheduler": "processes", "num_workers": 2}


@task(executor=THREADS)
def waits(number):
    (folder / f"waits-{number}").touch()
    time.sleep(600)


@task(executor=PROCESSES)
def works(number):
    (folder / f"works-{number}").touch()
    time.sleep(600)


@task(retries=2, retry_delay=3600)
def fails():
    (folder / "fails-0").touch()
    raise ValueError


@flow
def everywhere():
    return waits.map(range(4)), works.map(range(4)), fails()


class Watch:
    @hookimpl
    def turgo_flow_finished(self, run):
        (folder / "end").write_text(f"{run.state} {run.task_runs.counts()}")


if __name__ == "__main__":
    everywhere.run(executor="local", observers=[Watch()])
"""


@pytest.mark.skipif(
    sys.platform != "linux", reason="it finds the child processes in /proc, which only Linux has"
)
def test_ctrl_c_in_a_plain_script_closes_all_executors(tmp_path):
    """Two of them have calls that run, and a retry waits; KeyboardInterrupt goes on, as Python does it."""
    script = tmp_path / "everywhere.py"
    script.write_text(SCRIPT)
    process = subprocess.Popen(
        [sys.executable, str(script), str(tmp_path)], cwd=tmp_path, stderr=subprocess.PIPE, text=True
    )
    try:
        end = time.monotonic() + 60
        while not all(list(tmp_path.glob(f"{name}-*")) for name in ("waits", "works", "fails")):
            assert time.monotonic() < end and process.poll() is None, process.stderr.read()
            time.sleep(0.02)
        children = [
            pid
            for file in Path(f"/proc/{process.pid}/task").glob("*/children")
            for pid in file.read_text().split()
        ]
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    finally:
        process.kill()
        process.wait()
        process.stderr.close()
    assert process.returncode in (-signal.SIGINT, 130, 1) and "KeyboardInterrupt" in errors
    assert (tmp_path / "end").read_text() == "Cancelled {<TaskState.CANCELLED: 'Cancelled'>: 9}"
    assert children
    end = time.monotonic() + 30
    while (left := [pid for pid in children if os.path.exists(f"/proc/{pid}")]) and time.monotonic() < end:
        time.sleep(0.02)
    assert not left
