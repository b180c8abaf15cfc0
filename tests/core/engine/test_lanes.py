"""Lanes: whose turn it is, and what has to wait."""

import pytest

from turgo import task
from turgo.contract.clock import SYSTEM_CLOCK
from turgo.engine.batching.tag_limits import Limits
from turgo.engine.lanes import REMAKING_LOOK_SECONDS, Lanes
from turgo.engine.remote_values.store import RemoteStore
from turgo.engine.site import Site, Sites
from turgo.errors import WorkerLostError
from turgo.executor import Executor
from turgo.records.ledger import Failure
from turgo.records.states import TaskState


class Wide(Executor):
    """Has four slots, and never runs anything."""

    slots = 4

    def submit(self, fn, /, *args, extra_context=None, **kwargs):
        raise NotImplementedError


@task
def plain(value):
    """A call without a tag."""
    return value


@task(tags=["web"])
def tagged(value):
    """A call with a tag."""
    return value


def two_lanes():
    """Ten calls of each."""
    return [plain.map(range(10)), tagged.map(range(10))]


@pytest.fixture
def site():
    """A site that is open already."""
    site = Site(Wide(), "wide")
    site.opened = True
    site.look()
    return site


def lanes_of(calls, site, limits=None):
    """Lanes over a schedule of its own."""
    return Lanes(calls.schedule, Sites([site]), limits, SYSTEM_CLOCK)


def taken(lanes):
    """The names of the tasks of the next four batches."""
    found = []
    for _ in range(4):
        chosen = lanes.next_batch()
        if chosen is None:
            break
        lane, pieces, seconds, _ = chosen
        assert pieces and seconds >= 0
        found.append("web" if lane.tags else "")
    return found


def test_lanes_take_turns(driven, site):
    """None has to wait until another is empty."""
    assert taken(lanes_of(driven(two_lanes), site)) == ["", "web", "", "web"]


def test_the_first_calls_go_together_only_where_a_batch_stops_itself(driven, site):
    """One that keeps its values on a worker does not."""
    assert lanes_of(driven(lambda: plain.map(range(8000))), site).next_batch().pieces == [(0, 0, 10)]
    site.values = RemoteStore(site.executor, 0, None)
    assert lanes_of(driven(lambda: plain.map(range(8000))), site).next_batch().pieces == [(0, 0, 1)]


def test_a_lane_whose_limit_is_reached_is_passed_over(driven, site):
    """Until something with its tags ends."""
    limits = Limits({"web": 1})
    lanes = lanes_of(driven(two_lanes), site, limits)
    limits.took(frozenset({"web"}))
    assert set(taken(lanes)) == {""}
    limits.gave(frozenset({"web"}))
    assert taken(lanes)[0] == "web"


def test_nothing_begins_where_a_site_is_full(driven, site):
    """And there is nothing to wait for but the end of what is under way."""
    lanes = lanes_of(driven(two_lanes), site)
    site.under_way = 10_000
    assert lanes.next_batch() is None
    assert lanes.wait_seconds is None


def test_an_executor_that_grows_by_what_waits_gets_more_calls_than_it_has_slots_for(driven, site):
    """As many as let it grow, also of those that are too long to be queued elsewhere, and no more."""
    for known in (plain, tagged):
        site.batching.learn(known, 1, 30.0)
    site.under_way = 2 * site.slots
    lanes = lanes_of(driven(two_lanes), site)
    assert lanes.next_batch() is None
    site.wanted = 100.0
    for _ in range(4):
        site.took(lanes.next_batch().seconds)
    assert site.seconds == 120.0 and lanes.next_batch() is None


def test_the_shortest_wait_for_a_place_in_line_counts(driven, site, monkeypatch):
    """The loop is to look again after it."""
    lanes = lanes_of(driven(two_lanes), site)
    waits = iter([0.3, 0.2])
    monkeypatch.setattr(site.batching.load, "wait", lambda now, slots: next(waits))
    assert lanes.next_batch() is None
    assert lanes.wait_seconds == 0.2


class Remaking:
    """What a site keeps on its workers, some of which is made again."""

    def remaking(self):
        """That it is."""
        return True


def test_a_call_that_runs_while_nothing_else_does_waits_for_values_that_are_made_again(driven, site):
    """They would be taken along, or be what kills; it is looked again soon."""
    calls = driven(lambda: plain(1))
    lanes = lanes_of(calls, site)
    lost = Failure(TaskState.CRASHED, WorkerLostError("gone", sure=False))
    calls.schedule.lost(lanes.next_batch().pieces, lost, sure=False)
    site.values = Remaking()
    assert lanes.next_batch() is None and lanes.wait_seconds == REMAKING_LOOK_SECONDS
    site.values = None
    lane, pieces, *_ = lanes.next_batch()
    assert lane.isolated and pieces == [(0, -1, -1)]
