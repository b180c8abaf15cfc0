"""A map, a reduce, a failure, logs and a large value: `python everything.py PROFILE` prints what came of them."""

from __future__ import annotations

import json
import logging
import os
import sys
import time
from typing import Any

from turgo import flow, task

LARGE = 4 << 20  # bytes


@task
def square(number: int) -> int:
    return number * number


@task
def total(numbers: list[int]) -> int:
    return sum(numbers)


@task
def large() -> bytes:
    return bytes(LARGE)


@task
def size(value: bytes) -> int:
    return len(value)


@task
def speaks() -> int:
    logging.getLogger("everything").warning("heard from %s", "afar")
    return os.getpid()


@task
def fails() -> None:
    raise ValueError("this one fails")


@task
def after_a_failure(value: None) -> None:
    raise AssertionError("it must not run")


@task
def tarries(number: int) -> int:
    time.sleep(0.3)
    return number


@flow
def everything() -> Any:
    after_a_failure(fails())
    return total(square.map(range(50))), size(large()), speaks(), tarries.map(range(4))


def main(profile: str) -> None:
    """Run it by the profile of the configuration file and print the facts as JSON."""
    run = everything.run(executor=profile)
    runs = run.task_runs
    facts = {
        "state": run.state,
        "states": {
            name: sorted({each.state for each in runs if each.name == name})
            for name in {r.name for r in runs}
        },
        "attempts": max(len(each.attempts) for each in runs),
        "error": str(next(each.error for each in runs if each.name == "fails")),
        "logs": [line.message for each in runs if each.name == "speaks" for line in each.logs],
        "workers": sorted({each.worker or "" for each in runs if each.name == "tarries"}),
        "result": run.result,
        "driver": os.getpid(),
    }
    print(json.dumps(facts))


if __name__ == "__main__":
    main(sys.argv[1])
