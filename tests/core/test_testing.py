"""The conformance suite: every check of it fails on an executor that breaks its rule."""

from __future__ import annotations

import concurrent.futures
import functools
import inspect
import itertools
import json
import pickle
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress

import pytest

from penstock.executor import Executor
from penstock.futures import find, replace
from penstock.testing import ExecutorConformance, ManualExecutor
from penstock.testing.checks import ContractBroken
from penstock.testing.leaks import nothing_left


class Right(Executor):
    """A thread pool that keeps the contract; each class below breaks one rule of it, or a few."""

    capabilities = frozenset({"parallel"})

    def __init__(self, *, workers=2):
        self.workers = workers

    @property
    def slots(self):
        return self.workers

    @contextmanager
    def start(self):
        self._pool = ThreadPoolExecutor(self.workers)
        try:
            yield self
        finally:
            self._pool.shutdown(cancel_futures=True)

    def submit(self, fn, /, *args, extra_context=None, **kwargs):
        return self._pool.submit(fn, *args, **kwargs)


class TestThreads(ExecutorConformance):
    """The suite passes on an executor that keeps the contract."""

    executor = Right


class Synchronous(Executor):
    """Computes each call in `submit`, as the contract allows."""

    def submit(self, fn, /, *args, extra_context=None, **kwargs):
        future = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001  (whatever the call raises)
            future.set_exception(error)
        return future


class TestSynchronous(ExecutorConformance):
    """The suite passes on a synchronous executor, given as an instance."""

    executor = Synchronous()


# ---- the life cycle


class Unguarded(Right):
    breaks = ("start_gives_the_executor", "started_says_so", "start_inside_start_is_refused",
              "left_is_refused", "not_started_is_refused", "unresolvable_places_are_named")  # fmt: skip


@contextmanager
def _start_unguarded(self):
    with ThreadPoolExecutor(2) as self._pool:
        yield self._pool


Unguarded.start = _start_unguarded  # after the class was made, so that the base class cannot wrap it
Unguarded.submit = lambda self, fn, /, *args, extra_context=None, **kwargs: self._pool.submit(
    fn, *args, **kwargs
)


class StartsOnce(Right):
    breaks = ("starts_again",)

    def start(self):
        if hasattr(self, "_pool"):
            raise RuntimeError("used up")
        return super().start()


class SwallowsErrors(Right):
    breaks = ("error_inside_comes_out",)

    @contextmanager
    def start(self):
        with super().start(), suppress(Exception):
            yield self


class LeaksThread(Right):
    breaks = ("nothing_is_left", "flows_start_and_close")

    @contextmanager
    def start(self):
        threading.Timer(1.5, int).start()
        with super().start():
            yield self


class LeaksProcess(Right):
    breaks = ("nothing_is_left",)

    @contextmanager
    def start(self):
        self._child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(3)"])
        with super().start():
            yield self

    def __del__(self):
        if hasattr(self, "_child"):
            self._child.kill()
            self._child.wait()


class ClosesOnlyInPeace(Right):
    breaks = ("nothing_is_left_after_an_error",)

    @contextmanager
    def start(self):
        self._pool = ThreadPoolExecutor(self.workers)
        late = threading.Timer(1.5, self._pool.shutdown)
        late.daemon = True
        late.start()
        yield self
        self._pool.shutdown()


class Drains(Right):
    breaks = ("waiting_calls_never_begin",)

    @contextmanager
    def start(self):
        with ThreadPoolExecutor(self.workers) as self._pool:
            yield self


class CopiesTheRest(Right):
    breaks = ("copies_are_not_started", "pickles_during_start", "pickling_disturbs_nothing")

    def __getstate__(self):
        return self.__dict__


class NoSlots(Right):
    breaks = ("slots_are_counted",)
    slots = 0


class Boasts(Right):
    breaks = ("capabilities_are_known",)
    capabilities = frozenset({"teleports"})


class FromTheFuture(Right):
    breaks = ("api_version_is_spoken",)
    api_version = 99


