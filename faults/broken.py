"""`Broken`: what a driver left that was killed, and what the run that goes on from there must not do again.

The witnesses are two: the rows of its journal, and what calls wrote down of their own ends long enough before.
"""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections import Counter
from contextlib import closing
from pathlib import Path

import attrs

from faults.launch import Launch, lines
from faults.program import Node, Program
from turgo.journal.rows import IDENTITY_BYTES

SURELY_SECONDS = 3.0
"""How long before the kill a call had to end for its value to be kept; a tenth of a second where nothing else runs."""


@attrs.frozen
class Broken:
    """begun, ended: keys of calls before the kill. surely: of those whose values the journal must have; journaled:
    how many calls of each node it has."""

    begun: frozenset[str]
    ended: frozenset[str]
    surely: frozenset[str]
    journaled: Counter[str]

    @classmethod
    def of(cls, launch: Launch, killed: float, patience: float, *, remote: bool) -> Broken:
        """From the folder of the run. killed: when; remote: whether large values stay on workers."""
        begun, ended, surely = set(), set(), set()
        for word, key, _, moment in lines(launch.folder / "calls"):
            if word == "begin":
                begun.add(key)
            elif word == "end":
                ended.add(key)
                if moment < killed - SURELY_SECONDS * patience:
                    surely.add(key)
        unkept = _unkept(launch.program) if remote else set()
        kept = {
            call["key"] for node in launch.program.nodes if node.name not in unkept for call in node.calls
        }
        found = _journaled(launch.folder / "state")
        return cls(frozenset(begun), frozenset(ended), frozenset(surely & kept), found)

    def again(self, last: dict[str, float], nodes: list[Node], since: float) -> list[str]:
        """Sentences on what was done again that had not to be. last: when each call began last."""
        after = {key for key, moment in last.items() if moment >= since}
        found = [
            f"{key} had ended long before the kill, and was executed again" for key in after & self.surely
        ]
        for node in nodes:
            keys = {call["key"] for call in node.calls}
            most = len(keys) - self.journaled[node.name]
            if len(after & keys) > most:
                found.append(
                    f"{len(after & keys)} calls of {node.name} ran after the kill; {most} were not kept"
                )
        return found

    def unsure(self, nodes: list[Node]) -> bool:
        """Whether a call that may be made once may have begun and left no value."""
        return any(
            node.options.get("idempotent") is False
            and any(call["key"] not in self.surely for call in node.calls)
            for node in nodes
        )


def _unkept(program: Program) -> set[str]:
    """The nodes whose values may stay on workers, and those that take them."""
    found: set[str] = set()
    for node in program.nodes:
        if any(call["size"] for call in node.calls) or found & set(node.inputs):
            found.add(node.name)
    return found


def _journaled(state: Path) -> Counter[str]:
    """How many calls of each task the journals there have; read from a copy, as opening one mends it."""
    counts: Counter[str] = Counter()
    for folder in state.glob("turgo/runs/*"):
        with tempfile.TemporaryDirectory() as copied:
            for file in folder.glob("journal.sqlite*"):
                shutil.copy(file, copied)
            with closing(sqlite3.connect(Path(copied, "journal.sqlite"))) as database:
                try:
                    rows = database.execute("SELECT task, length(identities) FROM calls").fetchall()
                except sqlite3.OperationalError:  # it had no tables yet
                    rows = []
        for task, size in rows:
            counts[task] += size // IDENTITY_BYTES
    return counts
