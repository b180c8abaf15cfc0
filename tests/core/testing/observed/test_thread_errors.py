"""Exceptions in threads of an executor are shown with the check that they happened in."""

import threading
from pathlib import Path

import pytest

from turgo.registry.source_files import load_source
from turgo.testing import ExecutorConformance
from turgo.testing.checks import ContractBroken
from turgo.testing.observed.thread_errors import thread_errors

pytestmark = pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnhandledThreadExceptionWarning"
)  # they are meant

Right = load_source(Path(__file__).parents[1] / "right_executor.py").Right


def _fail() -> None:
    raise ValueError("in the author's own thread")


def fail_aside() -> None:
    """Start a thread that ends with an exception, and wait for its end."""
    thread = threading.Thread(target=_fail, name="aside")
    thread.start()
    thread.join()


class FailsAside(Right):  # type: ignore[valid-type,misc]
    """A thread of its own breaks, and so does what it returns."""

    def submit(self, fn, /, *args, extra_context=None, **kwargs):  # type: ignore[no-untyped-def]
        fail_aside()
        return super().submit(int)


@pytest.fixture(autouse=True)
def _quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """The hook that is in force before does not fail the test."""
    monkeypatch.setattr(threading, "excepthook", lambda args: None)


def test_an_exception_that_ends_a_thread_is_kept() -> None:
    """With the thread's name and its class; afterwards the hook is as it was."""
    before = threading.excepthook
    with thread_errors() as found:
        fail_aside()
    assert found == ["in the thread 'aside': ValueError: in the author's own thread"]
    assert threading.excepthook is before


def test_a_check_that_fails_shows_it() -> None:
    """Beside what it observed, as it is most likely the reason."""
    suite = type("Suite", (ExecutorConformance,), {"executor": FailsAside})
    suite.setup_class()
    try:
        with pytest.raises(
            ContractBroken, match="besides:   in the thread 'aside': ValueError: in the author's own"
        ):
            suite().test_arguments_arrive()
    finally:
        suite.subject.discard(suite.bound())