# ---- submission


class GivesValues(Right):
    breaks = ("submit_gives_a_future",)

    def submit(self, fn, /, *args, extra_context=None, **kwargs):
        return fn(*args, **kwargs)


class Blocks(Right):
    breaks = ("submit_never_blocks", "map_never_blocks")

    def submit(self, fn, /, *args, extra_context=None, **kwargs):
        future = super().submit(fn, *args, **kwargs)
        concurrent.futures.wait([future])
        return future


class Lazy(Right):
    breaks = ("calls_begin_eagerly",)

    def submit(self, fn, /, *args, extra_context=None, **kwargs):
        return _LazyFuture(functools.partial(fn, *args, **kwargs))


class _LazyFuture(Future):
    def __init__(self, call):
        super().__init__()
        self.call = call

    def result(self, timeout=None):
        self.set_result(self.call())
        return super().result()


class OneByOne(Right):
    breaks = ("parallel_is_parallel",)

    @contextmanager
    def start(self):
        with ThreadPoolExecutor(1) as self._pool:
            yield self


class DropsKeywords(Right):
    breaks = ("arguments_arrive",)

    def submit(self, fn, /, *args, extra_context=None, **kwargs):
        return super().submit(fn, *args)


class TakesNames(Right):
    breaks = ("keywords_of_any_name_arrive",)

    def submit(self, fn, *args, extra_context=None, key=None, **kwargs):
        return super().submit(fn, *args, **kwargs)


class FillsIn(Right):
    breaks = ("defaults_count",)

    def submit(self, fn, /, *args, extra_context=None, **kwargs):
        return super().submit(fn, *(args or (None,)), **kwargs)


class FunctionsOnly(Right):
    breaks = ("callables_of_every_kind",)

    def submit(self, fn, /, *args, extra_context=None, **kwargs):
        return super().submit(getattr(sys.modules[fn.__module__], fn.__name__), *args, **kwargs)


class SpeaksJson(Right):
    breaks = ("values_of_every_kind", "containers_keep_their_class")

    def submit(self, fn, /, *args, extra_context=None, **kwargs):
        return super().submit(lambda: json.loads(json.dumps(fn(*args, **kwargs))))


class PassesHints(Right):
    breaks = ("hints_are_hints", "hints_of_map_are_hints")

    def submit(self, fn, /, *args, extra_context=None, **kwargs):
        return super().submit(fn, *args, **(extra_context or {}), **kwargs)


class Remembers(Right):
    breaks = ("equal_calls_run_each",)

    def submit(self, fn, /, *args, extra_context=None, **kwargs):
        self._known = getattr(self, "_known", {})
        if (fn, args) not in self._known:
            self._known[fn, args] = super().submit(fn, *args, **kwargs)
        return self._known[fn, args]


class RaisesAtOnce(Right):
    breaks = ("submit_never_raises", "errors_come_through", "elements_fail_alone", "many_failures")

    def submit(self, fn, /, *args, extra_context=None, **kwargs):
        future = Future()
        future.set_result(fn(*args, **kwargs))
        return future


class BindsEarly(Right):
    breaks = ("wrong_arguments_are_the_futures_error",)

    def submit(self, fn, /, *args, extra_context=None, **kwargs):
        inspect.signature(fn).bind(*args, **kwargs)
        return super().submit(fn, *args, **kwargs)


class PicklesEarly(Right):
    breaks = ("unpicklable_arguments_harm_nobody",)

    def submit(self, fn, /, *args, extra_context=None, **kwargs):
        pickle.dumps(args)
        return super().submit(fn, *args, **kwargs)


class OddFutures(Right):
    """Its futures are of the class `kind`."""

    kind = Future

    def submit(self, fn, /, *args, extra_context=None, **kwargs):
        future = super().submit(fn, *args, **kwargs)
        future.__class__ = self.kind
        return future


