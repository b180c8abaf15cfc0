"""Trees on standard output."""

import sys

import pytest

from turgo import flow, task
from turgo.cli.terminal.trees import tree_text


@task
def sow(field: str) -> str:
    return field


@flow
def farm() -> object:
    return sow.map(["north", "south"])


@pytest.mark.parametrize(
    ("variables", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)]
)
def test_a_terminal_gets_branches_and_a_pipe_plain_lines(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], coloured: bool
) -> None:
    """With colours unless none are wanted."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    outline = farm.record().outline
    monkeypatch.setattr(sys.stdout, "isatty", lambda: False)
    assert tree_text(outline) == "farm\n  sow ×2"
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert ("\x1b[1m" in tree_text(outline)) == coloured
    if not coloured:
        assert tree_text(outline) == "farm\n└── sow ×2"
