"""Tables of text: columns that are aligned, and that are broken where the terminal is too narrow."""

import re
import subprocess
import sys

import pytest

from turgo.observers.tables import aligned, blocks, wrapped


def test_columns_are_aligned() -> None:
    """Each column as wide as its widest cell, numbers at the right, no blanks at the ends of lines."""
    text = aligned(["task", "runs"], [["find", "1"], ["measure", "1,234"]], right={1})
    assert text == "task      runs\nfind         1\nmeasure  1,234"


WORDS = ["text", "a tale of many words, of which each counts", "and has no end"]

TOGETHER = """
name  what                                        more
text  a tale of many words, of which each counts  and has no end
"""

BROKEN = """
name  what                            more
text  a tale of many words, of which  and has no end
      each counts
"""

ALONE = """
name
text
    what: a tale of many
      words, of which each
      counts
    more: and has no end
"""


def cells(text: str) -> list[list[str]]:
    """The lines of a table, with what stands between its columns left out."""
    return [re.split("  +", line) for line in text.splitlines()]


@pytest.mark.parametrize(("width", "text"), [(70, TOGETHER), (56, BROKEN), (54, BROKEN), (26, ALONE)])
def test_a_table_that_is_too_wide_is_broken_into_lines(width: int, text: str) -> None:
    """First its cells are, then each row stands alone; not a word is lost."""
    told = aligned(["name", "what", "more"], [WORDS], width=width)
    assert max(map(len, told.splitlines())) <= width
    assert cells(told) == cells(text.strip())
    starts = {line.find(cell) for line, cell in zip(told.splitlines(), ("more", "and has"), strict=False)}
    assert width < 54 or len(starts) == 1


def test_a_wide_character_takes_two_columns() -> None:
    """What stands after it is aligned on a terminal all the same."""
    lines = aligned(["name", "what"], [["渦", "x"], ["ab", "y"]], width=40).splitlines()
    assert lines == ["name  what", "渦    x", "ab    y"]


def test_a_word_is_broken_only_in_columns_that_allow_it() -> None:
    """And only where the table does not fit otherwise."""
    rows = [["key", "Mapping[str, distributed.deploy.cluster.Cluster]"]]
    fits = blocks(["option", "type"], rows, width=60, breakable={1})
    assert fits[1] == ["key     Mapping[str, distributed.deploy.cluster.Cluster]"]
    broken = blocks(["option", "type"], rows, width=36, breakable={1})
    assert "".join(line[8:] for line in broken[1]).replace(" ", "") == rows[0][1].replace(" ", "")
    assert max(map(len, broken[1])) <= 36
    alone = blocks(["option", "type"], rows, width=36)
    assert alone[1] == ["key", "    type: Mapping[str,", "      distributed.deploy.cluster.Cluster]"]


def test_a_pipe_gets_no_rich() -> None:
    """Where no width is given, aligned columns cost no import of rich."""
    code = (
        "import sys; from turgo.observers.tables import aligned; "
        "print(aligned(['a'], [['b']])); sys.exit('rich' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == "a\nb\n"


def test_a_word_that_is_longer_than_a_line_is_wrapped_whole() -> None:
    """So that a path can be copied."""
    assert wrapped("see ./a/long/path.py:Name now", 12, first="> ") == [
        "> see",
        "  ./a/long/path.py:Name",
        "  now",
    ]
    assert wrapped("see ./a/long/path.py:Name now", None, first="> ") == ["> see ./a/long/path.py:Name now"]