class Forgets(OddFutures):
    breaks = ("results_keep",)

    class kind(Future):  # noqa: N801
        def result(self, timeout=None):
            self.made = getattr(self, "made", time.monotonic())
            if time.monotonic() - self.made > 0.03:
                raise LookupError("gone")
            return super().result(timeout)

    def submit(self, fn, /, *args, extra_context=None, **kwargs):
        future = super().submit(fn, *args, **kwargs)
        future.made = time.monotonic()
        return future


# ---- futures among the arguments


class HandsOnFutures(Right):
    breaks = ("futures_arrive_as_values", "nested_futures_arrive", "failed_arguments_fail_the_call",
              "chains_run", "futures_are_shared", "elements_of_every_kind", "many_futures_in_one_call",
              "dependent_calls_are_taken_back")  # fmt: skip
    native_futures = (Future,)


class ResolvesInSubmit(Right):
    breaks = ("foreign_futures_are_resolved", "cancelled_counts_as_done")
    native_futures = (Future,)

    def submit(self, fn, /, *args, extra_context=None, **kwargs):
        args = replace(args, lambda future: future.result(timeout=0.2))
        return super().submit(fn, *args, **kwargs)


class ResolvesInWorker(Right):
    breaks = ("waiting_calls_take_no_slot",)
    native_futures = (Future,)

    def submit(self, fn, /, *args, extra_context=None, **kwargs):
        return super().submit(lambda: fn(*replace(args, lambda future: future.result()), **kwargs))


# ---- results


class NoneIsPending(OddFutures):
    breaks = ("none_is_a_value",)

    class kind(Future):  # noqa: N801
        def done(self):
            return super().done() and self.result() is not None


class RaisesReturned(Right):
    breaks = ("returned_exceptions_are_values",)

    def submit(self, fn, /, *args, extra_context=None, **kwargs):
        def call():
            value = fn(*args, **kwargs)
            if isinstance(value, Exception):
                raise value
            return value

        return super().submit(call)


class Truncates(Right):
    breaks = ("large_values_come", "many_calls")

    def submit(self, fn, /, *args, extra_context=None, **kwargs):
        def call():
            value = fn(*args, **kwargs)
            return value[: 2**20] if isinstance(value, bytes) else value

        self._count = getattr(self, "_count", 0) + 1
        return super().submit(call if self._count < 100 else int)


class GivesOnce(OddFutures):
    breaks = ("results_stay",)

    class kind(Future):  # noqa: N801
        def result(self, timeout=None):
            value, self._result = super().result(timeout), None
            return value


class Renames(Right):
    breaks = ("errors_come_whole", "tracebacks_show_the_culprit", "the_first_error_is_raised")

    def submit(self, fn, /, *args, extra_context=None, **kwargs):
        def call():
            with suppress(Exception):
                return fn(*args, **kwargs)
            raise RuntimeError("the call failed")

        return super().submit(call)


class Breaks(Right):
    """Once an error or value could not be pickled, nothing works any more."""

    breaks = (
        "odd_errors_fail_their_call",
        "unpicklable_errors_fail_their_call",
        "unpicklable_values_harm_nobody",
    )

    def submit(self, fn, /, *args, extra_context=None, **kwargs):
        def call():
            if getattr(self, "_broken", False):
                raise RuntimeError("broken")
            try:
                value = fn(*args, **kwargs)
            except Exception as error:
                self._try_pickling(error)
                raise
            self._try_pickling(value)
            return value

        return super().submit(call)

    def _try_pickling(self, value):
        try:
            pickle.loads(pickle.dumps(value))
        except TypeError:
            self._broken = True


class AlwaysDone(OddFutures):
    breaks = ("done_tells",)

    class kind(Future):  # noqa: N801
        def done(self):
            return True


class IgnoresTimeouts(OddFutures):
    breaks = ("timeouts_of_results",)

    class kind(Future):  # noqa: N801
        def result(self, timeout=None):
            return super().result()


class CallsTwice(OddFutures):
    breaks = ("callbacks_are_called_once",)

    class kind(Future):  # noqa: N801
        def add_done_callback(self, fn):
            super().add_done_callback(lambda future: (fn(future), fn(future)))


