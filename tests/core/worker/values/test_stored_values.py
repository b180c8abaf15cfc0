"""Large values on a worker: what stays, what the driver learns of it, and how a batch gets it again."""

import pytest

from turgo.worker.code.bootstrap import Payload
from turgo.worker.outcomes import CallFailure, CallOutcome, MapOutcome
from turgo.worker.values.pickles import payload_of
from turgo.worker.values.stored_values import (
    REPORT_SLOT,
    SENT_SLOT,
    Read,
    facts,
    insert,
    insert_values,
    pick,
    split_large,
    store_sent,
    width_of,
)

LARGE = bytes(1000)


def test_large_values_are_split_from_their_outcomes() -> None:
    """The outcome keeps a gap for each; the driver learns its size and width; small values are stored as well."""
    outcomes = [CallOutcome(LARGE, None, 0.0, 1.0), MapOutcome([1, [LARGE]], {}, 0.0, [1.0, 2.0]), None]
    small, large, stored = split_large(outcomes, 900, None)
    assert small == [outcomes[0]._replace(value=None), outcomes[1]._replace(values=[1, None]), None]
    assert [(slot, width) for slot, _, width in large] == [((0, None), None), ((1, 1), 1)]
    assert all(size >= 1000 for _, size, _ in large)
    assert set(stored) == {(0, None), (1, 0), (1, 1)} and stored[1, 0].open() == 1


def test_a_failure_and_what_cannot_be_pickled_stay_in_the_report() -> None:
    """Nothing is stored of them."""
    failed = CallOutcome(None, CallFailure("Failed", ValueError(), ""), 0.0, 1.0)
    odd = CallOutcome((each for each in ()), None, 0.0, 1.0)
    assert split_large([failed, odd], 0, None) == ([failed, odd], [], {})


@pytest.mark.parametrize(("result", "known"), [({REPORT_SLOT: "both"}, "both"), ("report", ("report", ()))])
def test_the_facts_are_the_report_and_what_is_known_of_what_stays(result: object, known: object) -> None:
    """Where nothing stays the report is the result itself."""
    assert facts(result) == known


def test_a_value_of_the_driver_is_stored_in_a_slot_of_its_own() -> None:
    """No call of a batch has it."""
    payload = payload_of(LARGE)
    assert pick(store_sent(payload), [SENT_SLOT]) == [payload] and SENT_SLOT[0] < 0


@pytest.mark.parametrize(
    ("value", "width"), [([1, 2], 2), (range(3), 3), ({1: 2}, 1), ("text", None), (5, None), (iter([]), None)]
)
def test_the_width_is_told_where_it_can_be(value: object, width: int | None) -> None:
    """Only iterating tells that of a string's or iterator's map."""
    assert width_of(value) == width


class Piece:
    """What a batch has of a mapped step: the columns that its elements are spread over."""

    def __init__(self, *columns: object) -> None:
        self.columns = list(columns)


def test_a_batch_gets_the_values_that_it_reads() -> None:
    """As the value of a node, an element of one, a column, or a part of it; each is unpickled once."""
    stored = [{(0, None): payload_of(["a", "b", "c"])}, {(2, 5): payload_of("element")}]
    given = {7: None, 8: ["x", None]}
    pieces = [Piece(None), Piece(["y", None])]
    reads = [
        Read(0, (0, None), None, 7),
        Read(1, (2, 5), None, 8, 1),
        Read(0, (0, None), 0, 0, None, 1, 3),
        Read(1, (2, 5), 1, 0, 1),
    ]
    insert_values(given, pieces, reads, stored)
    assert given == {7: ["a", "b", "c"], 8: ["x", "element"]}
    assert pieces[0].columns == [["b", "c"]] and pieces[1].columns == [["y", "element"]]


def test_what_has_no_slices_is_listed_before_it_is_cut() -> None:
    """A dict is iterated over, as a map over it would be."""
    pieces = [Piece(None)]
    insert({}, pieces, Read(0, (0, None), 0, 0, None, 1, 2), {"a": 1, "b": 2})
    assert pieces[0].columns == [["b"]]


def test_a_payload_knows_its_size() -> None:
    """A cluster measures what it holds by `__sizeof__`."""
    assert isinstance(payload_of(LARGE), Payload) and payload_of(LARGE).__sizeof__() >= 1000
