"""Rows find damage to values, whoever wrote them."""

import pickle
import struct

import pytest

from turgo.errors import JournalError
from turgo.journal.rows import Kept, Row, content_digest, pickled, row_digest, row_of

ONE, TWO = b"1" * 20, b"2" * 20


def test_values_come_from_what_the_driver_pickled() -> None:
    """As many as there are identities."""
    payload = pickled(["one", 2])
    assert payload is not None
    row = row_of(Kept("score", ONE + TWO, payload), None, "", 7)
    assert (row.width, row.size, row.values(payload)) == (2, len(payload), ["one", 2])


def test_a_value_comes_from_the_copy_of_a_worker() -> None:
    """Which is a pickle and the buffers of its arrays."""
    blob = pickle.dumps("one")
    content = struct.pack("!2Q", 1, len(blob)) + blob
    digest = content_digest(content)
    row = Row("score", ONE, 1, "ab" * 20, 0, len(content), row_digest("score", ONE, digest), digest)
    assert row.values(content) == ["one"]
    with pytest.raises(JournalError, match="damaged"):
        row._replace(content=content_digest(b"other")).values(content)


@pytest.mark.parametrize("fault", ["task", "identities", "payload", "cut"])
def test_nothing_is_unpickled_that_was_changed(fault: str) -> None:
    """Be it the row or what it names."""
    payload = pickled([1])
    assert payload is not None
    row = row_of(Kept("score", ONE, payload), None, "", 0)
    if fault in ("task", "identities"):
        row = row._replace(**{fault: "other" if fault == "task" else TWO})
    else:
        payload = payload[:-1] + b"!" if fault == "payload" else payload[:-1]
    with pytest.raises(JournalError, match="damaged"):
        row.values(payload)


def test_what_cannot_be_pickled_has_no_pickle() -> None:
    """A lambda has one."""
    assert pickled([(each for each in ())]) is None
    found = pickled([lambda: 3])
    assert found is not None and pickle.loads(found)[0]() == 3