class HearsNothingLate(OddFutures):
    breaks = ("late_callbacks_are_called",)

    class kind(Future):  # noqa: N801
        def add_done_callback(self, fn):
            if not self.done():
                super().add_done_callback(fn)


# ---- waiting


class WaitsForLists(Right):
    breaks = ("one_future", "shapes_are_kept", "classes_are_kept", "the_rest_passes")

    def wait(self, futures):
        return [future.result() for future in find(list(futures), "futures")]


class WaitsByCompletion(Right):
    breaks = ("order_is_kept",)

    def wait(self, futures):
        return [future.result() for future in concurrent.futures.as_completed(futures)]


class WaitsInPlace(Right):
    breaks = ("nothing_is_changed",)

    def wait(self, futures):
        for values in futures.values():
            values[:] = super().wait(values)
        return futures


# ---- mapping


class MapsValues(Right):
    breaks = ("one_call_per_element",)

    def map(self, fn, *iterables, extra_context=None):
        return map(fn, *iterables)


class MapsLongest(Right):
    breaks = ("the_shortest_ends",)

    def map(self, fn, *iterables, extra_context=None):
        return [self.submit(fn, *arguments) for arguments in itertools.zip_longest(*iterables, fillvalue=0)]


class MapsSomething(Right):
    breaks = ("nothing_gives_nothing",)

    def map(self, fn, *iterables, extra_context=None):
        return super().map(fn, *iterables) or None


# ---- cancelling


class IgnoresCancel(OddFutures):
    breaks = ("waiting_calls_are_taken_back", "cancelled_is_done", "shutdown_takes_back")

    class kind(Future):  # noqa: N801
        def cancel(self):
            return False


class CountsAll(Right):
    breaks = ("done_calls_keep_their_values", "nothing_is_cancelled")

    def cancel(self, futures):
        return len(futures)


class BreaksOnCancel(Right):
    breaks = ("running_calls_do_no_harm",)

    def cancel(self, futures):
        self._pool.shutdown(wait=False)
        return 0


class BoastsOfCancelling(Right):
    breaks = ("cancels_running_is_true",)
    capabilities = frozenset({"parallel", "cancels_running"})


# ---- the pool face


class NoPool(Right):
    breaks = ("the_pool_is_a_real_one", "the_pools_map")

    @contextmanager
    def as_pool(self):
        yield self


class LookAlike:
    """Has the methods of a future, and is none of concurrent.futures."""

    def __init__(self, inner):
        self._inner = inner

    def __getattr__(self, name):
        return getattr(self._inner, name)


class PoolOfLookAlikes(Right):
    breaks = ("the_library_takes_its_futures", "asyncio_awaits_its_calls")

    @contextmanager
    def as_pool(self):
        with super().as_pool() as pool:
            submit = pool.submit
            pool.submit = lambda *args, **kwargs: LookAlike(submit(*args, **kwargs))
            yield pool


class HastyPool(Right):
    breaks = ("leaving_waits", "shut_down_is_shut")

    @contextmanager
    def as_pool(self):
        with super().as_pool() as pool:
            pool.shutdown = lambda **_: None
            yield pool
            pool.shutdown = lambda **_: None


# ---- pickling


class HoldsALock(Right):
    breaks = ("pickles_before_start",)

    def __init__(self, *, workers=2):
        super().__init__(workers=workers)
        self.lock = threading.Lock()


class HidesItsOptions(Right):
    breaks = ("options_are_attributes",)

    def __init__(self, *, processes=2):
        super().__init__(workers=processes)


# ---- concurrency


class OneThreadOnly(Right):
    breaks = ("threads_submit_at_once", "callbacks_submit")

    def submit(self, fn, /, *args, extra_context=None, **kwargs):
        if threading.current_thread() is not threading.main_thread():
            raise RuntimeError("only the main thread may submit")
        return super().submit(fn, *args, **kwargs)


