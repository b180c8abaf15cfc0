"""Objects that are known by the place where they stand."""

import sys
import threading

from turgo.worker.code.places import by_place, place_of


class Absent:
    """Has no state."""


class Full:
    """Has one."""

    __slots__ = ("value",)

    def __init__(self):
        self.value = 1


ABSENT = Absent()
FULL = Full()
LOCK = threading.Lock()


def test_what_has_a_state_or_stands_nowhere_is_known_by_no_place():
    """It is looked for in the module of its class, and in those that are given."""
    here = {__name__: sys.modules[__name__]}
    assert place_of(ABSENT, {}) == (__name__, "ABSENT")
    assert [place_of(each, here) for each in (Absent(), FULL, LOCK)] == [None] * 3


def test_an_object_is_found_in_its_place_again():
    """One of its class, where the module is not there."""
    make, arguments = by_place(ABSENT, (__name__, "ABSENT"))
    assert make(*arguments) is ABSENT
    make, arguments = by_place(ABSENT, ("no_such_module", "ABSENT"))
    assert type(make(*arguments)) is Absent
