"""Errors come home as they were raised, on every executor: each kind compared with what `local` gives."""

import asyncio
import functools
import gc
import re
import threading
import urllib.error

import pytest

from turgo import current, flow, task

# Python 3.14 warns of an HTTPError that nobody has closed, whenever it is collected.
pytestmark = pytest.mark.filterwarnings("ignore:Implicitly cleaning up:ResourceWarning")


@pytest.fixture(autouse=True)
def let_go():
    """What a test has raised is collected before the next one."""
    yield
    gc.collect()


class CodeError(Exception):
    """Its constructor takes other arguments than the error shows."""

    def __init__(self, code, message):
        super().__init__(f"{code}: {message}")
        self.code = code


class KeywordError(Exception):
    """Its constructor takes names alone."""

    def __init__(self, *, code):
        super().__init__(code)
        self.code = code


class SlotsError(Exception):
    """It holds its number outside of `__dict__`."""

    __slots__ = ("number",)

    def __init__(self, number):
        self.number = number


class HoldsLockError(Exception):
    """A member of it cannot be pickled."""

    def __init__(self, message):
        super().__init__(message)
        self.lock, self.code = threading.Lock(), 5


def plain():
    raise ValueError("plain", 1)


def attributes():
    error = CodeError(503, "busy")
    error.add_note("a note")
    raise error


def keyword():
    raise KeywordError(code=5)


def slots():
    raise SlotsError(7)


def system():
    open("/no/such/file")  # noqa: SIM115  (it does not open)


def page():
    raise urllib.error.HTTPError("http://127.0.0.1/x", 503, "busy", None, None)


def decoding():
    b"\xff".decode()


def leaving():
    raise SystemExit(3)


def group():
    raise ExceptionGroup("two", [CodeError(1, "one"), KeywordError(code=2)])


def cause():
    try:
        raise KeywordError(code=1)
    except KeywordError as error:
        raise ValueError("second") from error


def context():
    try:
        raise CodeError(1, "first")
    except CodeError:
        raise ValueError("second")  # noqa: B904  (its context is what is shown)


def locked():
    raise HoldsLockError("held")


def local_class():
    class LocalError(Exception):
        pass

    raise LocalError("local")


def deeper():
    return sorted([2, 1], key=lambda number: number / 0)


async def later():
    await asyncio.sleep(0)
    raise CodeError(504, "late")


def decorated():
    @functools.wraps(plain)
    def wrapper():
        return plain()

    return wrapper()


BODIES = [
    plain, attributes, keyword, slots, system, page, decoding, leaving, group, cause, context, locked, local_class,
    deeper, later, decorated,
]  # fmt: skip


@flow
def raised():
    return [task(each)() for each in BODIES]


@task(retries=2, retry_on=lambda error: error.code in (502, 503))
def asks():
    if current().attempt == 1:
        raise CodeError(503, "busy")
    return "answer"


@flow
def asking():
    return asks()


def shown(error):
    """All that an error holds, save what was left out of it."""
    if error is None:
        return None
    fields = ("code", "number", "errno", "filename", "strerror", "reason", "object")
    held = {name: getattr(error, name) for name in fields if hasattr(error, name)}
    notes = [note for note in getattr(error, "__notes__", ()) if not note.startswith("left out")]
    members = [shown(each) for each in getattr(error, "exceptions", ())]
    kind = f"{type(error).__module__}.{type(error).__qualname__}"
    return kind, str(error), held, notes, members, shown(error.__cause__), shown(error.__context__)


def test_each_error_is_what_local_gives(engine):
    """Class, text, attributes, notes, members, cause and context."""
    here, there = raised.run(executor="local"), raised.run(executor=engine.executor)
    for one, other in zip(here.task_runs, there.task_runs, strict=True):
        print(
            one.name, engine.name, "same" if shown(other.error) == shown(one.error) else "differs", sep=" | "
        )
    for one, other in zip(here.task_runs, there.task_runs, strict=True):
        assert shown(other.error) == shown(one.error), one.name


def test_each_traceback_is_what_local_gives(engine):
    """File, line and source of each frame of the user's, and no other frame."""
    here, there = raised.run(executor="local"), raised.run(executor=engine.executor)
    for one, other in zip(here.task_runs, there.task_runs, strict=True):
        assert other.traceback == one.traceback, one.name
        files = re.findall(r'File "(.+)", line', one.traceback)
        assert files and set(files) == {__file__}, one.name


def test_what_is_left_out_of_an_error_is_named(engine):
    """In a note, wherever the error crossed to another process."""
    run = raised.run(executor=engine.executor)
    (error,) = [each.error for each in run.task_runs if each.name == "locked"]
    assert hasattr(error, "lock") or any("lock (a lock)" in note for note in error.__notes__)


def test_retry_on_is_asked_about_the_error_itself(engine):
    """It reads an attribute that the error's class gives it."""
    run = asking.run(executor=engine.executor)
    assert run.result == "answer" and len(run.task_runs[0].attempts) == 2


@pytest.mark.parametrize("size", [1_000, 70_000, 300_000])
def test_a_retry_gets_its_arguments_as_the_first_try_did(engine, size):
    """On both sides of the size from which values stay: where calls own their copy, no try sees another's."""

    @task
    def make():
        return bytearray(size)

    @task(retries=1)
    def change(data):
        data += b"x"
        if current().attempt == 1:
            raise ValueError("again")
        return len(data)

    @flow
    def changing():
        return change(make())

    shares = engine.name in ("local", "synchronous", "threads", "file", "dask in threads")
    assert changing.run(executor=engine.executor).result == size + (2 if shares else 1)
