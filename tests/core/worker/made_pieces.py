"""Pieces of a batch, made by hand, and what becomes of them."""

from turgo.worker.arguments import CONSTANTS, TEMPLATES
from turgo.worker.batch import Batch, BatchPiece, Step
from turgo.worker.execute import execute


def step(id, plan, args, kwargs=None, depends=(), spread=None):
    return Step(id, plan, args, kwargs or {}, depends, spread)


def single(id, fn, plan=CONSTANTS, args=(), kwargs=None, depends=()):
    """A call."""
    return BatchPiece(step(id, plan, args, kwargs, depends), fn, -1, -1, None)


def spread(id, fn, *columns, args=None, places=None, kwargs=None):
    """Calls for each element of the columns; one that is a number stands for a step whose values are mapped over."""
    places = tuple(range(len(columns))) if places is None else places
    args = (None,) * len(columns) if args is None else args
    width = next(len(column) for column in columns if not isinstance(column, int))
    return BatchPiece(step(id, TEMPLATES, args, kwargs, spread=places), fn, 0, width, list(columns))


def batch(*pieces, given=None):
    """They in one batch, which does not end early if the machine stands still for a moment."""
    made = Batch(pieces, given or {})
    made.limit = 60.0
    return made


def outcomes(*pieces, given=None):
    """What becomes of each piece of one batch."""
    made = batch(*pieces, given=given)
    report = execute(made)
    assert len(report.stamp) == 3 and report.outcomes is made.outcomes
    return report.outcomes
