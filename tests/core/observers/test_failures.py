"""Failures in words: one in full, those that are alike below it, and what to type next."""

import textwrap

import click
import pytest

from turgo.observers.failures import SHOWN_LINE_CHARACTERS, described, grouped
from turgo.records.failure_facts import FailureFacts

TRACEBACK = """\
Traceback (most recent call last):
  File "/srv/scores.py", line 31, in score
    return sum(map(float, words))
           ~~~^^^^^^^^^^^^^^^^^^^
ValueError: could not convert string to float: 'x'
"""


def failure(
    number: int, error: str = "ValueError: could not convert string to float: 'x'", **facts: object
) -> FailureFacts:
    """A failure of an element."""
    made = FailureFacts(
        label=f"score[{number}]",
        task="score",
        title=f"score[{number}] (path='data/f{number}.txt')",
        state="Failed",
        attempts=1,
        worker="w-1",
        error=error,
        traceback=TRACEBACK,
        log="",
        replayable=False,
    )
    return made._replace(**facts)  # type: ignore[arg-type]


def shown(group: list[FailureFacts], *, run: str | None = None, width: int | None = None) -> str:
    """What is written, without colours."""
    return click.unstyle(described(group, run, width))


def test_a_failure_has_its_input_its_frames_its_log_and_the_line_to_type_next() -> None:
    """Of the log the last lines."""
    log = "\n".join(f"line {number}" for number in range(9))
    told = shown([failure(137, attempts=3, log=log, replayable=True)], run="scores-5f0c")
    assert told == textwrap.dedent(
        """\
        score[137] (path='data/f137.txt') Failed in attempt 3 on w-1
          Traceback (most recent call last):
            File "/srv/scores.py", line 31, in score
              return sum(map(float, words))
                     ~~~^^^^^^^^^^^^^^^^^^^
          ValueError: could not convert string to float: 'x'
          the last 5 of 9 lines of its log:
            line 4
            line 5
            line 6
            line 7
            line 8
          to make it again here: turgo replay scores-5f0c 'score[137]'"""
    )


def test_there_is_nothing_to_type_where_there_is_no_journal_or_the_arguments_are_not_in_it() -> None:
    """A line that fails helps nobody; a short log is whole."""
    assert "turgo replay" not in shown([failure(3, replayable=True, log="one\ntwo")], run=None)
    told = shown([failure(3, log="one\ntwo")], run="scores-5f0c")
    assert "turgo replay" not in told and told.endswith("\n  its log:\n    one\n    two")


def test_equal_failures_are_one_with_the_others_below() -> None:
    """By name; the first three, and how many more."""
    (group,) = grouped(failure(number) for number in range(13))
    assert shown(group).splitlines()[-5:] == [
        "  12 like it:",
        "    score[1] (path='data/f1.txt')",
        "    score[2] (path='data/f2.txt')",
        "    score[3] (path='data/f3.txt')",
        "    and 9 more",
    ]
    (pair,) = grouped([failure(0), failure(1)])
    assert shown(pair).splitlines()[-2:] == ["  1 like it:", "    score[1] (path='data/f1.txt')"]


def test_those_that_say_something_else_are_named_first_with_what_they_say() -> None:
    """Of a hundred that are like one, the few that differ would not be seen otherwise."""
    errors = {50: "ValueError: could not convert string to float: 'y'"}
    text = "ValueError: could not convert string to float: 'x'"
    (group,) = grouped(failure(number, errors.get(number, text)) for number in range(100))
    assert shown(group).splitlines()[-4:] == [
        "    score[1] (path='data/f1.txt')",
        "    score[2] (path='data/f2.txt')",
        "    score[50] (path='data/f50.txt'): could not convert string to float: 'y'",
        "    and 96 more",
    ]


@pytest.mark.parametrize(
    ("other", "alike"),
    [
        (failure(2, "ValueError: could not convert string to float: 'other text'"), True),
        (failure(2, "FileNotFoundError: [Errno 2] No such file: 'data/f2.txt'"), False),
        (failure(2, "ValueError: something else"), False),
        (failure(2, task="other"), False),
        (failure(2, state="TimedOut"), False),
        (failure(2, traceback=TRACEBACK.replace("31", "32")), False),
        (failure(2, worker="w-2", attempts=7), True),
    ],
)
def test_what_is_alike_is_of_one_task_line_class_and_message(other: FailureFacts, alike: bool) -> None:
    """But for numbers, names of files and what is in quotes."""
    assert len(grouped([failure(1), other])) == (1 if alike else 2)


def test_messages_that_name_their_file_are_alike() -> None:
    """The commonest kind: each file is missing by its own name."""
    texts = [f"FileNotFoundError: no file data/f{number}.txt, row {number}" for number in range(3)]
    assert len(grouped(failure(number, text) for number, text in enumerate(texts))) == 1


def test_on_a_narrow_terminal_lines_are_broken_and_what_is_to_be_copied_is_whole() -> None:
    """On 40 columns; 200 need no break, and a pipe gets none."""
    group = [failure(number, replayable=True) for number in range(2)]
    narrow = shown(group, run="scores-5f0c7a1b2c3d", width=40).splitlines()
    assert narrow[:2] == ["score[0] (path='data/f0.txt') Failed on", "    w-1"]
    assert narrow[-3:] == [
        "    score[1] (path='data/f1.txt')",
        "  to make it again here: turgo replay",
        "    scores-5f0c7a1b2c3d 'score[0]'",
    ]
    assert shown(group, run="scores-5f0c", width=200) == shown(group, run="scores-5f0c")


def test_each_line_of_the_title_is_red() -> None:
    """And nothing else."""
    lines = described([failure(0)], None, 40).splitlines()
    assert [line.startswith("\x1b[31m") for line in lines[:3]] == [True, True, False]


def test_endless_lines_are_cut() -> None:
    """Of a message, and of a log."""
    told = shown([failure(0, traceback=f"ValueError: {'x' * 10**6}", log="y" * 10**6)])
    assert max(map(len, told.splitlines())) <= SHOWN_LINE_CHARACTERS + 4


def test_what_has_no_traceback_shows_its_error() -> None:
    """As a call whose worker was killed."""
    assert shown([failure(0, traceback="", worker="")]) == (
        "score[0] (path='data/f0.txt') Failed\n  ValueError: could not convert string to float: 'x'"
    )
