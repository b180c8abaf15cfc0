"""Parses the tags that say where a call may run, and when.

dask-resource:KEY=NUM       on a worker that has so much of it left
dask-priority:NUM           before calls with a lower one; 0 if not given
dask-workers:NAME,ADDRESS   on one of these
dask-allow-other-workers    … or elsewhere, if they are busy or gone
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from functools import lru_cache
from typing import Any, NamedTuple

from turgo.errors import OptionError
from turgo_dask.plugin import NAME

RESOURCE = "dask-resource:"
PRIORITY = "dask-priority:"
WORKERS = "dask-workers:"
OTHERS = "dask-allow-other-workers"

PRIORITY_STEPS = 10**9
"""How many there are on either side of 0. What is far beyond breaks the connection, as msgpack has no form for it."""

_FORMS = {
    RESOURCE: "dask-resource:GPU=1",
    PRIORITY: "dask-priority:10",
    WORKERS: "dask-workers:tcp://10.0.0.5:40001,alice",
    OTHERS: OTHERS,
}


NUMBER = re.compile("[0-9]{1,18}")
"""The name of a worker that is a number; longer ones are names."""


class Placement(NamedTuple):
    """Where and when a call may run, as its tags say. allow_other_workers: `workers` is a preference only."""

    resources: tuple[tuple[str, float], ...] = ()
    priority: int = 0
    workers: tuple[str, ...] = ()
    allow_other_workers: bool = False

    @property
    def options(self) -> dict[str, Any]:
        """For `Client.submit`."""
        found: dict[str, Any] = {}
        if self.resources:
            found["resources"] = dict(self.resources)
        if self.priority:
            found["priority"] = self.priority
        if self.workers:
            # The names of a LocalCluster's workers are numbers.
            numbers = [int(name) for name in self.workers if NUMBER.fullmatch(name)]
            found["workers"], found["allow_other_workers"] = (
                [*self.workers, *numbers],
                self.allow_other_workers,
            )
        return found

    @property
    def restricted(self) -> bool:
        """Whether some worker may not run it."""
        return bool(self.resources or (self.workers and not self.allow_other_workers))

    def allows(self, address: str, worker: Mapping[str, Any]) -> bool:
        """Whether a worker, as the scheduler describes it, may run the call when nothing else runs there."""
        names = {address, str(worker.get("name")), worker.get("host")}
        names.add(address.rpartition("://")[2])
        if self.workers and not self.allow_other_workers and names.isdisjoint(self.workers):
            return False
        has = worker.get("resources") or {}
        return all(has.get(key, 0) >= amount for key, amount in self.resources)

    def __str__(self) -> str:
        parts = [f"{key}={amount:g}" for key, amount in self.resources]
        return ", ".join(parts + ([f"one of the workers {', '.join(self.workers)}"] if self.workers else []))


ANYWHERE = Placement()


def placement_of(tags: Sequence[str] | None) -> Placement:
    """What the tags ask for. Raises OptionError for one that is ill-formed, and shows how it is written."""
    return _placement(tuple(tags)) if tags else ANYWHERE


@lru_cache(maxsize=256)
def _placement(tags: tuple[str, ...]) -> Placement:
    resources: dict[str, float] = {}
    priority = 0
    allow_other_workers = False
    workers: tuple[str, ...] = ()
    for tag in tags:
        form, value = _split(tag)
        if form == RESOURCE:
            key, amount = _resource(tag, value)
            if key in resources:
                raise _wrong(tag, f"asks for {key} a second time: say once how much, as in", RESOURCE)
            resources[key] = amount
        elif form == PRIORITY:
            priority = _number(tag, value)
        elif form == WORKERS:
            workers = _names(tag, value)
        elif form == OTHERS:
            allow_other_workers = True
        else:
            _refuse_misspelt(tag)
    if allow_other_workers and not workers:
        raise _wrong(OTHERS, "says nothing without workers to prefer: add one like", WORKERS)
    return Placement(tuple(sorted(resources.items())), priority, workers, allow_other_workers)


def _split(tag: str) -> tuple[str, str]:
    """The form of a tag, in whichever case of letters it is written, and its value; empty for a tag of no form."""
    head, colon, value = tag.partition(":")
    form = head.strip().lower() + colon
    return (form, value) if form in _FORMS else ("", "")


def _resource(tag: str, value: str) -> tuple[str, float]:
    key, equals, number = value.partition("=")
    try:
        amount = float(number)
    except ValueError:
        amount = -1.0
    if not key.strip() or not equals or not 0 < amount < float("inf"):
        raise OptionError(
            f"the tag {tag!r} asks for no resource: write {RESOURCE}{key.strip() or 'KEY'}=NUM, as in "
            f"{_FORMS[RESOURCE]}",
            option=tag,
            executor=NAME,
        )
    return key.strip(), amount


def _number(tag: str, value: str) -> int:
    try:
        priority = int(value)
    except ValueError:
        raise _wrong(tag, "is no priority, which is a whole number: write", PRIORITY) from None
    if abs(priority) > PRIORITY_STEPS:
        raise _wrong(tag, f"is beyond the priorities, which end at {PRIORITY_STEPS:,}: write", PRIORITY)
    return priority


def _names(tag: str, value: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in value.split(","))
    if not all(names):
        raise _wrong(tag, "names no workers: write", WORKERS)
    return names


def _refuse_misspelt(tag: str) -> None:
    """`dask-resources:GPU=1` is no other tag: it is this one, misspelt."""
    head, colon, _ = tag.partition(":")
    head = head.lower()
    near = get_close_matches(head + colon, _FORMS, n=1, cutoff=0.8) if head.startswith("dask-") else []
    if near:
        raise _wrong(tag, "is not known: write", near[0])


def _wrong(tag: str, what: str, form: str) -> OptionError:
    return OptionError(f"the tag {tag!r} {what} {_FORMS[form]}", option=tag, executor=NAME, nearest=form)
