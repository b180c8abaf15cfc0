"""What the local executor promises beyond the contract: one thread, and nothing later than now."""

from __future__ import annotations

import multiprocessing
import subprocess
import sys
import threading

import pytest

from penstock_local import LocalExecutor


def test_calls_run_in_the_submitting_thread_and_make_no_other() -> None:
    """A call sees the thread that submitted it, and no thread or process exists that was not there before."""
    before, children = set(threading.enumerate()), set(multiprocessing.active_children())
    with LocalExecutor().start() as executor:
        seen = executor.map(lambda _: threading.get_ident(), range(20))
        assert executor.wait(seen) == [threading.get_ident()] * 20
        assert set(threading.enumerate()) == before
        assert set(multiprocessing.active_children()) <= children


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
        "import sys, penstock_local.plugin as plugin\n"
        "(spec,) = plugin.penstock_executors()\n"
        "assert spec.name == 'local'\n"
        "assert 'penstock_local.executor' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
