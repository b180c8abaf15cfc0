"""Children look where their parent looks."""

import multiprocessing
import sys
from multiprocessing import util

import pytest

from turgo.safe_path import safe_path


def say(queue):
    """Say how this child was started."""
    queue.put((bool(sys.flags.safe_path), "planted" in sys.modules))


def test_a_child_does_not_look_into_the_current_folder(tmp_path, monkeypatch):
    """Not even for a module that Python itself needs as it starts; a child begun outside is as ever."""
    (tmp_path / "queue.py").write_text(
        "import sys\nsys.modules['planted'] = sys\nraise ImportError('planted')\n"
    )
    monkeypatch.chdir(tmp_path)
    spawn = multiprocessing.get_context("spawn")
    with safe_path():
        queue = spawn.SimpleQueue()
        child = spawn.Process(target=say, args=(queue,))
        child.start()
    assert queue.get() == (True, False)
    child.join(30)
    assert child.exitcode == 0


def test_it_is_undone_when_the_last_one_is_left():
    """Nested, and after an error."""
    before = util._args_from_interpreter_flags
    with pytest.raises(LookupError), safe_path():
        with safe_path():
            assert util._args_from_interpreter_flags().count("-P") == 1
        assert util._args_from_interpreter_flags().count("-P") == 1
        raise LookupError
    assert util._args_from_interpreter_flags is before


def test_what_somebody_else_has_put_there_meanwhile_stays(monkeypatch):
    """It is theirs to undo."""
    before = util._args_from_interpreter_flags
    with safe_path():
        theirs = lambda: ["-B"]  # noqa: E731
        util._args_from_interpreter_flags = theirs
    assert util._args_from_interpreter_flags is theirs
    util._args_from_interpreter_flags = before
