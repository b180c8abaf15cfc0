"""A batch on its worker: where it is, how it is halted, and how it comes out of what the driver packed."""

import pickle
from array import array

from turgo.worker.arguments import CONSTANTS
from turgo.worker.batch import HALTED_SECONDS, Batch, BatchPiece, Step, load_call, unpack
from turgo.worker.code.bootstrap import Payload
from turgo.worker.context import Position
from turgo.worker.outcomes import CallOutcome, MapOutcome
from turgo.worker.output.lines import place_of
from turgo.worker.values.stored_values import Read

STEP = (3, CONSTANTS, ("a",), {}, (), None, False, "double", None)


def packed(columns: list[object] | None = None, **facts: object) -> Payload:
    """What the driver makes of a batch of one piece."""
    said = {
        "run": ("id", "flow"),
        "attempts": {},
        "levels": {},
        "killed": True,
        "fast": True,
        "keeps": True,
        "limit": 2.5,
        "tells": False,
        **facts,
    }
    origin = ("batch 1", "driver", said.pop("channel", None))
    calls = [pickle.dumps((len, None))]
    body = (
        [(STEP, 0, 0, 2, columns)],
        calls,
        {1: "given"},
        [(0, (0, None), None, 1)],
        (*said.values(), *origin),
    )
    return Payload(pickle.dumps(body))


def test_what_the_driver_packed_becomes_a_batch() -> None:
    """With its steps, the functions of its tasks, what it reads, and what is known of the run."""
    batch = unpack(packed(attempts={(3, None): 2}))
    (piece,) = batch.pieces
    assert (piece.step.id, piece.step.args, piece.step.name) == (3, ("a",), "double")
    assert piece.call("abc") == 3 and (piece.low, piece.high, piece.columns) == (0, 2, None)
    assert batch.given == {1: "given"} and batch.reads == [Read(0, (0, None), None, 1)]
    assert batch.run == ("id", "flow") and batch.attempts == {(3, None): 2}
    assert batch.crossed and batch.killed_if_late and batch.fail_fast and batch.keeps and batch.limit == 2.5
    assert (batch.name, batch.driver, batch.channel) == ("batch 1", "driver", None)


def test_a_function_is_unpickled_once() -> None:
    """However many batches of a process take it."""
    blob = pickle.dumps((len, None))
    assert load_call(blob) is load_call(bytes(blob))


def test_a_batch_knows_which_values_its_own_calls_take() -> None:
    """As a whole, or element by element; not those that came with it."""
    first, second = Step(1, *STEP[1:]), Step(2, CONSTANTS, (), {}, (1, 9), None)
    third = Step(3, CONSTANTS, (), {}, (), None)
    pieces = [BatchPiece(each, len, 0, 2, None) for each in (first, second)]
    assert Batch([*pieces, BatchPiece(third, len, 0, 2, [2, [1, 2], 8])], {}).taken_again() == {1, 2}
    assert Batch(pieces[:1], {}).taken_again() == set()


def test_a_batch_knows_which_call_runs() -> None:
    """By its piece, and of a map by the element."""
    batch = Batch([BatchPiece(Step(*STEP), len, 0, 5, None)], {})
    assert batch.where() == Position(batch, 0, None)
    batch.outcomes.append(CallOutcome(1, None, 0.0, 1.0))
    batch.current = MapOutcome([1, 2], {}, 0.0, array("d", [1.0, 1.0]))
    assert batch.where() == Position(batch, 1, 2)
    assert batch.name_of(batch.pieces[0].step) == "double"


def test_a_batch_that_is_halted_begins_no_further_call() -> None:
    """Its time is up, and what was to be timed together with the call that runs is taken away."""
    batch = Batch([], {})
    ahead = batch.ahead = [1, 2, 3]
    batch.halt()
    assert batch.limit == HALTED_SECONDS < 0 and ahead == []
    assert Batch([], {}).limit > 0


told: list[bytes] = []


def test_a_batch_that_was_lost_before_tells_which_call_it_begins() -> None:
    """Only one that is to, and that can: others have their functions as they are."""
    assert unpack(packed(channel=pickle.dumps(tell))).pieces[0].call is len
    assert unpack(packed(tells=True)).pieces[0].call is len
    assert unpack(packed(tells=True, channel=pickle.dumps(tell))).pieces[0].call("abc") == 3
    assert [place_of(each) for each in told] == [("batch 1", 0, None)]


def tell(data: bytes) -> None:
    """What sends to the driver; here the test is that."""
    told.append(data)
