"""Copies of large values: what a worker writes is what the driver reads."""

import pickle
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from turgo.engine.transport.worker_code import TextFunction
from turgo.worker.code.bootstrap import Payload
from turgo.worker.values.copies import digest_of, facts_with_digests, parts_of, write_copies

SLOT = (0, None)


def stored(value: object) -> dict:
    """What a batch left on its worker that returned one large value."""
    buffers: list = []
    blob = pickle.dumps(value, protocol=5, buffer_callback=buffers.append)
    return {SLOT: Payload(blob, *[each.raw() for each in buffers]), "report": (b"report", [(SLOT, 10, None)])}


VALUES = [{"a": [1, 2]}, b"", pickle.PickleBuffer(bytearray(b"x" * 100_000))]


@pytest.mark.parametrize("value", VALUES, ids=["plain", "empty", "with a buffer"])
@pytest.mark.parametrize("url", [False, True], ids=["folder", "url"])
def test_what_is_written_is_read_again(value: object, url: bool, tmp_path: Path) -> None:
    """With the digest that was told before, for the eyes of the user alone."""
    held = stored(value)
    where = f"local://{tmp_path}/kept" if url else str(tmp_path / "kept")
    ((size, digest),) = write_copies(held, [(SLOT, where, "one")])
    path = tmp_path / "kept" / "one"
    content = path.read_bytes()
    assert len(content) == size and digest == digest_of(held[SLOT])
    assert facts_with_digests(held) == (b"report", [(SLOT, 10, None, digest)])
    blob, *buffers = parts_of(content)
    assert pickle.loads(blob, buffers=buffers) == pickle.loads(held[SLOT].blob, buffers=held[SLOT].buffers)
    assert url or stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in path.parent.iterdir()] == ["one"], "nothing is left aside"


def test_a_batch_that_stored_nothing_has_its_report_alone() -> None:
    """As it has without copies."""
    assert facts_with_digests(b"report") == (b"report", ())


def test_what_cannot_be_written_leaves_the_others(tmp_path: Path) -> None:
    """A file in the place of a folder, a URL that nobody knows, a value that is not there."""
    (tmp_path / "file").touch()
    places = [str(tmp_path / "file"), "gopher2://x", str(tmp_path)]
    answers = write_copies(
        stored(1), [*((SLOT, where, "one") for where in places), ((7, None), places[2], "two")]
    )
    assert [type(each) for each in answers] == [str, str, tuple, str]
    assert "FileExistsError" in str(answers[0]) and "KeyError" in str(answers[3])


@pytest.mark.parametrize("content", [b"", b"\0" * 7, b"\xff" * 40])
def test_no_copy_is_read_from_other_bytes(content: bytes) -> None:
    """They end in an error, and in no allocation of whatever they say."""
    with pytest.raises(ValueError, match="cut short"):
        parts_of(content)


def test_a_worker_without_turgo_writes_copies(tmp_path: Path) -> None:
    """The text of the functions is all that it gets."""
    shipped = tmp_path / "shipped"
    shipped.write_bytes(pickle.dumps((TextFunction(write_copies), TextFunction(facts_with_digests))))
    program = f"""
import pickle, sys
from types import SimpleNamespace
write, facts = pickle.load(open({str(shipped)!r}, "rb"))
held = {{(0, None): SimpleNamespace(blob=b"blob", buffers=()), "report": (b"", [((0, None), 4, None)])}}
answer = write(held, [((0, None), {str(tmp_path / "kept")!r}, "one")])
assert facts(held)[1][0][-1] == answer[0][1]
assert not [name for name in sys.modules if name.startswith("turgo")]
"""
    subprocess.run([sys.executable, "-I", "-S", "-c", program], check=True, timeout=60)
    assert bytes(parts_of((tmp_path / "kept" / "one").read_bytes())[0]) == b"blob"
