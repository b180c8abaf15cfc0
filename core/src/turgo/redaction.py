"""Leaves secrets out of what is printed or stored. It is the one rule for every place that shows a value.

What is secret, by its name    password, secret, token, api_key, credential, private_key … (`is_secret`)
and by its form                `user:password@` in a URL, its parameters `token=`, `sig=`, `key=` …, `Bearer …`,
                               access keys of clouds, private keys in PEM, text that says `password=…`
"""

from __future__ import annotations

import re
from functools import cache
from types import MappingProxyType
from typing import Any

HIDDEN = "***"
"""What is shown in the place of a secret."""

PLAIN_MAPPINGS = (dict, MappingProxyType)
"""What is gone through; to read another mapping may load a file, or a data set."""

REFERENCES = ("env", "file")
"""The one key of a table that stands for a value from elsewhere, a variable or a file."""

HIDING_NAME = "secret"
"""A name that hides whatever has it."""

SECRET_CHARACTERS = 4096
"""How long a password in a URL may be. Of a text that is shown in part, so much more is looked at."""

_WORDS = (
    r"pass(?:word|wd|phrase)|secret|token(?!iz)|api[_-]?key|access[_-]?key|account[_-]?key|private[_-]?key|credential|"
    r"authorization|signature"
)
_NAME = re.compile(rf"{_WORDS}|(?:^|[_.-])(?:pwd|passwd|auth|tls_client_key|tls_key|sas)$", re.IGNORECASE)
_PAIR = rf"(?:[\w.-]{{0,64}}(?:{_WORDS})[\w-]{{0,64}}|pwd|sig|key|auth|code)"


@cache
def _forms() -> tuple[tuple[re.Pattern[str], str], ...]:
    """What looks like a secret, and what is shown of it. Compiled when it is first asked for.

    A look at a text of any kind takes time in proportion to its length: nothing without a bound stands before a word.
    """
    return (
        (
            re.compile(
                r"(?<=://)([^/\s:@?#'\"]*):(?!\d+/)"
                rf"((?:(?!://)[^\s@'\"]|@(?=[^\s'\"/,@]*@)){{1,{SECRET_CHARACTERS}}})@"
            ),
            rf"\1:{HIDDEN}@",
        ),
        (re.compile(rf"(?i)([?&;]{_PAIR}=)[^&;\s'\"]+"), rf"\1{HIDDEN}"),
        (
            re.compile(rf"(?i)((?:{_WORDS})[\w-]{{0,64}}\s*=\s*)(\"[^\"]*\"|'[^']*'|[^\s,;&'\")\]}}]+)"),
            rf"\1{HIDDEN}",
        ),
        (re.compile(r"(?i)\b(bearer|basic)\s+[a-z0-9+/_.~=-]{8,}"), rf"\1 {HIDDEN}"),
        (re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"), HIDDEN),
        (re.compile(r"\b(?:gh[pousr]_|github_pat_|glpat-|xox[abprs]-|sk-)[A-Za-z0-9_-]{16,}"), HIDDEN),
        (
            re.compile(
                r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL
            ),
            HIDDEN,
        ),
    )


def is_reference(value: Any) -> bool:
    """Whether it is a table that stands for a value from elsewhere: `{ env = "DB_PASSWORD" }`."""
    if not isinstance(value, PLAIN_MAPPINGS) or len(value) != 1:
        return False
    ((kind, where),) = value.items()
    return kind in REFERENCES and isinstance(where, str)


def is_secret(name: str) -> bool:
    """Whether what has such a name is not to be shown; of `cluster_kwargs.password` the last part counts too."""
    return bool(_NAME.search(name))


def redacted_text(text: str) -> str:
    """A text without what has the form of a secret."""
    for form, shown in _forms():
        text = form.sub(shown, text)
    return text


def redacted(value: Any, name: str = "") -> Any:
    """A value for display: the same shape of mappings, lists and texts, without secrets. name: what it is called."""
    return _redacted(value, name, frozenset())


def _redacted(value: Any, name: str, within: frozenset[int]) -> Any:
    """within: the ids of what holds it, as a collection may hold itself."""
    if value is None or isinstance(value, (bool, int, float)):
        return value if value is None or isinstance(value, bool) or not is_secret(name) else HIDDEN
    if is_reference(value):
        return value
    if is_secret(name):
        return value if isinstance(value, (str, bytes)) and not value else HIDDEN
    if isinstance(value, str):
        return redacted_text(value)
    if id(value) in within:
        return "..."
    within |= {id(value)}
    if isinstance(value, PLAIN_MAPPINGS):
        return {key: _redacted(each, str(key), within) for key, each in value.items()}
    if type(value) in (list, tuple, set, frozenset):
        return type(value)(_redacted(each, "", within) for each in value)
    return value


def redacted_repr(value: Any, name: str = "", most: int | None = None) -> str:
    """How a value looks, without secrets; also of an object that has them in its own repr.

    most: characters that are shown of it, if not all.
    """
    shown = redacted(value, name)
    text = (
        HIDDEN if shown is HIDDEN else redacted_text(shown_repr(shown)[: most and most + SECRET_CHARACTERS])
    )
    return text[:most]


def shown_repr(value: Any) -> str:
    """The repr of a value; its class alone if it has none, as a number of too many digits."""
    try:
        return repr(value)
    except Exception:  # noqa: BLE001  (the user's own code)
        return f"<{type(value).__name__}>"
