"""A module beside the flow."""

import dataclasses

from gauges.deep.levels import Level

from turgo import task

SEEN: list[str] = []


@dataclasses.dataclass
class Measured:
    level: float


def parsed(text: str) -> Measured:
    return Measured(float(text))


@task
def task_beside(n: int) -> int:
    return n * 2


@task
def judged(level: object) -> bool:
    return type(level) is Level
