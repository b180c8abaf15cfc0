"""Sites: the executors of a run, opened when they are needed and closed in reverse order."""

from contextlib import contextmanager

import pytest

from turgo.engine.site import WINDOW_SUBMISSIONS, Site, Sites
from turgo.errors import ExecutorError
from turgo.executor import Executor
from turgo.futures import call_now


class Noting(Executor):
    """Says when it is opened and closed."""

    def __init__(self, *, name, heard, workers=1):
        self.name, self.heard, self.workers = name, heard, workers

    @property
    def slots(self):
        return self.workers

    @contextmanager
    def start(self):
        self.heard.append(f"{self.name} opens")
        try:
            yield self
        finally:
            self.heard.append(f"{self.name} closes")

    def submit(self, fn, /, *args, extra_context=None, **kwargs):
        return call_now(fn, *args, **kwargs)

    def cancel(self, futures):
        raise OSError("cannot be reached")


def test_sites_close_in_reverse_order_and_only_if_they_were_opened():
    """Whatever happened inside."""
    heard = []
    first, second, third = (
        Site(Noting(name=name, heard=heard), name, number)
        for number, name in enumerate(("first", "second", "third"))
    )
    with pytest.raises(ValueError, match="inside"), Sites([first, second, third]) as sites:
        sites.open(third)
        sites.open(first)
        raise ValueError("inside")
    assert heard == ["third opens", "first opens", "first closes", "third closes"]
    assert [site.opened for site in (first, second, third)] == [True, False, True]


def test_an_executor_that_is_started_is_left_open():
    """It belongs to whoever started it."""
    heard = []
    executor = Noting(name="given", heard=heard)
    with executor.start():
        with Sites([Site(executor, "given")]) as sites:
            sites.open(sites.members[0])
        assert executor.started and heard == ["given opens"]


def test_a_site_is_full_at_two_submissions_for_each_slot():
    """Slots are asked for again while it runs, as they may change, and not before it is open."""
    executor = Noting(name="grows", heard=[], workers=3)
    site = Site(executor, "grows")
    site.look()
    assert site.slots == 1
    with Sites([site]) as sites:
        sites.open(site)
        site.under_way = WINDOW_SUBMISSIONS * 3
        assert site.full
        executor.workers = 4
        site.look()
        assert not site.full
        site.isolated = True
        assert site.full, "a call that is suspected of killing workers runs alone"


def test_what_cannot_be_taken_back_is_told_and_harms_nobody(caplog):
    """A run that ends early ends."""
    executor = Noting(name="far", heard=[])
    Site(executor, "far").take_back([], "numbers")
    assert "the calls of numbers on far could not be taken back" in caplog.text


@pytest.mark.parametrize("slots", ["2", None, property(lambda self: 1 / 0)], ids=["text", "None", "raises"])
def test_slots_that_are_no_number_are_a_sentence_with_their_origin(slots):
    """The run ends with the name of the executor and of the package that it is from, and no traceback of the engine."""
    executor = type("Odd", (Noting,), {"slots": slots, "__module__": "odd_mills.executor"})(
        name="odd", heard=[]
    )
    site = Site(executor, "odd")
    site.opened = True
    with pytest.raises(
        ExecutorError, match=r"the executor odd, from odd_mills\.executor, does not say how many calls"
    ):
        site.look()
