"""Errors are pickled as they are."""

import copyreg
import pickle
import threading

import pytest

from turgo.worker.values.errors import reduced


class OddError(Exception):
    def __init__(self, code, *, reason):
        super().__init__(f"{code}: {reason}")
        self.code = code


class _Pickler(pickle.Pickler):
    def __init__(self, file, keep):
        super().__init__(file, protocol=5)
        self.keep = keep

    def reducer_override(self, obj):
        return reduced(obj, self.keep) if isinstance(obj, BaseException) else NotImplemented


def there_and_back(error, tmp_path, keep=None):
    """The error from its pickle."""
    path = tmp_path / "error"
    with path.open("wb") as file:
        _Pickler(file, keep).dump(error)
    return pickle.loads(path.read_bytes())


def test_a_constructor_is_not_called_again(tmp_path):
    """The attributes are there all the same."""
    error = there_and_back(OddError(5, reason="odd"), tmp_path)
    assert type(error) is OddError and str(error) == "5: odd" and error.code == 5


def test_what_another_library_registers_has_no_effect(tmp_path, monkeypatch):
    """As one that pickles all errors its own way."""
    monkeypatch.setitem(copyreg.dispatch_table, ValueError, lambda error: (ValueError, ("changed",)))
    assert there_and_back(ValueError("own"), tmp_path).args == ("own",)


@pytest.mark.parametrize(
    "error",
    [
        FileNotFoundError(2, "No such file", "a"),
        OSError(2, "between", "a", None, "b"),
        UnicodeDecodeError("utf8", b"x", 0, 1, "odd"),
        SyntaxError("odd", ("file.py", 3, 1, "x =", 3, 4)),
        SystemExit(3),
        StopIteration(4),
        KeyError("key"),
        ImportError("odd", name="a", path="b"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_builtin_errors_keep_their_fields(error, tmp_path):
    """Those that stand outside of `__dict__`."""
    copy = there_and_back(error, tmp_path)
    assert type(copy) is type(error) and str(copy) == str(error) and copy.args == error.args
    for name in (
        "errno",
        "filename",
        "filename2",
        "reason",
        "lineno",
        "text",
        "code",
        "value",
        "name",
        "path",
    ):
        assert getattr(copy, name, None) == getattr(error, name, None), name


def test_errors_that_lead_to_each_other_end(tmp_path):
    """A circle of causes is one there as here."""
    one, other = ValueError("one"), ValueError("other")
    one.__cause__, other.__cause__ = other, one
    copy = there_and_back(one, tmp_path)
    assert copy.__cause__.__cause__ is copy and copy.__suppress_context__


def test_a_member_that_is_not_kept_is_named(tmp_path):
    """And an argument is shown by its text."""
    error = ValueError("text", threading.Lock())
    error.lock = threading.Lock()
    copy = there_and_back(error, tmp_path, keep=lambda value: not isinstance(value, type(error.lock)))
    assert copy.args[0] == "text" and "lock" in copy.args[1] and not hasattr(copy, "lock")
    assert copy.__notes__ == [
        "left out, as it cannot be pickled: lock (a lock)",
        "shown only, as it cannot be pickled: args[1]",
    ]
