"""What the local executor promises beyond the contract: one thread, and nothing later than now."""

from __future__ import annotations

import multiprocessing
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from turgo_local import LocalExecutor


def test_calls_run_in_the_submitting_thread_and_make_no_other() -> None:
    """A call sees the thread that submitted it, and no thread or process exists that was not there before."""
    before, children = set(threading.enumerate()), set(multiprocessing.active_children())
    with LocalExecutor().start() as executor:
        seen = executor.map(lambda _: threading.get_ident(), range(20))
        assert executor.wait(seen) == [threading.get_ident()] * 20
        assert set(threading.enumerate()) == before
        assert set(multiprocessing.active_children()) <= children


FLOW = """
import asyncio, sys, threading, time
from turgo import flow, task

started, threads, failures = [], set(), []
start = threading.Thread.start
threading.Thread.start = lambda thread: started.append(thread) or start(thread)
processes = {"subprocess.Popen", "os.fork", "os.posix_spawn"}
sys.addaudithook(lambda event, args: started.append(event) if event in processes else None)

@task(retries=1, retry_delay=0.01, timeout=20.0)
def fails_once(number):
    threads.add(threading.current_thread())
    if not failures:
        failures.append(number)
        raise ValueError(number)
    return number

@task(timeout=20.0)
async def later(number):
    threads.add(threading.current_thread())
    await asyncio.sleep(0.01)
    return number

@task(timeout=0.05)
def late():
    threads.add(threading.current_thread())
    time.sleep(20)

@flow(timeout=60.0)
def everything():
    return later.map(fails_once.map([1, 2])), late()

run = everything.run(executor="local")
assert [each.state for each in run.task_runs] == ["Success"] * 4 + ["TimedOut"], run.task_runs
assert threads == {threading.main_thread()}, threads
assert started == [], started
threading.Thread(target=int).start()
assert len(started) == 1  # so one would have been noticed
"""


def test_a_whole_flow_makes_no_thread_and_no_process(tmp_path: Path) -> None:
    """Retries that wait, limits of time and coroutines included: all of it happens in the main thread."""
    command = [sys.executable, "-c", FLOW]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr


def test_calls_run_when_they_are_submitted() -> None:
    """The call has run when `submit` returns, in the order of submission."""
    order: list[int] = []
    with LocalExecutor().start() as executor:
        for number in range(5):
            assert executor.submit(order.append, number).done()
            assert order == list(range(number + 1))


def test_sys_exit_is_the_failure_of_the_call() -> None:
    """`sys.exit` in a call is the error of its future and leaves the driver alone."""
    with LocalExecutor().start() as executor:
        error = executor.submit(sys.exit, 3).exception()
    assert isinstance(error, SystemExit)
    assert error.code == 3


def test_keyboard_interrupt_comes_out() -> None:
    """Ctrl-C during a call interrupts the thread that runs it, which is the user's."""

    def interrupted() -> None:
        raise KeyboardInterrupt

    with LocalExecutor().start() as executor, pytest.raises(KeyboardInterrupt):
        executor.submit(interrupted)


def test_there_is_one_slot_and_no_capability() -> None:
    """It claims nothing that it cannot do."""
    assert LocalExecutor().slots == 1
    assert LocalExecutor().capabilities == frozenset()


def test_the_plugin_module_is_light() -> None:
    """Asking the plugin for its spec imports no executor."""
    code = (
        "import sys, turgo_local.plugin as plugin\n"
        "(spec,) = plugin.turgo_executors()\n"
        "assert spec.name == 'local'\n"
        "assert 'turgo_local.executor' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
