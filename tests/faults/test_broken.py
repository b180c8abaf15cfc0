"""What a run that goes on does again is found by two witnesses: the journal, and what calls wrote down."""

import json
import random
import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path

from faults.broken import SURELY_SECONDS, Broken
from faults.injected.catalogue import FAULTS
from faults.launch import Launch
from faults.program import Node, Program

KILLED = 100.0


def nodes() -> list[Node]:
    """Five calls, of which one may be made once, and one that takes a large value."""
    calls = [{"key": f"a-{number}", "size": 0} for number in range(3)]
    large, over = {"key": "b-0", "size": 1000}, {"key": "c-0", "size": 0}
    return [Node("a", "map", calls), Node("b", "map", [large]), Node("c", "map", [over], ["b"])]


def launched(folder: Path) -> Launch:
    """All ended long before the kill but a-2; the journal has two of `a`."""
    launch = Launch(folder, Program(nodes()), {})
    words = [["begin", key, 1, 10.0] for key in ("a-0", "a-1", "a-2", "b-0", "c-0")]
    words += [["end", key, 1, 11.0] for key in ("a-0", "a-1", "b-0", "c-0")]
    words.append(["end", "a-2", 1, KILLED - SURELY_SECONDS / 2])
    (folder / "calls").write_text("".join(json.dumps(each) + "\n" for each in words))
    run = folder / "state" / "turgo" / "runs" / "faulty-1"
    run.mkdir(parents=True)
    with closing(sqlite3.connect(run / "journal.sqlite")) as database, database:
        database.execute("CREATE TABLE calls (task TEXT, identities BLOB)")
        database.execute("INSERT INTO calls VALUES ('a', ?)", (bytes(40),))
    return launch


def test_what_is_known_of_a_run_that_was_killed(tmp_path: Path) -> None:
    """Large values that stay on workers, and what takes them, are not kept."""
    launch = launched(tmp_path)
    assert Broken.of(launch, KILLED, 1.0, remote=False).surely == {"a-0", "a-1", "b-0", "c-0"}
    broken = Broken.of(launch, KILLED, 1.0, remote=True)
    assert broken.surely == {"a-0", "a-1"} and broken.journaled == Counter(a=2)
    assert len(broken.begun) == len(broken.ended) == 5


def test_what_is_done_again_is_found(tmp_path: Path) -> None:
    """One call of `a` may run again, and not one that had ended long before, nor two."""
    broken = Broken.of(launched(tmp_path), KILLED, 1.0, remote=True)
    before = dict.fromkeys(("a-0", "a-1", "a-2", "b-0"), 10.0)
    assert broken.again({**before, "a-2": 200.0, "b-0": 200.0}, nodes(), 150.0) == []
    assert len(broken.again({**before, "a-0": 200.0}, nodes(), 150.0)) == 1
    assert len(broken.again({**before, "a-0": 200.0, "a-2": 200.0}, nodes(), 150.0)) == 2


def test_when_a_run_that_goes_on_may_fail(tmp_path: Path) -> None:
    """Only if a call that may be made once may have run."""
    broken = Broken.of(launched(tmp_path), KILLED, 1.0, remote=True)
    assert not broken.unsure(nodes())
    once = [Node("a", "map", nodes()[0].calls, [], {"idempotent": False})]
    assert broken.unsure(once)
    resumed = FAULTS["SIGKILL, then --resume"](random.Random(0), "local", 0.0)
    assert resumed.possible_ends == {"success"}
