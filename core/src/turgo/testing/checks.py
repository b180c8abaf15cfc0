"""What every group of checks is made with. That is the rule in words, and the executor under test."""

from __future__ import annotations

import functools
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import pytest

from turgo.executor import Executor
from turgo.futures import Future
from turgo.testing import calls
from turgo.testing.observed.deadline import Overdue, deadline
from turgo.testing.observed.process_state import ProcessState
from turgo.testing.observed.sentences import observed
from turgo.testing.observed.thread_errors import thread_errors
from turgo.testing.subject import Subject

C = TypeVar("C", bound="Checks")

LEAST_BOUND_SECONDS = 10.0
"""What a check may take, however little patience there is."""


PAGE = "docs/contract.md"
"""Where every rule is written down, under the heading that its check is named after."""

PRINTS = "python -m turgo.testing.specification"
"""What shows that page to who has turgo from a wheel, where it is not."""


class ContractBroken(AssertionError):  # noqa: N818  (what a reader of a failed check sees)
    """A rule of the contract does not hold for the executor under test.

    `rule` is the rule, in words; `anchor` is its heading in PAGE.
    """

    def __init__(self, rule: str, observed: str, anchor: str) -> None:
        super().__init__(
            f"\n  the rule:  {rule}\n  but:       {observed}\n  see:       {PAGE}#{anchor} ({PRINTS} prints it)"
        )
        self.rule, self.anchor = rule, anchor


def anchor_of(check: str) -> str:
    """The heading's anchor of the rule that the check of that name proves: `test_starts_again` has `starts-again`."""
    return check.removeprefix("test_").replace("_", "-")


def rule(text: str, *, proves: str = "") -> Callable[[Callable[[C], None]], Callable[[C], None]]:
    """Name the rule that a check proves; whatever the check raises is then shown as that rule being broken.

    proves: the capability that is proven by it, where it is declared. What a broken rule may have broken besides is
    not held against the checks that follow: they get an executor that is started anew.
    """

    def decorate(check: Callable[[C], None]) -> Callable[[C], None]:
        @functools.wraps(check)
        def checked(self: C) -> None:
            if self.subject.lost_patience():
                pytest.skip(
                    "not run: the executor has used up the patience that there is with failing checks"
                )
            with thread_errors() as besides:
                began = time.monotonic()
                try:
                    with deadline(self.bound()):
                        check(self)
                except (Exception, pytest.fail.Exception, Overdue) as error:
                    seen = str(error) if isinstance(error, Overdue) else observed(error)
                    seen += self.subject.discard(max(self.patience, LEAST_BOUND_SECONDS))
                    self.subject.failed_seconds += time.monotonic() - began
                    seen += "".join(f"\n  besides:   {line}" for line in besides)
                    raise ContractBroken(text, seen, anchor_of(check.__name__)) from error

        checked.rule, checked.proves = text, proves  # type: ignore[attr-defined]  # what a reader of the checks lists
        return checked

    return decorate


