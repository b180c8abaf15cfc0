"""Times and rates as one reads them."""

import pytest

from turgo.records.amounts import duration, frequency


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
