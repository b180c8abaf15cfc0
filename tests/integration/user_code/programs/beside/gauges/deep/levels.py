"""A module two packages down."""

FACTOR = 3.0


class Level:
    def __init__(self, value: float) -> None:
        self.value = value


def bottom(level: Level) -> float:
    return level.value * FACTOR
