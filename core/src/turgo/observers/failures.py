"""Describes failures: each in full once, those that are like it below, and what to type next.

    score[137] (path='data/f137.txt') Failed in attempt 3 on worker-2
      Traceback (most recent call last):
        File "scores.py", line 31, in score
          return sum(map(float, words))
      ValueError: could not convert string to float: 'x'
      the last 2 of 6 lines of its log:
        reading f137.txt
        12 words
      12 like it:
        score[140] (path='data/f140.txt'): could not convert string to float: 'y'
        …
        and 9 more
      to make it again here: turgo replay scores-5f0c7a1b2c3d 'score[137]'

Failures are alike if they are of one task, end in one state, were raised at the same lines by errors of one class, and
say the same but for numbers, names of files and what stands in quotes.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator, Sequence

import click

from turgo.flows.shown_values import one_line, shortened
from turgo.observers.tables import wrapped
from turgo.observers.tracebacks import trim
from turgo.records.failure_facts import FailureFacts

NAMED_FAILURES = 3
"""How many of those that are like another are named."""

LOG_LINES = 5
"""How many of the last lines of a log are shown."""

SHOWN_LINE_CHARACTERS = 1000
"""How much of a line of a traceback or log is shown."""

MESSAGE_CHARACTERS = 100
"""How much of the message of a failure that is like another one."""

_VARIES = re.compile(r"""'[^']*'|"[^"]*"|\S*[\d/\\]\S*""")
_FRAME = re.compile(r'^\s*File ".+?", line \d+.*', re.MULTILINE)


def grouped(failures: Iterable[FailureFacts]) -> list[list[FailureFacts]]:
    """The failures with those that are like them, in their order."""
    groups: dict[object, list[FailureFacts]] = {}
    for each in failures:
        kind = each.error.partition(":")[0]
        message = _VARIES.sub("#", each.error[:SHOWN_LINE_CHARACTERS])
        frames = tuple(_FRAME.findall(each.traceback))
        groups.setdefault((each.task, each.state, kind, message, frames), []).append(each)
    return list(groups.values())


def described(
    group: Sequence[FailureFacts], run: str | None, width: int | None, log_lines: int | None = LOG_LINES
) -> str:
    """A failure and those that are like it.

    run: under which id the journal lies, if there is one. width: of a line, in characters; None for any.
    log_lines: how many of its log are shown; None for all.
    """
    failed, *like = group
    where = f" on {failed.worker}" if failed.worker else ""
    tries = f" in attempt {failed.attempts}" if failed.attempts > 1 else ""
    title = wrapped(f"{failed.title} {failed.state}{tries}{where}", width, indent=4)
    lines = [click.style(line, fg="red") for line in title]
    lines += _indented(trim(failed.traceback or failed.error).splitlines(), 2)
    lines += _log(failed.log.splitlines(), log_lines)
    if like:
        lines += [f"  {len(like):,} like it:", *_like(failed, like, width)]
    if run is not None and failed.replayable:
        lines += wrapped(shlex.join(["turgo", "replay", run, failed.label]), width, first=_AGAIN, indent=4)
    return "\n".join(lines)


_AGAIN = "  to make it again here: "


def _log(log: Sequence[str], most: int | None) -> Iterator[str]:
    if log:
        shown = log if most is None else log[-most:]
        few = f"the last {len(shown)} of {len(log):,} lines of " if len(shown) < len(log) else ""
        yield f"  {few}its log:"
        yield from _indented(shown, 4)


def _indented(lines: Iterable[str], width: int) -> list[str]:
    return [f"{' ' * width}{shortened(line, SHOWN_LINE_CHARACTERS)}".rstrip() for line in lines]


def _like(failed: FailureFacts, like: Sequence[FailureFacts], width: int | None) -> Iterator[str]:
    """A line for each of the first few, those before all others that say something else."""
    messages = [_message(each) for each in like]
    news = {message: at for at, message in reversed(list(enumerate(messages))) if message != _message(failed)}
    first = sorted(range(len(like)), key=lambda at: (news.get(messages[at]) != at, at))[:NAMED_FAILURES]
    for at in sorted(first):
        said = f": {messages[at]}" if messages[at] in news else ""
        yield from wrapped(f"{like[at].title}{said}", width, first="    ", indent=6)
    if len(like) > NAMED_FAILURES:
        yield f"    and {len(like) - NAMED_FAILURES:,} more"


def _message(failed: FailureFacts) -> str:
    return one_line(failed.error.partition(": ")[2], MESSAGE_CHARACTERS)
