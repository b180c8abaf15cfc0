"""Tables of text: columns that are aligned, and that are broken where the terminal is too narrow."""

import pytest

from penstock.observers.columns import aligned, wrapped


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


@pytest.mark.parametrize(("width", "text"), [(64, TOGETHER), (56, BROKEN), (54, BROKEN), (26, ALONE)])
def test_a_table_that_is_too_wide_is_broken_into_lines(width: int, text: str) -> None:
    """First its cells are, then each row stands alone; not a word is lost."""
    told = aligned(["name", "what", "more"], [WORDS], width=width)
    assert max(map(len, told.splitlines())) <= width
    assert told == text.strip()


def test_a_word_that_is_longer_than_a_line_is_wrapped_whole() -> None:
    """So that a path can be copied."""
    assert wrapped("see ./a/long/path.py:Name now", 12, first="> ") == [
        "> see",
        "  ./a/long/path.py:Name",
        "  now",
    ]
    assert wrapped("see ./a/long/path.py:Name now", None, first="> ") == ["> see ./a/long/path.py:Name now"]
