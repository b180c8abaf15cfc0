"""The rules of `concurrent.futures`, those that CPython tests its own pools by, hold for `as_pool()` everywhere.

Written anew from the library's documentation; on each executor that is installed. Two kinds of executor cannot
keep all of them, and `docs/executors.md` says so: one that computes a call in `submit` has none that waits or
runs, and dask tells no difference between a call that waits and one that runs.
"""

import concurrent.futures
import gc
import importlib.util
import logging
import sys
import threading
import time
import weakref
from concurrent.futures import ALL_COMPLETED, FIRST_COMPLETED, FIRST_EXCEPTION, CancelledError, Future
from contextlib import contextmanager

import cloudpickle
import pytest

from penstock import get_executor
from penstock.testing import calls

cloudpickle.register_pickle_by_value(sys.modules[__name__])  # the workers do not have this file

SECONDS = 30.0  # more than enough for anything that comes at all
EXECUTORS = {
    "local": {},
    "local_dask-synchronous": {"scheduler": "synchronous"},
    "local_dask-threads": {"scheduler": "threads", "num_workers": 2},
    "local_dask-processes": {"scheduler": "processes", "num_workers": 2},
    "dask": {"cluster_kwargs": {"n_workers": 2, "threads_per_worker": 1}, "debug": False},
    "futures-threads": {"max_workers": 2},
    "futures-processes": {"pool": "concurrent.futures.ProcessPoolExecutor", "max_workers": 2},
    "futures-loky": {"pool": "loky.ProcessPoolExecutor", "max_workers": 2},
}
SYNCHRONOUS = {"local", "local_dask-synchronous"}
ONE_STATE = {"dask"}  # a call that waits and one that runs are the same to who looks from outside


def needs(name):
    """What has to be installed for an executor of the list."""
    extra = ["loky"] if name == "futures-loky" else []
    return [f"penstock_{name.partition('-')[0]}", *extra]


@pytest.fixture(
    scope="module",
    params=[pytest.param(name, marks=[pytest.mark.cluster] * (name == "dask")) for name in EXECUTORS],
)
def executor(request):
    missing = [package for package in needs(request.param) if importlib.util.find_spec(package) is None]
    if missing:
        pytest.skip(f"{', '.join(missing)} is not installed")
    with get_executor(request.param.partition("-")[0], **EXECUTORS[request.param]).start() as started:
        started.submit(int).result(timeout=SECONDS)
        yield started


@pytest.fixture
def name(request, executor):
    return request.node.callspec.params["executor"]


@pytest.fixture
def pool(executor):
    with executor.as_pool() as made:
        yield made


@pytest.fixture
def waits(name):
    """Skip where `submit` computes the call, so that none ever waits or runs."""
    if name in SYNCHRONOUS:
        pytest.skip("a call is over when submit returns")


@pytest.fixture
def tells_running(name, waits):
    """Skip where nobody is told whether a call waits or runs."""
    if name in ONE_STATE:
        pytest.skip("cannot tell a call that runs from one that waits")


@pytest.fixture
def nothing_left_running():
    """The executor of this module is open from test to test; leaving it is what the conformance suite checks."""


@pytest.fixture
def gates(tmp_path):
    """Makes calls that run until they are let go; lets go all of them at the end."""
    made = Gates(tmp_path)
    yield made
    made.open_all()


class Gates:
    """Calls that say by a file that they have begun, and run until there is another."""

    def __init__(self, folder):
        self.folder, self.count = folder, 0

    def call(self, pool):
        """The future of such a call, and its number."""
        self.count += 1
        sign, gate = self.folder / f"sign-{self.count}", self.folder / f"gate-{self.count}"
        return pool.submit(calls.meet, str(sign), str(gate), SECONDS), self.count

    def begun(self, number):
        """Wait until the call has begun."""
        assert calls.wait_for(str(self.folder / f"sign-{number}"), SECONDS), "the call did not begin"

    def open(self, number):
        """Let the call come to its end."""
        (self.folder / f"gate-{number}").touch()

    def open_all(self):
        for number in range(1, self.count + 1):
            self.open(number)

    @contextmanager
    def all_slots_taken(self, pool, executor):
        """As many running calls as there are workers; gives their futures."""
        taken = [self.call(pool) for _ in range(executor.slots)]
        for _, number in taken:
            self.begun(number)
        yield [future for future, _ in taken]
        for _, number in taken:
            self.open(number)


