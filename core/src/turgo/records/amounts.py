"""Amounts as one reads them: times, rates and sizes."""

from __future__ import annotations

MICRO_SECONDS = 1e-6
KILO_BYTES = 1000.0


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


def short_duration(seconds: float) -> str:
    """The same, also of microseconds: `12 µs`."""
    if seconds < MICRO_SECONDS:
        return "<1 µs"
    return f"{seconds / MICRO_SECONDS:.0f} µs" if seconds < 1e-3 else duration(seconds)


def size(count: float) -> str:
    """Bytes as one reads them: `0 B`, `3.2 kB`, `41 MB`."""
    units = ["B", "kB", "MB", "GB"]
    while count >= KILO_BYTES and len(units) > 1:
        count /= KILO_BYTES
        units.pop(0)
    return f"{count:.0f} {units[0]}" if count >= 10 or units[0] == "B" else f"{count:.1f} {units[0]}"


def frequency(rate: float | None) -> str:
    """A rate as one reads it: `1,250/s`, `3.4/s`, `12/min`; nothing if there is none."""
    if rate is None:
        return ""
    if rate >= 1:
        return f"{rate:,.0f}/s" if rate >= 10 else f"{rate:.1f}/s"
    return f"{rate * 60:.1f}/min"
