"""A module two packages down."""

FACTOR = 3.0


class Level:
    def __init__(self, value: float) -> None:
        self.value = value


def deepest() -> tuple[int, float]:
    from .. import CEILING  # noqa: TID252  (what is shown)
    from . import DEPTH  # noqa: TID252

    return DEPTH, CEILING


def bottom(level: Level) -> float:
    return level.value * FACTOR
