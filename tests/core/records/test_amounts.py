"""Times, rates and sizes as one reads them."""

import pytest

from turgo.records.amounts import duration, frequency, short_duration, size


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.0, "<1 ms"), (0.0123, "12 ms"), (4.24, "4.2 s"), (200.0, "3 min 20 s"), (7500.0, "2 h 5 min")],
)
def test_a_time(seconds: float, text: str) -> None:
    """In the unit that fits."""
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("rate", "text"), [(None, ""), (1250.0, "1,250/s"), (3.4, "3.4/s"), (0.2, "12.0/min")]
)
def test_a_rate(rate: float | None, text: str) -> None:
    """By the second, or by the minute."""
    assert frequency(rate) == text


def test_a_short_time_and_a_size() -> None:
    """In microseconds, and in units of a thousand bytes."""
    assert [short_duration(each) for each in (0, 2e-6, 0.25)] == ["<1 µs", "2 µs", "250 ms"]
    shown = ["0 B", "999 B", "4.2 kB", "41 MB", "3000 GB"]
    assert [size(each) for each in (0, 999, 4200, 41e6, 3e12)] == shown
