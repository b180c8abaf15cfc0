"""A package beside the flow."""

from gauges.deep import levels

FACTOR = levels.FACTOR
CEILING = 9.0


def scaled(level: float) -> float:
    return level * FACTOR
