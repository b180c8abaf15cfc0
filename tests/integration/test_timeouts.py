"""The time of a task is limited on every executor, whatever the task does meanwhile."""

import subprocess
import sys
import time

import cloudpickle

from turgo import flow, task
from turgo.errors import TaskTimeoutError
from turgo.records.states import TaskState

cloudpickle.register_pickle_by_value(sys.modules[__name__])  # the workers do not have this file

ENGINES = ("local", "threads", "processes", "synchronous", "dask", "dask in threads", "file")


@task
def quick():
    return "there"


def test_a_timeout_ends_the_call(executor):
    """A call that takes too long is TimedOut soon after; those beside it are not harmed."""

    @task(timeout=1.0)  # the others are far quicker, also on a slow machine
    def stuck(number):
        end = time.monotonic() + (60 if number == 1 else 0)
        while time.monotonic() < end:
            time.sleep(0.01)
        return number

    @flow
    def slow():
        return stuck.map(range(3)), stuck(5)

    began = time.monotonic()
    run = slow.run(executor=executor)
    assert time.monotonic() - began < 40
    assert [each.state for each in run.task_runs] == [
        TaskState.SUCCESS,
        TaskState.TIMED_OUT,
        TaskState.SUCCESS,
        TaskState.SUCCESS,
    ]
    error = run.task_runs[1].error
    assert type(error) is TaskTimeoutError and error.seconds == 1.0 and "stuck" in str(error)


def test_a_call_that_waits_in_c_does_not_hold_up_the_run(executor):
    """It is TimedOut, whether it can be stopped or only be left behind; those beside it and after it run."""

    @task(timeout=1.0)
    def waits(seconds):
        time.sleep(seconds)
        return seconds

    @flow
    def waiting():
        return waits.map([0, 60, 0]), quick.after(waits(60)).with_options(trigger="all_finished")()

    began = time.monotonic()
    run = waiting.run(executor=executor)
    assert time.monotonic() - began < 40
    states = {each.label: each.state for each in run.task_runs}
    assert states["waits[0]"] is states["waits[2]"] is states["quick"] is TaskState.SUCCESS
    assert states["waits[1]"] is states["waits"] is TaskState.TIMED_OUT
    assert all(isinstance(each.error, TaskTimeoutError) for each in run.task_runs if each.error)


def test_the_time_of_a_task_is_up_whatever_it_makes_of_that(executor):
    """One that runs a flow ends with it; one that holds on to what stops it, or fails as it cleans up, is late too."""

    @task
    def nap():
        time.sleep(0.1)

    @flow
    def naps():
        return [nap() for _ in range(600)]

    @task(timeout=0.3)
    def runs_a_flow():
        return str(naps.run(executor="local").state)

    @task(timeout=0.3)
    def holds_on():
        try:
            time.sleep(3)
        except BaseException:  # noqa: BLE001  (as some do)
            return "it went on"

    @task(timeout=0.3)
    def fails_then():
        try:
            time.sleep(3)
        finally:
            raise ConnectionError("it was open")

    @flow
    def late():
        return runs_a_flow(), holds_on(), fails_then()

    began = time.monotonic()
    run = late.run(executor=executor)
    assert time.monotonic() - began < 40
    assert [each.state for each in run.task_runs] == [TaskState.TIMED_OUT] * 3


LEFT_BEHIND = """
import time
from turgo import flow, get_executor, task

@task(timeout=0.2)
def waits():
    time.sleep(60)

@flow
def waiting():
    return waits()

executor = get_executor("local_dask", scheduler="threads", num_workers=2)
assert "hard_timeouts" not in executor.capabilities
print(waiting.run(executor=executor).task_runs[0].state)
"""


def test_a_call_that_was_left_behind_does_not_keep_python_alive():
    """The program ends, although a thread of it waits in C."""
    began = time.monotonic()
    done = subprocess.run([sys.executable, "-c", LEFT_BEHIND], capture_output=True, text=True, timeout=50)
    assert (done.stdout, done.returncode) == ("TimedOut\n", 0), done.stderr
    assert time.monotonic() - began < 40
