"""Sites: the executors of a run, opened when they are needed and closed in reverse order."""

from contextlib import contextmanager

import pytest

from turgo.engine.site import UNKNOWN_BATCH_SECONDS, WINDOW_SUBMISSIONS, Site, Sites
from turgo.errors import ExecutorError
from turgo.executor import Executor, Growth
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


class Growing(Noting):
    """Says what it grows by."""

    growth = Growth(slots=4, seconds=10.0)


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


def test_a_site_that_may_grow_takes_what_it_grows_by():
    """Two submissions for each slot that may come, and more until so much work is there; unknown ones count, too."""
    executor = Growing(name="grows", heard=[])
    with Sites([Site(executor, "grows")]) as sites:
        site = sites.members[0]
        sites.open(site)
        assert (site.slots, site.room, site.wanted, site.hungry) == (1, 4, 40.0, True)
        for _ in range(WINDOW_SUBMISSIONS * 4 - 1):
            site.took(30.0)
        assert not site.hungry and not site.full
        site.took(0.0)
        assert site.full and site.seconds == 7 * 30.0 + UNKNOWN_BATCH_SECONDS
        for _ in range(6):
            site.gave(30.0)
        assert site.under_way == 2 and not site.full
        for _ in range(12):
            site.took(0.0)
        assert site.under_way > WINDOW_SUBMISSIONS * 4 and site.hungry and not site.full
        executor.growth = None
        site.look()
        assert (site.room, site.hungry, site.full) == (1, False, True)


def test_a_site_that_has_outgrown_what_was_expected_keeps_all_its_slots_busy():
    """Others may have scaled the cluster further than it would go by itself."""
    with Sites([Site(Growing(name="grown", heard=[], workers=9), "grown")]) as sites:
        sites.open(sites.members[0])
        assert (sites.members[0].slots, sites.members[0].room) == (9, 9)


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
