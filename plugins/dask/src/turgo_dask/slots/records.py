"""The records of slots that are held and of calls that were not sent by the scheduler. They change as these do."""

from __future__ import annotations

import attrs
import distributed


@attrs.define(eq=False)
class Slot:
    """A slot that is held. key: of the call that came to it by the scheduler, which knows the slot by that.

    future: of that call; while it lives the scheduler does not forget it; None once the slot is left. since: when the
    slot was held first; until: when it may be gone, if nothing is handed to it before. calls: that were handed to it
    and are not over; the first one runs.
    """

    key: str
    address: str
    future: distributed.Future | None
    since: float
    until: float = 0.0
    calls: list[Call] = attrs.field(factory=list)


@attrs.define(eq=False)
class Call:
    """A call whose value nobody asks the scheduler for. pickled: all of it. slot: the one that it was handed to.

    seconds: how long it is thought to run; 0 if that is not known. followed: whether another call was behind it in its
    slot when that was lost, and may have begun.
    """

    pickled: bytes
    future: distributed.Future
    slot: Slot | None = None
    seconds: float = 0.0
    followed: bool = False

    @property
    def key(self) -> str:
        """The key of its future."""
        return str(self.future.key)

    @property
    def wanted(self) -> bool:
        """Whether it is not over, and nobody has cancelled it."""
        return bool(self.future._state.status == "pending")

    @property
    def waits_in_slot(self) -> bool:
        """Whether it was handed to a slot in which another one runs."""
        return self.slot is not None and self.slot.calls[:1] != [self]
