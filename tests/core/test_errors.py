"""Errors: the hierarchy is the one that is drawn, and each class survives pickling with its attributes."""

import copy
import inspect
import pickle
import re

import pytest

from turgo import errors

SAMPLES = {
    "ObserverError": {"observer": "Watch", "hook": "turgo_flow_started"},
    "RequirementError": {"missing": ("parallel",), "offered_by": ("dask",)},
    "RunTimeoutError": {"seconds": 1.5},
    "StillRunningError": {"seconds": 1.5},
    "ConfigError": {"file": "turgo.toml", "line": 3, "key": "executors.hpc"},
    "UnknownExecutorError": {"asked": "daks", "origin": "--executor", "known": ("dask",), "nearest": "dask"},
    "ExecutorNotInstalledError": {
        "asked": "dask",
        "install": "pip install turgo-dask",
        "origin": "option",
    },
    "DuplicateExecutorError": {"asked": "dask", "distributions": ("one", "two"), "origin": None},
    "BrokenPluginError": {
        "asked": "x",
        "distribution": "turgo-x",
        "reason": "ImportError",
        "origin": None,
    },
    "ExecutorLookupError": {"asked": "x", "origin": "argument"},
    "ExecutorImportError": {"asked": "x:Y", "origin": None},
    "NotAnExecutorError": {"asked": "x:Y", "origin": None},
    "ApiVersionError": {"asked": "x", "target": "a:B", "api_version": 2, "origin": None},
    "UntrustedCodeError": {"asked": "x:Y", "origin": "turgo.toml"},
    "OptionError": {"option": "adress", "executor": "dask", "nearest": "address"},
    "FlowFileError": {"path": "flow.py"},
    "ParameterError": {"parameter": "limit"},
    "ProjectError": {"asked": "class"},
    "UnresolvableFutureError": {"place": "args[0].weights"},
    "TaskTimeoutError": {"seconds": 1.5},
    "TaskError": {"type_name": "app.OddError", "bases": ("builtins.Exception",)},
    "TaskFailedError": {"task": "measure", "index": 3, "state": "Failed"},
}


def all_errors():
    classes = [
        cls for _, cls in inspect.getmembers(errors, inspect.isclass) if cls.__module__ == errors.__name__
    ]
    assert len(classes) > 25
    return classes


def drawn_parents():
    """Parent of each class in the tree of the module's docstring, by the column that its name stands in."""
    parents, above = {}, []
    for line in errors.__doc__.splitlines():
        match = re.match(r"    ([│ ├└─]*)([A-Z]\w+)(\s|$)", line)
        if match is None or (above and not match[1]):
            continue
        column = len(match[1])
        while above and above[-1][0] >= column:
            above.pop()
        parents[match[2]] = above[-1][1] if above else "Exception"
        above.append((column, match[2]))
    return parents


def test_the_hierarchy_is_the_one_that_is_drawn():
    """The tree of the docstring holds every class, under its true parent."""
    assert drawn_parents() == {cls.__name__: cls.__bases__[0].__name__ for cls in all_errors()}


@pytest.mark.parametrize("cls", all_errors(), ids=lambda cls: cls.__name__)
def test_errors_survive_pickling(cls):
    """Class, message, attributes and notes are the same on the other side, and in a copy."""
    error = cls("what was asked", **SAMPLES.get(cls.__name__, {}))
    error.add_note("seen on a worker")
    for came in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert type(came) is cls
        assert (str(came), came.args, vars(came)) == (str(error), error.args, vars(error))
        for name, value in SAMPLES.get(cls.__name__, {}).items():
            assert getattr(came, name) == value


def test_classes_of_authors_survive_pickling():
    """A subclass with a constructor of its own needs no pickling code."""
    error = OutOfQuotaError("alice", used=7)
    came = pickle.loads(pickle.dumps(error))
    assert (type(came), str(came), came.user, came.used) == (OutOfQuotaError, "alice has used 7", "alice", 7)


class OutOfQuotaError(errors.ExecutorError):
    def __init__(self, user, *, used):
        super().__init__(f"{user} has used {used}")
        self.user, self.used = user, used


def test_a_config_error_names_its_place():
    """File, line and key stand before the message, as far as they are known."""
    error = errors.ConfigError("no such key", file="turgo.toml", line=3, key="a.b")
    assert str(error) == "turgo.toml, line 3, key 'a.b': no such key"
    assert str(errors.ConfigError("empty")) == "empty"


def test_a_timeout_is_a_timeout_error():
    """`except TimeoutError` catches a task that took too long."""
    with pytest.raises(TimeoutError, match="too long"):
        raise errors.TaskTimeoutError("took too long", seconds=1.0)


@pytest.mark.parametrize(
    ("error", "builtin"),
    [
        (errors.OptionError, ValueError),
        (errors.TaskPolicyError, ValueError),
        (errors.ParameterError, TypeError),
        (errors.ValueNotPortableError, TypeError),
        (errors.TaskTimeoutError, TimeoutError),
        (errors.RunTimeoutError, TimeoutError),
        (errors.NoAttributeError, AttributeError),
        (errors.ExecutorLookupError, LookupError),
        (errors.ExecutorNotStartedError, RuntimeError),
        (errors.ExecutorStartedError, RuntimeError),
    ],
)
def test_an_error_is_what_the_field_calls_it_too(error, builtin):
    """A program that catches the builtin error for such a mistake catches ours, and the drawing says so."""
    assert issubclass(error, builtin)
    assert re.search(rf"── {error.__name__} .*\(also an? {builtin.__name__}\)", errors.__doc__)
