"""Ctrl-C whose exception is lost in a finalizer of the driver ends the run on every executor."""

import os
import signal
import time

import pytest

from turgo import flow, task


class Finalized:
    """Hears Ctrl-C as the first one is freed in the driver, where Python discards whatever is raised."""

    def __init__(self, driver):
        self.driver = driver

    def __del__(self):
        if os.getpid() == self.driver and os.environ.pop("HEARS_CTRL_C", None):
            os.kill(self.driver, signal.SIGINT)
            for _ in range(100):  # the handler runs at one of these steps
                pass


@task
def make(driver):
    """What is freed once it was taken."""
    return Finalized(driver)


@task
def take(made):
    """Need it no longer."""
    return made is not None


@task
def nap(number, taken):
    """Take a while."""
    time.sleep(0.2)
    return number


@flow
def losing(driver):
    """All but the first two calls would take a minute."""
    return nap.map(range(300), taken=[take(make(driver))] * 300)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_ctrl_c_in_a_finalizer_ends_the_run(executor, monkeypatch):
    """Within seconds."""
    monkeypatch.setenv("HEARS_CTRL_C", "once")
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        losing.run(os.getpid(), executor=executor, keep_values=False)
    assert time.monotonic() - began < 40
