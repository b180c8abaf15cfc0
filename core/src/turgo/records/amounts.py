"""Amounts as one reads them: times and rates."""

from __future__ import annotations


def duration(seconds: float) -> str:
    """A time as one reads it: `12 ms`, `4.2 s`, `3 min 20 s`, `2 h 5 min`."""
    if seconds < 0.0005:
        return "<1 ms"
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 99.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def frequency(rate: float | None) -> str:
    """A rate as one reads it: `1,250/s`, `3.4/s`, `12/min`; nothing if there is none."""
    if rate is None:
        return ""
    if rate >= 1:
        return f"{rate:,.0f}/s" if rate >= 10 else f"{rate:.1f}/s"
    return f"{rate * 60:.1f}/min"