def behind(pool, executor):
    """Futures of calls that wait behind those which take all slots; enough that some wait in the pool itself."""
    return [pool.submit(abs, -number) for number in range(8 + 4 * executor.slots)]


class Heard:
    """A callback that keeps the futures it was called with, in order."""

    def __init__(self):
        self.futures, self.event = [], threading.Event()

    def __call__(self, future):
        self.futures.append(future)
        self.event.set()


# submit and its futures


def test_submit_takes_keywords_of_its_own_names(pool):
    """`self` and `fn` are keywords like any other, and a function is necessary."""
    future = pool.submit(calls.given, 1, self=2, fn=3)
    assert future.result(timeout=SECONDS) == ((1,), {"self": 2, "fn": 3})
    with pytest.raises(TypeError):
        pool.submit()
    with pytest.raises(TypeError):
        pool.submit(fn=abs, arg=1)


def test_a_future_goes_from_pending_to_running_to_done(pool, gates, tells_running):
    """`running()` is true while a worker runs the call, and `done()` after it; both never at once."""
    future, number = gates.call(pool)
    gates.begun(number)
    assert wait_until(future.running)
    assert not future.done()
    gates.open(number)
    assert future.result(timeout=SECONDS) is True
    assert (future.running(), future.done(), future.cancelled()) == (False, True, False)


def wait_until(holds):
    """Whether it holds within SECONDS."""
    end = time.monotonic() + SECONDS
    while not (held := holds()) and time.monotonic() < end:
        time.sleep(0.01)
    return held


def test_a_future_that_depends_on_others_tells_that_it_runs(pool, gates, tells_running):
    """`running()` is false while the call waits for its arguments and true while a worker has it."""
    upstream = Future()
    sign, gate = gates.folder / "sign-1", gates.folder / "gate-1"
    future = pool.submit(calls.meet, str(sign), upstream, SECONDS)
    assert not future.running()
    gates.count = 1
    upstream.set_result(str(gate))
    gates.begun(1)
    assert wait_until(future.running)
    gates.open(1)
    assert future.result(timeout=SECONDS) is True


def test_result_and_exception_time_out_and_the_call_goes_on(pool, gates, waits):
    """TimeoutError in time; the value is had afterwards."""
    future, number = gates.call(pool)
    for ask in (future.result, future.exception):
        with pytest.raises(concurrent.futures.TimeoutError):
            ask(timeout=0.01)
    gates.open(number)
    assert future.exception(timeout=SECONDS) is None
    assert future.result(timeout=0) is True


def test_the_error_of_a_call_is_the_same_object_each_time(pool):
    """`exception()` gives what `result()` raises; an error that is false in a condition is an error still."""
    future = pool.submit(calls.fail, "once")
    error = future.exception(timeout=SECONDS)
    with pytest.raises(ValueError, match="once") as caught:
        future.result(timeout=0)
    assert caught.value is error
    assert type(pool.submit(fail_falsely).exception(timeout=SECONDS)).__name__ == "FalseError"


class FalseError(ArithmeticError):
    def __bool__(self):
        return False


def fail_falsely():
    raise FalseError("no less an error")


def test_a_settled_future_cannot_be_settled_again(pool):
    """InvalidStateError from set_result and set_exception; the value stays."""
    future = pool.submit(abs, -1)
    assert future.result(timeout=SECONDS) == 1
    with pytest.raises(concurrent.futures.InvalidStateError):
        future.set_result(2)
    with pytest.raises(concurrent.futures.InvalidStateError):
        future.set_exception(ValueError())
    with pytest.raises(RuntimeError):
        future.set_running_or_notify_cancel()
    assert future.result(timeout=0) == 1


def test_no_more_calls_run_than_there_are_slots(pool, executor, gates, waits):
    """One more than fits begins only when another is over."""
    with gates.all_slots_taken(pool, executor) as taken:
        future, number = gates.call(pool)
        sign = str(gates.folder / f"sign-{number}")
        assert not calls.wait_for(sign, 0.1)
        gates.open(1)
        gates.begun(number)
    gates.open_all()
    assert concurrent.futures.wait([future, *taken], timeout=SECONDS).not_done == set()


# cancelling


def test_a_done_call_is_not_cancelled(pool):
    """`cancel()` is False, and value and state stay."""
    future = pool.submit(abs, -1)
    assert future.result(timeout=SECONDS) == 1
    assert future.cancel() is False
    assert not future.cancelled()
    assert future.result(timeout=0) == 1


