"""The suite as a page. Every rule of the contract has a heading of its own, which failures name.

`python -m turgo.testing.specification` prints the page; a test compares docs/contract.md with it.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator

import attrs

from turgo.executor import CAPABILITIES
from turgo.testing import ExecutorConformance
from turgo.testing.checks import Checks, anchor_of

_HEAD = """# The rules of the contract

What every executor keeps, rule by rule, as the conformance suite checks it. A check that fails names the rule that is
broken, and where it stands here. How an executor is written stands in [write-an-executor.md](write-an-executor.md);
the contract itself is [`turgo.executor`](../core/src/turgo/executor.py).

This page is made from the checks: `python -m turgo.testing.specification > docs/contract.md`.
"""


@attrs.frozen
class Rule:
    """One rule. check: the method that proves it; text: the rule, in words; proves: a capability, or ""."""

    check: str
    text: str
    proves: str

    @property
    def anchor(self) -> str:
        """What a link to it ends with."""
        return anchor_of(self.check)

    @property
    def heading(self) -> str:
        """What it stands under."""
        return self.anchor.replace("-", " ")


def groups() -> Iterator[tuple[type[Checks], list[Rule]]]:
    """The groups of checks with their rules, in the order in which pytest runs them."""
    for group in reversed(ExecutorConformance.__mro__):
        found = [
            Rule(name, check.rule, check.proves)
            for name, check in vars(group).items()
            if name.startswith("test_") and hasattr(check, "rule")
        ]
        if found and issubclass(group, Checks):
            yield group, found


def rules() -> list[Rule]:
    """All rules."""
    return [rule for _, found in groups() for rule in found]


def capability_checks(capability: str) -> list[str]:
    """The names of the checks that prove a capability."""
    return [rule.check for rule in rules() if rule.proves == capability]


def page() -> str:
    """The text of docs/contract.md."""
    parts = [_HEAD, _capabilities()]
    for group, found in groups():
        parts.append(f"## {_title(group)}\n\n{inspect.getdoc(group)}\n")
        parts += [f"### {rule.heading}\n\n{rule.text[0].upper()}{rule.text[1:]}.\n" for rule in found]
    return "\n".join(parts)


def _title(group: type[Checks]) -> str:
    """`NestedFutures` is the heading "Nested futures"."""
    return re.sub(r"(?<!^)([A-Z])", lambda letter: f" {letter[1].lower()}", group.__name__)


def _capabilities() -> str:
    rows = []
    for name, meaning in CAPABILITIES.items():
        proofs = [f"[{rule.heading}](#{rule.anchor})" for rule in rules() if rule.proves == name]
        rows.append(f"| `{name}` | {meaning} | {', '.join(proofs)} |\n")
    return (
        "## What an executor may declare\n\nEach capability that is declared is proven by doing it.\n\n"
        f"| capability | meaning | proven by |\n| --- | --- | --- |\n{''.join(rows)}"
    )


if __name__ == "__main__":
    print(page(), end="")
