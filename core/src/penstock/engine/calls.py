"""Calls: the functions of tasks, as they are called in this process and as they are sent to others."""

from __future__ import annotations

from typing import Any

from penstock.engine import belongings
from penstock.engine.belongings import Belongings
from penstock.engine.calling import Call, prepare
from penstock.engine.carried import Carrier
from penstock.engine.levels import levels_here
from penstock.engine.portable import large_buffers
from penstock.errors import ValueNotPortableError
from penstock.flows.task import AnyTask


class _Prepared(dict[AnyTask, Call]):
    """Prepares a function when it is first asked for; after that it is one look-up."""

    def __missing__(self, task: AnyTask) -> Call:
        call = self[task] = prepare(*_prepared(task))
        return call


def _prepared(task: AnyTask) -> tuple[Call, float | None, bool]:
    """What `prepare` needs."""
    return task.body, task.policy.timeout, task.policy.log_prints


class Calls:
    """The functions of the tasks of one run: `here`, as they are called in this process, and pickled once.

    run: its id and the name of its flow.
    """

    def __init__(self, run: tuple[str, str] = ("", "")) -> None:
        self.run = run
        self.here = _Prepared()
        self._blobs: dict[AnyTask, bytes] = {}
        self._belongings: Belongings | None = None
        self._levels: dict[str, int] | None = None

    @property
    def levels(self) -> dict[str, int]:
        """The levels of this process's loggers when a batch first left it."""
        if self._levels is None:
            self._levels = levels_here()
        return self._levels

    def dumps(self, value: Any, carrier: Carrier | None, buffers: list[Any] | None = None) -> bytes:
        """A pickle, its large buffers beside it in `buffers`; a carrier if penstock may not be where it goes."""
        if carrier is not None:
            if self._belongings is None:
                self._belongings = Belongings(carrier)
            return self._belongings.dumps(value, buffers)
        beside = None if buffers is None else large_buffers(buffers)
        return belongings.dumps(value, beside)

    def blob(self, task: AnyTask, carrier: Carrier | None = None) -> bytes:
        """The function as bytes for `batch.load_call`. Raises ValueNotPortableError if it cannot be pickled."""
        if task not in self._blobs:
            try:
                self._blobs[task] = self.dumps(_prepared(task), carrier)
            except Exception as error:
                raise ValueNotPortableError(f"the function of {task.name} cannot be sent: {error}") from error
        return self._blobs[task]
