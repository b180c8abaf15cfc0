"""Flows of a bakery, to be drawn."""

from turgo import case, flow, merge, task
from turgo.outlines.outline import Outline
from turgo.outlines.shapes import Arrow, Box, Kind


@task
def orders(day):
    return [day] * 3


@task
def bake(order, oven=200):
    return order + oven


@task
def kind(day):
    return "feast"


@task
def cake(day):
    return f"cake {day}"


@task
def bread(day):
    return f"bread {day}"


@task(executor="van")
def deliver(loaves, what):
    return len(loaves), what


@task(trigger="always_run")
def sweep():
    return "clean"


@flow
def bakery(day: int = 1):
    """Everything that can be drawn: a map, a case, a merge, an order, another executor, a trigger."""
    loaves = bake.map(orders(day))
    what = kind(day)
    with case(what, "feast"):
        sweet = cake(day)
    with case(what, "workday"):
        plain = bread(day)
    done = deliver(loaves, merge(sweet, plain))
    sweep.after(done)()
    return done


def outline(*boxes: Box, arrows: tuple[tuple[int, int], ...] = (), note: str = "") -> Outline:
    """One that is put together by hand."""
    return Outline("drawn", boxes, tuple(Arrow(*way, Kind.VALUE) for way in arrows), note)
