"""The main guard: whether the script that runs now may be imported by the processes it starts."""

import subprocess
import sys

import pytest

SCRIPT = """
import multiprocessing
from penstock.main_module import require_guard

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
