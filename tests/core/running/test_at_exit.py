"""What becomes of runs that still go on when the interpreter ends."""

import subprocess
import sys
import time

import pytest

LONG = 60.0  # seconds; what should take few

PROGRAM = """
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from turgo import Executor, flow, task
from turgo.hooks import hookimpl


class Pool(Executor):
    capabilities = frozenset({"parallel"})

    @contextmanager
    def start(self):
        self._pool = ThreadPoolExecutor(1)
        try:
            yield self
        finally:
            self._pool.shutdown(cancel_futures=True)
            sys.stdout.write("closed\\n")
            sys.stdout.flush()

    def submit(self, fn, /, *args, extra_context=None, **kwargs):
        return self._pool.submit(fn, *args, **kwargs)


began = threading.Event()


@task(batch=False)
def nap(seconds):
    began.set()
    time.sleep(seconds)


@flow
def naps(seconds):
    return nap.map([seconds] * 1000)


running = naps.start(SECONDS, executor=Pool())
began.wait()
"""


def ended(program):
    """What a program printed, and the seconds that it took."""
    begin = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=2 * LONG, check=False
    )
    return done, time.monotonic() - begin


@pytest.mark.parametrize("more", ["", "del running\n"], ids=["kept", "dropped"])
def test_a_run_that_nobody_ended_ends_with_the_interpreter(more):
    """Its executor is closed in order, nothing is printed, and a thousand short calls are not waited for."""
    done, _ = ended(PROGRAM.replace("SECONDS", "0.2") + more)
    assert (done.returncode, done.stdout, done.stderr) == (0, "closed\n", "")


def test_an_error_that_ends_the_program_ends_the_run():
    """And it is the only one that is shown."""
    done, _ = ended(PROGRAM.replace("SECONDS", "0.2") + "1 / 0\n")
    assert done.returncode == 1 and done.stdout == "closed\n"
    assert done.stderr.count("Traceback") == 1 and done.stderr.endswith(
        "ZeroDivisionError: division by zero\n"
    )


def test_a_call_that_does_not_stop_keeps_no_interpreter_alive():
    """The run is in a daemon thread, and an inline call cannot be ended there."""
    inline = PROGRAM.replace("executor=Pool()", "executor=Inline()").replace(
        "began = threading",
        """
class Inline(Executor):
    def submit(self, fn, /, *args, extra_context=None, **kwargs):
        from turgo.futures import call_now
        return call_now(fn, *args, **kwargs)

began = threading""",
        1,
    )
    done, seconds = ended(inline.replace("SECONDS", "600"))
    assert (done.returncode, done.stderr) == (0, "")
    assert seconds < LONG
