"""What a worker says of itself, where only Python is."""

import inspect
import os
import subprocess
import sys

from turgo.cli.doctor import worker_facts


def test_its_text_needs_nothing_but_python() -> None:
    """It runs in a bare interpreter, from its text alone."""
    text = inspect.getsource(worker_facts) + "\nprint(facts(['turgo', 'no-such'], ['json', 'no_such.thing']))"
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", text], capture_output=True, text=True, timeout=60, check=False
    )
    assert "'no-such': None" in done.stdout, done.stderr
    assert "'missing': ['no_such.thing']" in done.stdout


def test_it_says_who_it_is() -> None:
    """As records name workers, by host and process."""
    assert worker_facts.facts([], [])["name"].endswith(f":{os.getpid()}")
