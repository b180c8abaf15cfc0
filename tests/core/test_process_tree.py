"""Ending a process together with all that it has started."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from turgo.process_tree import ProcessTree
from turgo.worker.limits.descendants import relative

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are found by /proc")

PARENT = """
import os, signal, subprocess, sys
os.setsid()
if {deaf}:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen(["sleep", "60"], start_new_session={own})
print(child.pid, flush=True)
child.wait()
"""

RABBITS = """
import os, subprocess, sys, time
os.setsid()
print(flush=True)
while True:
    if os.fork() == 0:
        time.sleep(60)
        os._exit(0)
    time.sleep(0.001)
"""


def started(code: str) -> subprocess.Popen[str]:
    """A process that runs the code."""
    return subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)


def wait_until_gone(pid: int) -> None:
    """Fail unless it ends soon."""
    end = time.monotonic() + 30
    while relative(pid) is not None:
        assert time.monotonic() < end, "a process lives on"
        time.sleep(0.01)


@pytest.mark.parametrize("own", [False, True])
@pytest.mark.parametrize("deaf", [False, True])
def test_killing_ends_the_process_and_what_it_started(deaf: bool, own: bool) -> None:
    """Whether it would end by itself or not, and whichever session the child is in."""
    with started(PARENT.format(deaf=deaf, own=own)) as root:
        assert root.stdout is not None
        child = int(root.stdout.readline())
        ProcessTree(root.pid).kill()
        assert root.wait(30) == -signal.SIGKILL
        wait_until_gone(child)


def test_asking_reaches_the_process_and_what_it_started() -> None:
    """SIGTERM for all; the child has a session of its own."""
    with started(PARENT.format(deaf=False, own=True)) as root:
        assert root.stdout is not None
        child = int(root.stdout.readline())
        ProcessTree(root.pid).terminate()
        assert root.wait(30) == -signal.SIGTERM
        wait_until_gone(child)


def test_what_was_seen_is_ended_though_nothing_leads_to_it_any_more() -> None:
    """The root has ended when it was asked to, its deaf child has not: it is remembered and killed."""
    deaf_child = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); time.sleep(60)"
    code = (
        "import os, subprocess, sys\n"
        "os.setsid()\n"
        f"child = subprocess.Popen([sys.executable, '-c', {deaf_child!r}], stdout=subprocess.PIPE,"
        " start_new_session=True)\n"
        "child.stdout.readline()\n"
        "print(child.pid, flush=True)\n"
        "child.wait()\n"
    )
    with started(code) as root:
        assert root.stdout is not None
        child = int(root.stdout.readline())
        tree = ProcessTree(root.pid)
        tree.terminate()
        assert root.wait(30) == -signal.SIGTERM
        assert relative(child) is not None
        tree.kill()
        wait_until_gone(child)


def test_what_lost_its_parent_is_ended_after_the_death_of_the_root() -> None:
    """The root was killed by somebody else; its child is in the session that it led."""
    with started(PARENT.format(deaf=False, own=False)) as root:
        assert root.stdout is not None
        child = int(root.stdout.readline())
        tree = ProcessTree(root.pid)
        os.kill(root.pid, signal.SIGKILL)
        root.wait(30)
        assert relative(child) is not None
        tree.kill()
        wait_until_gone(child)


def test_a_process_that_goes_on_starting_others_is_ended_with_all_of_them() -> None:
    """It is stopped first, so that what is found is all there is."""
    with started(RABBITS) as root:
        assert root.stdout is not None
        root.stdout.readline()
        ProcessTree(root.pid).kill()
        assert root.wait(30) == -signal.SIGKILL
        root.stdout.read()  # ends when nobody holds it
