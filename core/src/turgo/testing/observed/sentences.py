"""Says in a sentence what a failed check observed. It gives the values, never the source of an assertion."""

from __future__ import annotations

import re
from collections.abc import Callable

_FORMS: tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]], ...] = (
    (re.compile(r"assert not isinstance\((.+), (.+)\)"), r"\1 is of the type \2"),
    (re.compile(r"assert (.+) == (.+)"), lambda found: _differ(found[1], found[2])),
    (re.compile(r"assert (.+) != (.+)"), r"it is \1, and should not be"),
    (re.compile(r"assert (.+) not in (.+)"), r"\1 is in \2"),
    (re.compile(r"assert (.+) in (.+)"), r"\1 is not in \2"),
    (re.compile(r"assert (.+) is not (.+)"), r"it is \1, and should not be"),
    (re.compile(r"assert (.+) is (.+)"), r"it is \1 instead of \2"),
    (re.compile(r"assert (.+) (<=|>=|<|>) (.+)"), r"\1 is not \2 \3"),
    (re.compile(r"assert (?:not )?(.+)"), r"what was asked for is \1"),
)
"""What pytest makes of an assertion without a message of its own, and the sentence for it."""

_WHERE = re.compile(r"\s*\+\s+where (.+?) = (.+)")
"""Where pytest has a value from, in the lines below."""

_INDEX = re.compile(r"\s*At index (\d+) diff: (.+) != (.+)")
"""In which element two sequences differ."""

_NOT_RAISED = re.compile(r"DID NOT RAISE (?:<class '(?:.+\.)?(.+)'>|(.+))")
"""What pytest.raises says."""


def observed(error: BaseException) -> str:
    """The message of an AssertionError, or class and message of any other error, as a sentence."""
    if not_raised := _NOT_RAISED.fullmatch(str(error)):
        return f"no {not_raised[1] or not_raised[2]} was raised"
    if isinstance(error, TimeoutError) and not str(error):
        return "TimeoutError: what was waited for did not come in time"
    if not isinstance(error, AssertionError):
        return f"{type(error).__name__}: {error}"
    lines = str(error).splitlines() or ["nothing was said"]
    source = next((number for number, line in enumerate(lines) if line.startswith("assert ")), len(lines))
    if source:  # a message of its own stands above
        return "\n".join(lines[:source])
    return _sentence(lines[0], lines[1:])


def _sentence(source: str, explained: list[str]) -> str:
    """What pytest says of an assertion without a message, in words. explained: its further lines."""
    wheres = [found for line in explained if (found := _WHERE.fullmatch(line))]
    if wheres and re.fullmatch(r"assert (not )?\w+", source):
        call = wheres[0][2]
        for where in wheres[1:]:
            call = re.sub(rf"\b{re.escape(where[1])}\b", lambda _, whole=where[2]: whole, call, count=1)
        return f"{call} is {wheres[0][1]}"
    index = next((found for line in explained if (found := _INDEX.fullmatch(line))), None)
    beside = f"; at index {index[1]} it is {index[2]} instead of {index[3]}" if index else ""
    return next(form.sub(sentence, source) + beside for form, sentence in _FORMS if form.fullmatch(source))


def _differ(seen: str, wanted: str) -> str:
    """What differs in its middle looks the same once pytest has cut it short."""
    return f"it is {seen} instead of {wanted}" if seen != wanted else f"it is {seen}, and not as it should be"
