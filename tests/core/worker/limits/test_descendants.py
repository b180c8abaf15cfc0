"""Which processes count as started by another one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from turgo.worker.limits.descendants import (
    Relative,
    descendants,
    relative,
    send_signal,
    ticks_since_boot,
)

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are found by /proc")

GRANDPARENT = """
import os, subprocess, sys
os.setsid()
inner = "import subprocess; child = subprocess.Popen(['sleep', '60']); print(child.pid, flush=True); child.wait()"
child = subprocess.Popen([sys.executable, "-c", inner], stdout=subprocess.PIPE, text=True, start_new_session={own})
print(child.pid, child.stdout.readline(), end="", flush=True)
child.wait()
"""


@pytest.fixture(params=[False, True], ids=["one session", "a session of its own"])
def chain(request: pytest.FixtureRequest) -> Iterator[tuple[subprocess.Popen[str], int, int]]:
    """A process that leads a session, with a child and a grandchild."""
    command = [sys.executable, "-c", GRANDPARENT.format(own=request.param)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as root:
        assert root.stdout is not None
        child, grandchild = map(int, root.stdout.readline().split())
        yield root, child, grandchild
        for pid in (child, grandchild):
            found = relative(pid)
            send_signal([found] if found else [], signal.SIGKILL)
        root.kill()


def test_children_and_their_children_are_found(chain: tuple[subprocess.Popen[str], int, int]) -> None:
    """By their parents, whether they have a session of their own or not; the root itself is none of them."""
    root, child, grandchild = chain
    assert {each.pid for each in descendants(root.pid)} == {child, grandchild}


def test_what_lost_its_parent_is_found_by_the_session(tmp_path: object) -> None:
    """The child is gone, so that nothing but the session leads to the grandchild."""
    with subprocess.Popen(
        [sys.executable, "-c", GRANDPARENT.format(own=False)], stdout=subprocess.PIPE, text=True
    ) as root:
        assert root.stdout is not None
        child, grandchild = map(int, root.stdout.readline().split())
        os.kill(child, signal.SIGKILL)
        root.wait(30)
        (left,) = descendants(root.pid)
        assert left.pid == grandchild
        send_signal([left], signal.SIGKILL)


def test_a_process_whose_id_was_given_again_gets_no_signal() -> None:
    """It is known by when it started as well."""
    with subprocess.Popen(["sleep", "60"]) as process:
        found = relative(process.pid)
        assert found is not None
        send_signal([found._replace(started=found.started - 1)], signal.SIGKILL)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.2)
        send_signal([found], signal.SIGKILL)
        assert process.wait(30) == -signal.SIGKILL


def test_the_start_of_a_process_is_told_by_the_clock_of_ticks() -> None:
    """What was started between two looks at the clock has a start between them."""
    before = ticks_since_boot()
    with subprocess.Popen(["sleep", "60"]) as process:
        found = relative(process.pid)
        after = ticks_since_boot()
        process.kill()
    assert isinstance(found, Relative)
    assert before <= found.started <= after


def test_a_process_that_is_gone_is_none() -> None:
    """Neither one that never was, nor one that has ended and was not waited for."""
    with subprocess.Popen(["true"]) as process:
        end = time.monotonic() + 30
        while relative(process.pid) is not None:
            assert time.monotonic() < end
            time.sleep(0.01)
    assert relative(2**22 + 1) is None


TRACKER = """
import subprocess, threading
from multiprocessing import resource_tracker
from turgo.worker.limits.descendants import started_by_thread

resource_tracker.ensure_running()
with subprocess.Popen(["sleep", "60"]) as child:
    found = [each.pid for each in started_by_thread(threading.get_native_id())]
    child.kill()
print(found == [child.pid])
"""


def test_what_frees_semaphores_is_not_a_call_s(tmp_path: object) -> None:
    """Although a call that makes a pool starts it: it goes on for all that come later."""
    done = subprocess.run(
        [sys.executable, "-c", TRACKER], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.stdout, done.stderr) == ("True\n", "")