def test_a_running_call_is_cancelled_only_where_that_is_declared(pool, executor, gates, tells_running):
    """`cancel()` is False once a worker runs the call, and its value comes; `cancels_running` says otherwise."""
    future, number = gates.call(pool)
    gates.begun(number)
    assert wait_until(future.running)
    stops = "cancels_running" in executor.capabilities
    assert future.cancel() is stops
    gates.open(number)
    assert concurrent.futures.wait([future], timeout=SECONDS).done == {future}
    assert future.cancelled() is stops


def test_a_waiting_call_is_cancelled(pool, executor, gates, waits):
    """`cancel()` is True, again as well; the future is cancelled and done, and asking it raises CancelledError."""
    with gates.all_slots_taken(pool, executor) as taken:
        future = behind(pool, executor)[-1]
        assert future.cancel() is True
        assert future.cancel() is True
        assert (future.cancelled(), future.done(), future.running()) == (True, True, False)
        for ask in (future.result, future.exception):
            with pytest.raises(CancelledError):
                ask(timeout=0)
    assert concurrent.futures.wait([future, *taken], timeout=SECONDS).not_done == set()


def test_a_call_behind_a_cancelled_one_is_cancelled(pool, executor, gates, waits):
    """What needs the value of a call that was taken back is cancelled with it, and not failed."""
    with gates.all_slots_taken(pool, executor):
        first = behind(pool, executor)[-1]
        second = pool.submit(abs, first)
        assert first.cancel()
    assert concurrent.futures.wait([second], timeout=SECONDS).done == {second}
    assert second.cancelled()


# callbacks


def test_callbacks_are_called_in_the_order_they_were_added(pool, gates, waits):
    """Each once, with the future, when it is done."""
    future, number = gates.call(pool)
    order, all_heard = [], threading.Event()
    for place in range(20):
        future.add_done_callback(lambda done, place=place: order.append((place, done is future, done.done())))
    future.add_done_callback(lambda _: all_heard.set())
    assert order == []
    gates.open(number)
    assert all_heard.wait(SECONDS)
    assert order == [(place, True, True) for place in range(20)]


@pytest.mark.parametrize("call", [(abs, -1), (calls.fail, "at once")])
def test_a_callback_added_to_a_done_future_is_called_at_once(pool, call):
    """In the thread that adds it, be the outcome a value or an error."""
    future = pool.submit(*call)
    future.exception(timeout=SECONDS)
    heard = []
    future.add_done_callback(lambda done: heard.append((done is future, threading.get_ident())))
    assert heard == [(True, threading.get_ident())]


def test_a_callback_hears_of_a_cancelled_call_once(pool, executor, gates, waits):
    """It is called when the call is cancelled, and not again when the workers come to it."""
    with gates.all_slots_taken(pool, executor):
        future = behind(pool, executor)[-1]
        early, late = Heard(), Heard()
        future.add_done_callback(early)
        assert future.cancel()
        future.add_done_callback(late)
        assert early.futures == late.futures == [future]
        assert future.cancelled()
    pool.submit(abs, 1).result(timeout=SECONDS)
    assert len(early.futures) == 1


def test_an_error_in_a_callback_is_logged_and_harms_nobody(pool, gates, caplog, waits):
    """The next callback is called, the result stands, and the logger of concurrent.futures tells of the error."""
    future, number = gates.call(pool)
    heard = Heard()
    future.add_done_callback(lambda _: calls.fail("in the callback"))
    future.add_done_callback(heard)
    with caplog.at_level(logging.ERROR, logger="concurrent.futures"):
        gates.open(number)
        assert future.result(timeout=SECONDS) is True
        assert heard.event.wait(SECONDS)
    assert "in the callback" in caplog.text


def test_an_error_in_a_late_callback_is_logged_too(pool, caplog):
    """It is not raised at who adds the callback."""
    future = pool.submit(abs, -1)
    future.result(timeout=SECONDS)
    with caplog.at_level(logging.ERROR, logger="concurrent.futures"):
        future.add_done_callback(lambda _: calls.fail("too late"))
    assert "too late" in caplog.text


# wait


def test_wait_for_the_first_that_completes(pool, gates, waits):
    """FIRST_COMPLETED returns while another runs; one that is done already counts."""
    quick, (slow, number) = pool.submit(abs, -1), gates.call(pool)
    for _ in range(2):
        done, waiting = concurrent.futures.wait([slow, quick], SECONDS, FIRST_COMPLETED)
        assert (done, waiting) == ({quick}, {slow})
    gates.open(number)


