"""The records of slots that are held and of calls that were not sent by the scheduler. They change as these do."""

from __future__ import annotations

import attrs
import distributed


@attrs.define(eq=False)
class Slot:
    """A slot that is held. key: of the call that came to it by the scheduler, which knows the slot by that.

    future: of that call; while it lives the scheduler does not forget it. since: when the slot was held first; until:
    when it may be gone, if nothing is handed to it before.
    """

    key: str
    address: str
    future: distributed.Future
    since: float
    until: float = 0.0


@attrs.define(eq=False)
class Call:
    """A call whose value nobody asks the scheduler for. pickled: all of it. slot: the one that it was handed to."""

    pickled: bytes
    future: distributed.Future
    slot: Slot | None = None

    @property
    def key(self) -> str:
        """The key of its future."""
        return str(self.future.key)

    @property
    def wanted(self) -> bool:
        """Whether it is not over, and nobody has cancelled it."""
        return bool(self.future._state.status == "pending")
