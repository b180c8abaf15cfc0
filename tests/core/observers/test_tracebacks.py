"""Tracebacks as the user sees them: without the frames of the machinery."""

import traceback

from turgo.observers.tables import aligned
from turgo.observers.tracebacks import trim

MACHINERY = """\
Traceback (most recent call last):
  File "/env/lib/python3.12/site-packages/turgo/worker/execute.py", line 80, in attempt
    return call.fn(*args)
           ^^^^^^^^^^^^^^
  File "/home/me/turgo/flows/census.py", line 12, in measure
    parse(path)
    ~~~~~^^^^^^
  File "/env/lib/python3.12/json/decoder.py", line 3, in parse
    raise ValueError(path)
  File "/env/lib/python3.12/concurrent/futures/_base.py", line 449, in result
    return self.__get_result()
ValueError: /etc/x

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "/env/lib/python3.12/site-packages/pluggy/_manager.py", line 10, in run
    x()
  File "/env/lib/python3.12/site-packages/cloudpickle/cloudpickle.py", line 11, in execute
    y()
KeyError: 'x'
"""

TRIMMED = """\
Traceback (most recent call last):
  File "/home/me/turgo/flows/census.py", line 12, in measure
    parse(path)
    ~~~~~^^^^^^
  File "/env/lib/python3.12/json/decoder.py", line 3, in parse
    raise ValueError(path)
ValueError: /etc/x

During handling of the above exception, another exception occurred:

KeyError: 'x'"""


def test_tracebacks_keep_the_users_frames() -> None:
    """Frames of turgo and of pools go, a user's folder of that name stays, chains stay whole."""
    assert trim(MACHINERY) == TRIMMED


def test_tracebacks_lose_the_frames_of_an_editable_installation() -> None:
    """Turgo's own frames go wherever it is installed, and what is no traceback is left alone."""
    try:
        aligned(["a"], [[]])
    except ValueError:
        text = traceback.format_exc()
    assert "tables.py" in text and "tables.py" not in trim(text)
    assert "test_tracebacks.py" in trim(text)
    assert trim("KeyError: 'x'\n") == "KeyError: 'x'"
    assert trim("") == ""
