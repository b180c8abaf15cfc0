"""A call that may not be made twice is made once at most, counted by itself: workers and drivers are killed."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import cloudpickle

from turgo import flow, task
from turgo.records.states import TaskState

cloudpickle.register_pickle_by_value(sys.modules[__name__])  # the workers do not have this file

ENGINES = ("processes", "dask")
CALLS = 12

FLOW = f"""
import os, time
from turgo import flow, task

@task(idempotent=False)
def pay(number):
    with open("paid", "ab", buffering=0) as file:
        file.write(b"%d\\n" % number)
    time.sleep(0.02)
    return number

@flow
def payments():
    return pay.map(range({CALLS}))
"""


@task(idempotent=False, crash_retries=3)
def pay(number, folder):
    with open(f"{folder}/paid", "ab", buffering=0) as file:
        file.write(b"%d\n" % number)
    if number in (3, 8):
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def counted(folder: Path) -> Counter[str]:
    """How often each call was made."""
    file = folder / "paid"
    return Counter(file.read_text().split() if file.exists() else [])


def test_the_loss_of_a_worker_sends_nothing_again(own_executor, tmp_path):
    """What killed it, and what may have run beside it, is Crashed; all else has its value."""
    run = flow(name="payments")(lambda: pay.map(range(CALLS), [str(tmp_path)] * CALLS)).run(
        executor=own_executor
    )
    states = [each.state for each in run.task_runs]
    assert states[3] is states[8] is TaskState.CRASHED
    assert set(counted(tmp_path).values()) == {1}
    for number, (state, each) in enumerate(zip(states, run.task_runs, strict=True)):
        assert state is TaskState.SUCCESS or "it may have run" in str(each.error), number


def test_a_killed_driver_leaves_nothing_to_be_made_twice(tmp_path):
    """What had begun is Crashed in the resumed run, or has its value; what had not is made."""
    (tmp_path / "work.py").write_text(FLOW)
    command = [sys.executable, "-m", "turgo", "run", "-q", "work.py"]
    with subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    ) as driver:
        while counted(tmp_path).total() < CALLS // 2 and driver.poll() is None:
            time.sleep(0.001)
        driver.kill()
    for _ in range(2):
        subprocess.run([*command, "--resume"], cwd=tmp_path, capture_output=True, timeout=120, check=False)
    assert counted(tmp_path) == Counter(map(str, range(CALLS)))
