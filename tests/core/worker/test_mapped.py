"""The calls of a mapped step on a worker: each once, timed by the handful."""

import itertools
import threading
import time

import pytest

from turgo.records.ledger import MappedColumns, Span, Stamp
from turgo.worker.arguments import TEMPLATES
from turgo.worker.batch import Batch, BatchPiece, Step
from turgo.worker.execute import execute
from turgo.worker.mapped import FIRST_HANDFUL_SHARE, so_far


def spread(fn, elements, limit=60.0):
    """The outcome of a step that is mapped over `elements`."""
    piece = BatchPiece(
        Step(0, TEMPLATES, (None,), {}, (), (0,), name="mapped"), fn, 0, len(elements), [elements]
    )
    batch = Batch([piece], {})
    batch.limit = limit
    (outcome,) = execute(batch).outcomes
    return batch, outcome


@pytest.mark.parametrize("count", [0, 1, 2, 63, 64, 65, 1000])
@pytest.mark.parametrize(
    "failing", [frozenset(), frozenset({0}), frozenset({1, 2, 40, 64, 999}), frozenset(range(1000))]
)
def test_each_element_is_called_once_whichever_fail(count, failing):
    """In order; values and failures stand where their elements do."""
    called = []

    def call(element):
        called.append(element)
        if element in failing:
            raise ValueError(element)
        return -element

    _, (values, failures, began, ends) = spread(call, list(range(count)))
    assert called == list(range(count))
    assert values == [None if each in failing else -each for each in range(count)]
    assert {at: each.error.args for at, each in failures.items()} == {
        at: (at,) for at in failing if at < count
    }
    assert len(ends) == count and list(ends) == sorted(ends) and all(end >= began for end in ends)


def test_a_call_knows_its_element_within_a_handful():
    """By the values that are there already, also after failures."""
    places = []

    def call(element):
        places.append(batch_of_call[0].where().offset)
        if element % 7 == 3:
            raise ValueError

    batch_of_call = []
    piece = BatchPiece(Step(0, TEMPLATES, (None,), {}, (), (0,)), call, 0, 500, [list(range(500))])
    batch_of_call.append(Batch([piece], {}))
    batch_of_call[0].limit = 60.0
    execute(batch_of_call[0])
    assert places == list(range(500))


def test_a_task_that_turns_slow_is_noticed_while_most_of_it_is_left():
    """What was quick a thousand times may be slow from there on: at most an eighth of that is done before it shows."""
    quick, slow, done = 1000, 80, []

    def call(element):
        if element >= quick:
            done.append(element)
            time.sleep(0.02)

    _, (values, _, _, ends) = spread(call, list(range(quick + slow)), limit=0.015)
    assert len(values) == len(ends) < quick + slow
    assert len(done) <= slow // 8 + 2


def test_slow_calls_are_timed_one_by_one():
    """Each has the time that it took itself: the clock is read between two of them."""
    own = []

    def nap(seconds):
        start = time.perf_counter()
        time.sleep(seconds)
        own.append((start, time.perf_counter()))

    _, (_, _, began, ends) = spread(nap, [0.001, 0.03, 0.001])
    read = [began, *ends]
    assert all(before <= start for before, (start, _) in zip(read, own, strict=False))
    assert all(end <= after for (_, end), after in zip(own, ends, strict=True))


def test_calls_that_were_timed_together_share_their_time():
    """The attempts of all elements follow one another without a gap, and take as long as the whole."""
    _, (_, _, began, ends) = spread(abs, list(range(1000)))
    assert len(set(ends)) < 500, "no two calls were timed together"
    columns = MappedColumns(1000)
    columns.spans.append(Span(0, 1000, Stamp("here", 100.0, began), began, ends))
    attempts = [columns.attempt(index) for index in range(1000)]
    assert sum(duration for _, duration, _ in attempts) == pytest.approx(ends[-1] - began)
    for (start, duration, _), (following, _, _) in itertools.pairwise(attempts):
        assert following == pytest.approx(start + duration, abs=1e-6)


@pytest.mark.parametrize("elements", [range(100), tuple(range(100)), list(range(100))])
def test_any_sequence_may_be_spread(elements):
    """As it is, without a copy of the whole."""
    _, (values, *_) = spread(str, elements)
    assert values == [str(each) for each in range(100)]


def test_the_first_handful_is_small():
    """A batch may be the first that shows what a call takes."""
    assert 1 + int(399 * FIRST_HANDFUL_SHARE) == 1


@pytest.mark.parametrize("others", [(), (range(30_000),)], ids=["one argument", "two"])
def test_what_is_over_so_far_can_be_read_in_another_thread(others):
    """Each value has its time, whatever the thread that makes them does meanwhile; at the end all are there."""
    width, over, seen = 30_000, threading.Event(), []
    columns = [range(width), *others]
    step = Step(0, TEMPLATES, (None,) * len(columns), {}, (), tuple(range(len(columns))), name="mapped")
    batch = Batch([BatchPiece(step, lambda *each: each[0], 0, width, columns)], {})
    batch.limit = 60.0

    def looks():
        while not over.is_set():
            seen.append(so_far(batch))

    thread = threading.Thread(target=looks)
    thread.start()
    execute(batch)
    over.set()
    thread.join()
    seen.append(so_far(batch))
    for outcomes in filter(None, seen):
        (outcome,) = outcomes
        assert outcome.values == list(range(len(outcome.values)))
        assert len(outcome.ends) == len(outcome.values)
        assert list(outcome.ends) == sorted(outcome.ends)
    assert len(seen[-1][0].values) == width
