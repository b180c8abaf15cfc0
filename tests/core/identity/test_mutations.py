"""Variables that a function changes are told from those that it reads."""

from collections import Counter

from turgo.identity.code import Code
from turgo.identity.mutations import changed_names

SEEN = []
TABLE = {"a": 1}
COUNTS = Counter()


class Box:
    """Something with a field."""


def appends(x):
    SEEN.append(x)
    return TABLE["a"]


def enters(x):
    TABLE[x] = 1


def counts(x):
    COUNTS["calls"] += 1
    result = {}
    result["a"] = TABLE["a"]
    return result


def sets_fields(x):
    Box.field = x
    Box.number += 1


def rebinds(x):
    global TABLE
    TABLE = {}


def test_what_is_changed_in_place_or_set_is_found():
    """By a method, an entry, a field, or an assignment; what is read is not among it."""
    found = {fn: changed_names(fn.__code__) for fn in (appends, enters, counts, sets_fields, rebinds)}
    assert list(found.values()) == [{"SEEN"}, {"TABLE"}, {"COUNTS"}, {"Box"}, {"TABLE"}]


def test_a_record_of_calls_does_not_make_the_next_one_another():
    """A list of the module and one around the function; what it reads counts all the same."""
    own = []

    def notes(x):
        own.append(x)
        SEEN.append(x)
        return TABLE["a"]

    before = Code().parts(notes)
    notes(1)
    assert Code().parts(notes) == before
    TABLE["a"] += 1
    assert Code().parts(notes) != before