class OneWaitsOnly(Right):
    breaks = ("threads_wait_for_one",)

    def wait(self, futures):
        if threading.current_thread() is not threading.main_thread():
            raise RuntimeError("only the main thread may wait")
        return super().wait(futures)


# ---- whole flows


class AnswersNone(Right):
    breaks = ("flows_give_their_shape", "flows_map", "flows_chain", "flows_survive_failures")

    def submit(self, fn, /, *args, extra_context=None, **kwargs):
        return super().submit(lambda: fn(*args, **kwargs) and None)


class RunsTwice(Right):
    breaks = ("flows_call_once",)

    def submit(self, fn, /, *args, extra_context=None, **kwargs):
        return super().submit(lambda: (fn(*args, **kwargs), fn(*args, **kwargs))[1])


# ---- the proof


def _all_below(cls: type) -> Iterator[type]:
    for below in cls.__subclasses__():
        yield below
        yield from _all_below(below)


def _wrong_ones() -> list[tuple[type, str]]:
    return [(cls, f"test_{check}") for cls in _all_below(Right) for check in cls.__dict__.get("breaks", ())]


@pytest.fixture
def suite_of():
    """A function that gives the conformance suite of an executor, closed at the end whatever it left."""
    suites = []

    def make(executor):
        suite = type("Suite", (ExecutorConformance,), {"executor": executor, "patience": 0.6})
        suite.setup_class()
        suites.append(suite)
        return suite

    yield make
    for suite in suites:
        suite.subject.discard()


@pytest.mark.parametrize(("wrong", "check"), _wrong_ones(), ids=lambda item: getattr(item, "__name__", item))
def test_a_wrong_executor_is_caught(wrong, check, suite_of):
    """The check fails on an executor that breaks its rule, and says which rule."""
    with pytest.raises(ContractBroken) as caught:
        getattr(suite_of(wrong)(), check)()
    assert caught.value.rule in str(caught.value)


def test_every_check_is_proven_to_fail():
    """For each check there is a wrong executor above."""
    checks = {name for name in dir(ExecutorConformance) if name.startswith("test_")}
    assert checks - {check for _, check in _wrong_ones()} == set()


def test_the_suite_is_the_specification():
    """Every check says its rule in words, and no two say the same."""
    rules = [
        getattr(ExecutorConformance, name).rule
        for name in dir(ExecutorConformance)
        if name.startswith("test_")
    ]
    assert len(rules) >= 60
    assert len(set(rules)) == len(rules)


def test_something_left_open_is_found_at_the_end(suite_of):
    """Leaving the last group says what the shared executor left behind."""
    suite = suite_of(LeaksThread)
    suite.subject.running()
    with pytest.raises(ContractBroken, match="left behind"):
        suite.teardown_class()


def test_a_suite_without_an_executor_says_so():
    """A subclass that names no executor is told what is missing."""

    class Empty(ExecutorConformance):
        pass

    with pytest.raises(TypeError, match="say which executor"):
        Empty.setup_class()


def test_threads_of_a_library_may_be_excepted():
    """Threads that a library keeps for good are excepted by the beginning of their name."""
    timer = threading.Timer(0.3, int)
    timer.name = "lasting-1"
    with nothing_left(lasting_threads=("lasting",), patience=0.0):
        timer.start()
    timer.join()


def test_the_manual_executor_runs_when_told():
    """Calls wait until they are told to run, keep their hints, and are cancelled when it is left."""
    executor = ManualExecutor(width=3)
    with executor.start():
        first = executor.submit(int, "1", extra_context={"task_name": "first"})
        second, last = executor.submit(int, "x"), executor.submit(sum, [first])
        assert (executor.slots, len(executor.calls), first.done()) == (3, 2, False)
        executor.run_next(1)
        assert isinstance(second.exception(), ValueError)
        executor.run_all()
        assert last.result() == 1
        assert executor.contexts[0] == {"task_name": "first"}
        left = executor.submit(int)
    assert left.cancelled()