def test_wait_for_the_first_error(pool, gates, waits):
    """FIRST_EXCEPTION passes over values, returns at an error, one there before too, while another runs."""
    (slow, number), fine = gates.call(pool), pool.submit(abs, -1)
    fine.result(timeout=SECONDS)
    assert concurrent.futures.wait([slow, fine], 0.05, FIRST_EXCEPTION).not_done == {slow}
    failed = pool.submit(calls.fail, "first")
    for _ in range(2):
        done, waiting = concurrent.futures.wait([slow, fine, failed], SECONDS, FIRST_EXCEPTION)
        assert (done, waiting) == ({fine, failed}, {slow})
    gates.open(number)


def test_wait_for_the_first_error_where_there_is_none(pool):
    """FIRST_EXCEPTION is then ALL_COMPLETED."""
    futures = {pool.submit(abs, -number) for number in range(5)}
    assert concurrent.futures.wait(futures, SECONDS, FIRST_EXCEPTION) == (futures, set())


def test_wait_for_all(pool):
    """ALL_COMPLETED takes values and errors alike, and a future that is given twice once."""
    futures = [pool.submit(abs, -1), pool.submit(calls.fail, "one of them"), pool.submit(abs, 2)]
    done, waiting = concurrent.futures.wait([*futures, futures[0]], SECONDS, ALL_COMPLETED)
    assert (done, waiting) == (set(futures), set())


def test_wait_with_a_timeout(pool, gates, waits):
    """It returns what is done by then, and raises nothing."""
    quick, (slow, number) = pool.submit(abs, -1), gates.call(pool)
    quick.result(timeout=SECONDS)
    assert concurrent.futures.wait([slow, quick], 0.05) == ({quick}, {slow})
    gates.open(number)


# as_completed


def test_as_completed_gives_each_once_in_the_order_of_completion(pool, gates, waits):
    """The one that was let go last comes last; doubles come once; errors come like values."""
    (slow, number), quick, failed = gates.call(pool), pool.submit(abs, -1), pool.submit(calls.fail)
    came = []
    for future in concurrent.futures.as_completed([slow, quick, failed, slow], SECONDS):
        came.append(future)
        if len(came) == 2:
            gates.open(number)
    assert came[2] is slow
    assert set(came) == {slow, quick, failed}


def test_as_completed_times_out_with_what_is_done(pool, gates, waits):
    """What is done comes first, then TimeoutError, which says how many are missing."""
    quick, (slow, number) = pool.submit(abs, -1), gates.call(pool)
    quick.result(timeout=SECONDS)
    came = []
    with pytest.raises(concurrent.futures.TimeoutError, match=r"1 \(of 2\)"):
        came.extend(concurrent.futures.as_completed([slow, quick], timeout=0.05))
    assert came == [quick]
    gates.open(number)


# map


def test_map_gives_values_in_order(pool):
    """Of one iterable or several, until the shortest ends; nothing of nothing."""
    assert list(pool.map(abs, range(0, -10, -1))) == list(range(10))
    assert list(pool.map(calls.add, [1, 2, 3], [10, 20])) == [11, 22]
    assert list(pool.map(abs, [])) == []
    assert list(pool.map(abs, [-1, -2, -3], chunksize=2)) == [1, 2, 3]


def test_map_raises_an_error_in_its_place(pool):
    """Values before it come."""
    values = pool.map(divmod, [7, 7, 7], [2, 0, 3])
    assert next(values) == (3, 1)
    with pytest.raises(ZeroDivisionError):
        next(values)
    with pytest.raises(StopIteration):
        next(values)


def test_map_times_out_and_takes_back_what_waits(pool, gates, waits):
    """Values that come in time are given; then TimeoutError, counted from the call of `map`."""
    gate = gates.folder / "gate-1"
    gates.count = 1
    values = pool.map(calls.meet, [str(gates.folder / "sign-1")], [str(gate)], [SECONDS], timeout=0.1)
    with pytest.raises(concurrent.futures.TimeoutError):
        next(values)


def test_map_submits_before_anyone_asks(pool, gates):
    """The calls run although the iterator is never advanced."""
    signs = [str(gates.folder / f"mapped-{number}") for number in range(3)]
    pool.map(calls.touch, signs)
    assert all(calls.wait_for(sign, SECONDS) for sign in signs)


# shutdown


