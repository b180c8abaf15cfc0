"""What bash and zsh ask; `tests/integration/test_shells.py` has real ones."""

import pytest

from turgo.cli.completion import shells


@pytest.mark.parametrize(
    ("line", "words", "incomplete"),
    [
        ("turgo run census.py -p kind=w", ["run", "census.py", "-p"], "kind=w"),
        ("turgo run census.py -p ", ["run", "census.py", "-p"], ""),
        ("turgo run 'my census.py' -p ", ["run", "my census.py", "-p"], ""),
        ("turgo ", [], ""),
        ("turgo", [], ""),
    ],
)
def test_bash_gives_the_line_up_to_the_cursor(
    line: str, words: list[str], incomplete: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As bash has it broken, `kind=w` would be three words."""
    monkeypatch.setenv("COMP_WORDS", line)
    asked = shells.Bash(None, {}, "turgo", "_TURGO_COMPLETE")  # type: ignore[arg-type]
    assert asked.get_completion_args() == (words, incomplete)
