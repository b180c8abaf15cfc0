"""The bars of the timeline."""

from turgo.run_report.bars import timeline
from turgo.run_report.calls import Call


def call(number: int, worker: str, began: float, seconds: float = 1.0, failed: bool = False) -> Call:
    """One of the task `dig`."""
    return Call((0, number), "dig", worker, began, seconds, 1, True, "Success", failed)


def title(key) -> str:
    """As a run names it."""
    return f"dig[{key[1]}]"


def test_calls_of_a_worker_that_overlap_have_lanes_of_their_own() -> None:
    """As many as ran at once; workers are sorted."""
    calls = [call(0, "b", 10), call(1, "b", 10.5), call(2, "b", 11.2), call(3, "a", 10)]
    drawn = timeline(calls, title, 10)
    assert drawn.lanes == ("a", "b", "b (2)") and drawn.note == ""
    assert [(bar.words, bar.lane) for bar in drawn.bars] == [
        ("dig[0]", 1),
        ("dig[1]", 2),
        ("dig[2]", 1),
        ("dig[3]", 0),
    ]
    assert [bar.began for bar in drawn.bars] == [0, 0.5, 11.2 - 10, 0]


def test_many_calls_are_drawn_together() -> None:
    """Those of a lane and a moment; what failed stays alone; it is said."""
    calls = [
        call(number, f"w{number % 4}", 10 + number // 4, failed=number == 777) for number in range(10_000)
    ]
    drawn = timeline(calls, title, 10, most=400)
    assert len(drawn.bars) <= 402
    assert sum(bar.calls for bar in drawn.bars) == 10_000
    assert [bar.words for bar in drawn.bars if bar.failed] == ["dig[777]"]
    assert drawn.note == f"10,000 calls are drawn as {len(drawn.bars):,} bars"
    assert any(bar.words == "25 calls of dig, 25 s of work" for bar in drawn.bars)


def test_no_calls_are_no_bars() -> None:
    """Nor lanes."""
    assert timeline([], title, 0).bars == ()
