"""Tags that say where a call may run, and when: `dask-resource:GPU=1`.

dask-resource:KEY=NUM       on a worker that has so much of it left
dask-priority:NUM           before calls with a lower one; 0 if not given
dask-workers:NAME,ADDRESS   on one of these
dask-allow-other-workers    … or elsewhere, if they are busy or gone
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from functools import lru_cache
from typing import Any, NamedTuple

from penstock.errors import OptionError
from penstock_dask.plugin import NAME

RESOURCE = "dask-resource:"
PRIORITY = "dask-priority:"
WORKERS = "dask-workers:"
OTHERS = "dask-allow-other-workers"

_FORMS = {
    RESOURCE: "dask-resource:GPU=1",
    PRIORITY: "dask-priority:10",
    WORKERS: "dask-workers:tcp://10.0.0.5:40001,alice",
    OTHERS: OTHERS,
}


class Wish(NamedTuple):
    """What the tags of a call ask for."""

    resources: tuple[tuple[str, float], ...] = ()
    priority: int = 0
    workers: tuple[str, ...] = ()
    elsewhere: bool = False

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
            numbers = [int(name) for name in self.workers if name.isdigit()]
            found["workers"], found["allow_other_workers"] = [*self.workers, *numbers], self.elsewhere
        return found

    @property
    def picky(self) -> bool:
        """Whether there may be no worker for it."""
        return bool(self.resources or (self.workers and not self.elsewhere))

    def is_met_by(self, address: str, worker: Mapping[str, Any]) -> bool:
        """Whether a worker, as the scheduler describes it, would do when nothing else runs on it."""
        names = {address, str(worker.get("name")), worker.get("host")}
        names.add(address.rpartition("://")[2])
        if self.workers and not self.elsewhere and names.isdisjoint(self.workers):
            return False
        has = worker.get("resources") or {}
        return all(has.get(key, 0) >= amount for key, amount in self.resources)

    def __str__(self) -> str:
        parts = [f"{key}={amount:g}" for key, amount in self.resources]
        return ", ".join(parts + ([f"one of the workers {', '.join(self.workers)}"] if self.workers else []))


NONE = Wish()


def wish_of(tags: Sequence[str] | None) -> Wish:
    """What the tags ask for. Raises OptionError for one that is ill-formed, and shows how it is written."""
    return _wish(tuple(tags)) if tags else NONE


@lru_cache(maxsize=256)
def _wish(tags: tuple[str, ...]) -> Wish:
    resources: dict[str, float] = {}
    priority, elsewhere = 0, False
    workers: tuple[str, ...] = ()
    for tag in tags:
        if tag.startswith(RESOURCE):
            key, amount = _resource(tag)
            resources[key] = amount
        elif tag.startswith(PRIORITY):
            priority = _number(tag)
        elif tag.startswith(WORKERS):
            workers = _names(tag)
        elif tag == OTHERS:
            elsewhere = True
        else:
            _refuse_misspelt(tag)
    if elsewhere and not workers:
        raise _wrong(OTHERS, "says nothing without workers to prefer: add one like", WORKERS)
    return Wish(tuple(sorted(resources.items())), priority, workers, elsewhere)


def _resource(tag: str) -> tuple[str, float]:
    key, equals, number = tag.removeprefix(RESOURCE).partition("=")
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


def _number(tag: str) -> int:
    try:
        return int(tag.removeprefix(PRIORITY))
    except ValueError:
        raise _wrong(tag, "is no priority, which is a whole number: write", PRIORITY) from None


def _names(tag: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in tag.removeprefix(WORKERS).split(","))
    if not all(names):
        raise _wrong(tag, "names no workers: write", WORKERS)
    return names


def _refuse_misspelt(tag: str) -> None:
    """`dask-resources:GPU=1` is no other tag: it is this one, misspelt."""
    head, colon, _ = tag.partition(":")
    near = get_close_matches(head + colon, _FORMS, n=1, cutoff=0.8) if head.startswith("dask-") else []
    if near:
        raise _wrong(tag, "is not known: write", near[0])


def _wrong(tag: str, what: str, form: str) -> OptionError:
    return OptionError(f"the tag {tag!r} {what} {_FORMS[form]}", option=tag, executor=NAME, nearest=form)
