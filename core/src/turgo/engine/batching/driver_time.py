"""Measures the driver's own part of the price of a submission: what it does for each, whatever is in it. Pure.

    submit   cut the batch, pickle it, hand it over    seconds = fixed + calls * slope
    report   open it, note what came of its calls      seconds = fixed + calls * slope

It comes before the line that `price` learns of, and holds submissions up as that does: what the driver makes one after
the other no executor can begin sooner.
"""

from __future__ import annotations

from turgo.engine.batching.moments import Moments


class DriverTime:
    """What the driver spends on one submission, as far as it does not depend on the number of calls."""

    def __init__(self) -> None:
        self._submitting = Moments()
        self._reporting = Moments()
        self._first = True

    def submitted(self, calls: int, seconds: float) -> None:
        """A batch of so many calls was submitted. The first one brings the code with it, and does not count."""
        if self._first:
            self._first = False
        else:
            self._submitting.add(calls, seconds)

    def reported(self, calls: float, seconds: float) -> None:
        """The report of so many calls was taken in; of those that came together, the mean."""
        self._reporting.add(calls, seconds)

    @property
    def seconds(self) -> float:
        """Of each submission; 0 as long as nothing is known."""
        return _fixed(self._submitting) + _fixed(self._reporting)


def _fixed(seen: Moments) -> float:
    return max(0.0, seen.y - seen.slope * seen.x)
