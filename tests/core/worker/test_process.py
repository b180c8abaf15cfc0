"""Names of processes and workers."""

import os
import socket
import subprocess
import sys
import threading

from turgo.worker.process import is_local, process_name, worker_name


def test_a_worker_is_a_thread_of_a_process() -> None:
    """The main one has the name of the process alone; each is known to be here."""
    assert process_name() == f"{socket.gethostname()}:{os.getpid()}" == worker_name()
    names: list[str] = []
    thread = threading.Thread(target=lambda: names.append(worker_name()), name="seven")
    thread.start()
    thread.join()
    assert names == [f"{process_name()}/seven"]
    assert is_local(names[0]) and is_local(process_name())


def test_another_process_is_not_here() -> None:
    """Nor is a process of the same number on another machine."""
    assert not is_local(f"{socket.gethostname()}:1/seven")
    assert not is_local(f"elsewhere:{os.getpid()}")


COMES_BACK = """
import os, sys
from turgo.worker.process import end_forked_child, halt_in_forked_children

halted = []
halt_in_forked_children(lambda: halted.append(os.getpid()))
print("buffered", end="")
owner, child = os.getpid(), os.fork()
if os.getpid() != owner:
    assert halted == [os.getpid()]
    end_forked_child("measure")
assert halted == []
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 1
"""


def test_a_forked_process_is_halted_and_ended() -> None:
    """It says which task it came from, and what its parent has not written yet is written once."""
    command = [sys.executable, "-W", "ignore", "-c", COMES_BACK]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (0, "buffered"), done.stderr
    assert "measure had forked" in done.stderr
