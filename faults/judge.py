"""Judges one run by what is known of it without turgo: its plan, what its calls wrote down, and what it left.

lost            it did not end in time, or a call that should have been made was not
wrong           an exit code, a state or a value
doubled         a call executed twice that had not to be
left behind     processes, files, tasks of the scheduler, a terminal that is not as before
noisy           what nobody should have to read
silent          nothing was said and no call began or ended for a long time
"""

from __future__ import annotations

import ast
import json
import signal
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

import attrs

from faults.injected.fault import FAILED, INTERRUPTED, KILLED, SUCCESS, USAGE, Fault, Scene
from faults.kinds import KINDS
from faults.launch import lines
from faults.noise import noise
from faults.program import Node

COLUMNS = ("lost", "wrong", "doubled", "left behind", "noisy", "silent")

GOOD = frozenset({"Success", "Skipped", "Cached"})
CODES = {0: SUCCESS, 1: FAILED, 2: USAGE, 130: INTERRUPTED}

MOST_DEATHS = 2
"""How many workers one call may cost."""

Complaint = tuple[str, str]
"""A column and a sentence."""


@attrs.define
class Facts:
    """What is known of a run that is over. code: its exit code; recorded: by the observer, None if it wrote nothing.

    executions: of each call, in which processes; first, last: when the first and the last one began.
    """

    scene: Scene
    faults: Sequence[Fault]
    code: int | None
    recorded: dict[str, Any] | None
    executions: dict[str, list[int]]
    ended: set[str]
    first: dict[str, float]
    last: dict[str, float]

    @classmethod
    def of(cls, scene: Scene, faults: Sequence[Fault], code: int | None) -> Facts:
        """From the folder of the run."""
        executions: dict[str, list[int]] = defaultdict(list)
        ended: set[str] = set()
        first: dict[str, float] = {}
        last: dict[str, float] = {}
        for word, key, pid, moment in lines(scene.launch.folder / "calls"):
            if word == "begin":
                executions[key].append(pid)
                first.setdefault(key, moment)
                last[key] = moment
            elif word == "end":
                ended.add(key)
            elif word == "lost":
                scene.lost.add(pid)
        file = scene.launch.folder / "facts.json"
        recorded = json.loads(file.read_text()) if file.exists() else None
        return cls(scene, faults, code, recorded, dict(executions), ended, first, last)

    @property
    def end(self) -> str:
        """What it came to."""
        return (
            KILLED if self.code is None or self.code < 0 else CODES.get(self.code, f"exit code {self.code}")
        )

    @property
    def nodes(self) -> dict[str, Node]:
        """Of the program, by name."""
        return {node.name: node for node in self.scene.launch.program.nodes}

    def lost_executions(self, key: str) -> int:
        """How often a call has begun in a process that was lost."""
        return sum(pid in self.scene.lost for pid in self.executions.get(key, ()))


def judged(facts: Facts) -> Iterator[Complaint]:
    """All that is not as it should be."""
    yield from _ends(facts)
    yield from _values(facts)
    yield from _states(facts)
    yield from _executions(facts)
    folder = facts.scene.launch.folder
    if facts.scene.launch.script and not (folder / "entered").exists():
        return  # it was ended while it imported, which is the user's own program
    if facts.code == -signal.SIGABRT:
        return  # it took too long, and was asked where it is
    error = "".join(file.read_text(errors="replace") for file in sorted(folder.glob("err*")))
    users = [part for fault in facts.faults for part in fault.user_errors]
    yield from (("noisy", each) for each in noise(error, users))


def allowed_ends(faults: Sequence[Fault]) -> set[str]:
    """What a run with these faults may come to."""
    each = [fault.possible_ends for fault in faults]
    ends: set[str] = set().union(*each)
    return ends if all(SUCCESS in one for one in each) else ends - {SUCCESS}


def _ends(facts: Facts) -> Iterator[Complaint]:
    if facts.end not in allowed_ends(facts.faults):
        yield "wrong", f"it ended by {facts.end} (exit code {facts.code})"
    if facts.recorded is None:
        return
    state = facts.recorded["state"]
    if (state == "Success") != (facts.end == SUCCESS) and facts.end not in (KILLED, INTERRUPTED):
        yield "wrong", f"its state is {state}, and it ended by {facts.end}"