def test_after_shutdown_nothing_is_taken(executor):
    """RuntimeError from `submit` and `map`, however often it was shut down."""
    with executor.as_pool() as pool:
        pool.shutdown()
        pool.shutdown(wait=False, cancel_futures=True)
        with pytest.raises(RuntimeError, match="after shutdown"):
            pool.submit(abs, -1)
        with pytest.raises(RuntimeError, match="after shutdown"):
            pool.map(abs, [-1])


def test_shutdown_waits_for_calls(executor):
    """All are done when it returns, those that wait for others included."""
    with executor.as_pool() as pool:
        first = [pool.submit(calls.late, number, 0.02) for number in range(4)]
        second = [pool.submit(abs, future) for future in first]
        pool.shutdown()
        assert all(future.done() for future in first + second)
        assert [future.result(timeout=0) for future in second] == [0, 1, 2, 3]


def test_shutdown_need_not_wait(executor, gates, waits):
    """`shutdown(wait=False)` returns at once, and the calls come to their end."""
    with executor.as_pool() as pool:
        future, number = gates.call(pool)
        second = pool.submit(calls.identity, future)
        pool.shutdown(wait=False)
        assert not future.done()
        gates.open(number)
        assert second.result(timeout=SECONDS) is True


def test_shutdown_cancels_what_waits_and_lets_run_what_runs(executor, gates, tells_running):
    """`cancel_futures=True`: those that run have their values, and of the others none is left over."""
    with executor.as_pool() as pool, gates.all_slots_taken(pool, executor) as taken:
        assert wait_until(lambda: all(future.running() for future in taken))
        waiting = behind(pool, executor)
        dependent = pool.submit(calls.identity, waiting[-1])
        pool.shutdown(wait=False, cancel_futures=True)
        assert waiting[-1].cancelled()
        assert dependent.cancelled()
        assert not any(future.done() for future in taken)
        gates.open_all()
        pool.shutdown(wait=True)
    assert [future.result(timeout=0) for future in taken] == [True] * len(taken)
    assert all(future.done() for future in waiting)


def test_shutdown_cancels_what_waits_for_another(executor):
    """A call whose argument is not there yet is taken back, on a synchronous executor as well."""
    upstream = Future()
    with executor.as_pool() as pool:
        future = pool.submit(abs, upstream)
        pool.shutdown(cancel_futures=True)
        assert future.cancelled()
    upstream.set_result(-1)


def test_leaving_by_an_error_waits_too(executor):
    """The pool is shut down, its calls are done, the error goes on."""
    with pytest.raises(KeyError), executor.as_pool() as pool:
        future = pool.submit(calls.late, 1, 0.05)
        raise KeyError("inside")
    assert future.result(timeout=0) == 1
    with pytest.raises(RuntimeError):
        pool.submit(abs, -1)


def test_threads_submit_while_another_shuts_down(executor):
    """Each call that was taken comes to an end; each that was not is a RuntimeError; nobody hangs."""
    taken, refused = [], []
    line = threading.Barrier(4)

    def use(pool):
        line.wait(SECONDS)
        try:
            for number in range(200):
                taken.append(pool.submit(abs, -number))
        except RuntimeError as error:
            refused.append(error)

    with executor.as_pool() as pool:
        threads = [threading.Thread(target=use, args=(pool,)) for _ in range(3)]
        for thread in threads:
            thread.start()
        line.wait(SECONDS)
        pool.shutdown(wait=True)
        left = [future for future in list(taken) if not future.done()]
        for thread in threads:
            thread.join(SECONDS)
    assert left == [], "shutdown(wait=True) came back before a call that it had taken was done"
    assert concurrent.futures.wait(taken, timeout=SECONDS).not_done == set()


# memory


def test_a_pool_keeps_no_future_that_is_done(pool, name):
    """Once who submitted has dropped a future, it is gone, and its value with it."""
    future = pool.submit(calls.identity, [1])
    future.result(timeout=SECONDS)
    gone = weakref.ref(future)
    del future
    assert wait_until(lambda: gc.collect() >= 0 and gone() is None)


class Weighed:
    """An argument whose end can be observed."""


def test_arguments_are_let_go_when_the_call_has_ended(pool):
    """Neither a future nor the pool keeps them, where the call waited for another one either."""
    upstream, argument = Future(), Weighed()
    gone = weakref.ref(argument)
    futures = [pool.submit(forget, argument), pool.submit(forget, argument, upstream)]
    del argument
    upstream.set_result(1)
    assert [future.result(timeout=SECONDS) for future in futures] == [None, None]
    assert wait_until(lambda: gc.collect() >= 0 and gone() is None)


def forget(*_):
    return None