class Checks:
    """A group of checks. The class attributes are for the author of an executor to set."""

    executor: ClassVar[Any] = None
    """Name, class path, mapping, class or instance of the executor under test."""

    executor_options: ClassVar[Mapping[str, Any]] = {}
    """Its options."""

    made_by: ClassVar[Callable[[], Executor] | None] = None
    """What makes one, where an instance says which: a copy of that has not gone through its constructor."""

    patience: ClassVar[float] = 30.0
    """Seconds after which what should happen is taken not to happen. Only broken executors need them.

    A whole check may take twice as long. Once failing checks have taken three times as long, the rest is not run.
    """

    load: ClassVar[int] = 10_000
    """How many calls the checks of load make; any other check makes no more than these either, slots aside."""

    huge: ClassVar[int] = 32 * 2**20
    """How many bytes a huge value has."""

    shared_folder: ClassVar[str | None] = None
    """A folder that the workers see too, if they do not see the temporary one of this machine."""

    lasting_threads: ClassVar[tuple[str, ...]] = ()
    """Beginnings of the names of threads that the library behind keeps for the life of the process."""

    failing_options: ClassVar[Mapping[str, Any] | None] = None
    """Options with which `start()` has to fail: the address of nobody, say."""

    subject: ClassVar[Subject]

    untouched: ClassVar[ProcessState]
    """What the process was before the first start."""

    @classmethod
    def bound(cls) -> float:
        """Seconds that one check may take."""
        return max(2 * cls.patience, LEAST_BOUND_SECONDS)

    @classmethod
    def setup_class(cls) -> None:
        """Called by pytest before the first check."""
        if cls.executor is None:
            raise TypeError(f'{cls.__name__}: say which executor to check: executor = "name"')
        cls.untouched = ProcessState.now()
        cls.subject = Subject(
            cls.executor,
            cls.executor_options,
            made_by=cls.made_by,
            lasting_threads=cls.lasting_threads,
            patience=cls.patience,
        )

    @classmethod
    def teardown_class(cls) -> None:
        """Called by pytest after the last check. Raises ContractBroken if something is left behind."""
        try:
            with deadline(cls.bound()):
                cls.subject.close()
        except (AssertionError, Overdue) as left:
            closed = "what was opened is closed when start() is left"
            raise ContractBroken(closed, str(left), "nothing-is-left") from left

    def make(self) -> Executor:
        """A new executor that is not started."""
        return self.subject.make()

    def alone(self) -> Executor:
        """A new executor that is not started, and no other one is: what it starts in may have room for one."""
        self.subject.close()
        return self.make()

    def fresh(self) -> AbstractContextManager[Executor]:
        """A started executor for this check alone."""
        return self.subject.fresh()

    def running(self) -> Executor:
        """A started executor, shared with other checks."""
        return self.subject.running()

    def at_most(self, count: int) -> int:
        """So many calls, or fewer if the executor is too slow for them."""
        return min(count, self.load)

    def value(self, future: Future[Any]) -> Any:
        """The value of a future, in bounded time."""
        return future.result(timeout=self.patience)

    def error(self, future: Future[Any]) -> BaseException:
        """The error of a future, in bounded time. Raises AssertionError if it has a value."""
        error = future.exception(timeout=self.patience)
        assert error is not None, f"the call has the value {future.result()!r} instead of an error"
        return error

    def eventually(self, holds: Callable[[], bool], what: str) -> None:
        """Wait until `holds()`. Raises AssertionError, which says `what`, after `patience` seconds."""
        end = time.monotonic() + self.patience
        while not holds():
            assert time.monotonic() < end, f"{what}: not within {self.patience:g} s"
            time.sleep(0.005)

    @contextmanager
    def folder(self) -> Iterator[Path]:
        """An empty folder that this process and the workers see."""
        with tempfile.TemporaryDirectory(dir=self.shared_folder, ignore_cleanup_errors=True) as name:
            yield Path(name)

    def occupy(self, executor: Executor, folder: Path) -> list[Future[Any]]:
        """Take all slots by calls that run until the file `gate` is in `folder`."""
        signs = [folder / f"occupant-{number}" for number in range(executor.slots)]
        gate = str(folder / "gate")
        occupants = [executor.submit(calls.meet, str(sign), gate, self.patience) for sign in signs]
        self.eventually(lambda: any(sign.exists() for sign in signs), "a call that was submitted begins")
        return occupants

    @contextmanager
    def occupied(self, executor: Executor, folder: Path) -> Iterator[list[Future[Any]]]:
        """All slots taken; at the end, or once the file `gate` is there, they are free again."""
        try:
            yield self.occupy(executor, folder)
        finally:
            (folder / "gate").touch()

    def needs_waiting_calls(self) -> None:
        """Skip a check that has no meaning where `submit` computes the call itself."""
        if self.subject.is_synchronous():
            pytest.skip("a synchronous executor has computed the call when submit returns")

    def needs_declared(self, capability: str) -> Executor:
        """The shared executor; skips the check if it does not declare the capability."""
        executor = self.running()
        if capability not in executor.capabilities:
            pytest.skip(f"does not declare `{capability}`")
        return executor

    def needs_undeclared(self, capability: str) -> Executor:
        """The shared executor; skips the check if it declares the capability."""
        executor = self.running()
        if capability in executor.capabilities:
            pytest.skip(f"declares `{capability}`")
        return executor

    def in_this_process(self, executor: Executor) -> bool:
        """Whether its calls run in the process of the driver."""
        return bool(self.value(executor.submit(os.getpid)) == os.getpid())

    def needs_workers(self) -> Executor:
        """The shared executor, whose workers may be killed; skips the check if it does not declare to survive that."""
        executor = self.needs_declared("survives_worker_loss")
        assert not self.in_this_process(executor), (
            "calls run in the driver's process, whose loss nobody survives"
        )
        return executor

    def still_works(self, executor: Executor) -> None:
        """Raise AssertionError unless later calls run: as many as there are slots, and more."""
        count = 2 * executor.slots + 1
        futures = [executor.submit(calls.add, number, 1) for number in range(count)]
        assert [self.value(future) for future in futures] == list(range(1, count + 1))