def _values(facts: Facts) -> Iterator[Complaint]:
    expected = facts.scene.launch.program.values()
    if facts.end == SUCCESS and _readable(facts):
        text = (facts.scene.launch.folder / "out").read_text(errors="replace")
        try:
            value = ast.literal_eval(text[max(text.rfind("\n{"), 0) :].strip())  # the last that is printed
        except (ValueError, SyntaxError):
            value = text[-100:]
        if value != expected:
            yield "wrong", f"its result is {str(value)[:100]}"
    partial = facts.scene.launch.folder / "partial.json"
    if partial.exists():
        for name, value in json.loads(partial.read_text()).items():
            if name in expected and not _fits(value, expected[name]):
                yield "wrong", f"{name} is {str(value)[:100]}"


def _readable(facts: Facts) -> bool:
    return 1 not in facts.scene.launch.closed and not facts.scene.launch.gone_reader


def _fits(value: Any, expected: Any) -> bool:
    """Whether what is there of a value is right."""
    if value is None:
        return True
    if isinstance(value, list) and isinstance(expected, list):
        return all(_fits(*both) for both in zip(value, expected, strict=False))
    return bool(value == expected)


def _states(facts: Facts) -> Iterator[Complaint]:
    if facts.recorded is None:
        return
    succeeded: Counter[str] = Counter()
    for name, index, state, error in facts.recorded["task runs"]:
        node = facts.nodes.get(name)
        if node is None:  # of a case, or a merge
            continue
        if why := _untrue(facts, node, index, state):
            yield "wrong", f"{name}-{index} is {state}, {why}: {error[:200]}"
        succeeded[name] += state == "Success"
    for name, count in succeeded.items():
        if count > sum(call["key"] in facts.ended for call in facts.nodes[name].calls):
            yield "wrong", f"{count} calls of {name} are Success, and not so many came to their end"


def _untrue(facts: Facts, node: Node, index: int | None, state: str) -> str | None:
    """What speaks against a state of a call; None if nothing does."""
    key = f"{node.name}-{index}"
    required = {key: state for fault in facts.faults for key, state in fault.failures().items()}
    free = {state for fault in facts.faults if not fault.failures() for state in fault.states}
    if state not in GOOD.union(*(fault.states for fault in facts.faults)):
        return "which nothing explains"
    if key in required:
        return None if state in {required[key], *free} else f"not {required[key]}"
    claimed = state in required.values() and state not in free and len(node.calls) > 1
    if (state == "Crashed" or claimed) and not _blamed_rightly(facts, node, index):
        return "and was on no worker that was lost"
    if state == "Success" and node.kind == "map" and key not in facts.ended:
        return "and never came to its end"
    return None


def _blamed_rightly(facts: Facts, node: Node, index: int | None) -> bool:
    """Whether a call that is Crashed may have lost so many workers that its budget is spent."""
    calls = [node.calls[index]] if index is not None else node.calls
    if node.options.get("idempotent") is False:
        return bool(facts.scene.lost) or any(fault.loses for fault in facts.faults)
    if any(facts.lost_executions(call["key"]) >= MOST_DEATHS for call in calls):
        return True
    ends = [
        call for call in calls if call["act"] and call["act"][0] == "exit"
    ]  # it was beside another such one
    return len(facts.scene.lost) >= MOST_DEATHS and any(facts.lost_executions(call["key"]) for call in ends)


def _executions(facts: Facts) -> Iterator[Complaint]:
    taken = facts.scene.launch.program.taken()
    broken = facts.scene.broken
    begun: set[str] = set()
    if broken:
        since = facts.scene.driver.began
        # A worker of a cluster that stays goes on for a moment with what the killed driver gave it.
        sooner = KINDS[facts.scene.kind].start_seconds / 2 if facts.scene.kind == "running" else 0.0
        begun = {key for key, moment in facts.first.items() if moment < since + sooner}
        nodes = facts.scene.launch.program.nodes
        yield from (("doubled", each) for each in broken.again(facts.last, nodes, since))
    if len(facts.faults) == 1:
        for key, state in facts.faults[0].failures().items():
            if state == "Crashed" and len(facts.executions.get(key, ())) > MOST_DEATHS:
                yield "doubled", f"{key} has ended {len(facts.executions[key])} workers"
    for node in facts.nodes.values():
        for call in node.calls:
            key = call["key"]
            count = len(facts.executions.get(key, ()))
            if node.options.get("idempotent") is False and count > 1:
                yield "doubled", f"{key}, which may be made once, was executed {count} times"
            elif count - facts.lost_executions(key) > call["fails"] + 1 + (key in begun):
                yield "doubled", f"{key} was executed {count} times: {facts.executions[key]}"
            if count and key not in taken:
                yield "wrong", f"{key} was executed on a branch that is not taken"
            if facts.end == SUCCESS and key in taken and key not in facts.ended:
                yield "lost", f"{key} never came to its end"
