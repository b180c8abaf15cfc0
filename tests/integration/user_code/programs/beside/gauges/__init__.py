"""A package beside the flow."""

from gauges.deep import levels

FACTOR = levels.FACTOR


def scaled(level: float) -> float:
    return level * FACTOR
