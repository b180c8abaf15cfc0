"""The main guard: whether the script that runs now may be imported by the processes it starts."""

import pickle
import subprocess
import sys

import pytest

from turgo.main_module import ChildName

SCRIPT = """
import multiprocessing
from turgo.main_module import require_guard

def in_child(said):
    try:
        require_guard()
    except Exception as error:
        said.put(str(error))
    else:
        said.put("fine")

def main(daemon=False):
    require_guard()
    spawning = multiprocessing.get_context("spawn")
    said = spawning.SimpleQueue()
    child = spawning.Process(target=in_child, args=(said,), daemon=daemon)
    child.start()
    print(said.get())
    child.join()

"""


@pytest.mark.parametrize(
    ("call", "code", "told"),
    [
        ("if __name__ == '__main__':\n    main()\n", 0, "fine"),
        ("if __name__ == '__main__':\n    main(daemon=True)\n", 0, "may not start processes of its own"),
        ("main()\n", 1, "behind a guard"),
    ],
)
def test_a_script_needs_a_guard_and_a_process_that_it_started_needs_none(tmp_path, call, code, told):
    """What starts the process is no script: a task may start processes of its own."""
    script = tmp_path / "script.py"
    script.write_text(SCRIPT + call)
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=60)
    assert done.returncode == code
    assert told in done.stdout + done.stderr


@pytest.mark.parametrize(("call", "code"), [("main()", 1), ("if __name__ == '__main__':\n    main()", 0)])
def test_a_thread_needs_the_guard_of_the_script_that_started_it(tmp_path, call, code):
    """If it was told which line that executes; a thread has no frame of the script below it."""
    script = tmp_path / "script.py"
    script.write_text(
        """
import contextvars
import sys
import threading
from turgo.main_module import remember_script_line, require_guard

def main():
    said = []

    def look():
        try:
            require_guard()
        except Exception as error:
            said.append(error)

    context = contextvars.copy_context()
    context.run(remember_script_line)
    for each in (look, lambda: context.run(look)):
        thread = threading.Thread(target=each)
        thread.start()
        thread.join()
    sys.exit(len(said))

"""
        + call
    )
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (code, "")


def test_a_program_from_standard_input_is_told_that_it_needs_a_file():
    """No process that it starts could import it; the message says so, before one is started."""
    program = "from turgo.main_module import require_guard\nrequire_guard()\n"
    done = subprocess.run([sys.executable, "-"], input=program, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "put it into a file" in done.stderr


def test_the_name_of_a_process_guards_what_it_imports_afterwards(tmp_path):
    """A module that is imported there opens no file; where turgo is missing, it is a name like any other."""
    (tmp_path / "logs_to_a_file.py").write_text(
        "import logging\nlogging.basicConfig(filename='kept.txt', filemode='w')\n"
    )
    (tmp_path / "kept.txt").write_text("what the driver wrote")
    unpickled = "import pickle, sys\nprint(pickle.load(sys.stdin.buffer))\n"
    imported = "sys.path.insert(0, '')\nimport logs_to_a_file\n"
    name = pickle.dumps(ChildName("a-process"))
    for command in (["-c", unpickled + imported], ["-I", "-S", "-c", unpickled]):
        done = subprocess.run(
            [sys.executable, *command], input=name, capture_output=True, cwd=tmp_path, timeout=60, check=True
        )
        assert done.stdout.strip() == b"a-process"
    assert (tmp_path / "kept.txt").read_text() == "what the driver wrote"
