"""What a failed check observed is a sentence with the values, never the source of an assertion."""

import pytest

from turgo.testing.observed.sentences import observed


@pytest.mark.parametrize(
    ("message", "sentence"),
    [
        ("assert 0 == 3", "it is 0 instead of 3"),
        (
            "assert [1, 2] == [2, 1]\n  \n  At index 0 diff: 1 != 2\n  Use -v to get more diff",
            "it is [1, 2] instead of [2, 1]; at index 0 it is 1 instead of 2",
        ),
        ("assert [[...]] == [[...]]", "it is [[...]], and not as it should be"),
        ("assert 'x' in ('y',)", "'x' is not in ('y',)"),
        ("assert None is not None", "it is None, and should not be"),
        ("assert 3 <= 2", "3 is not <= 2"),
        ("assert False", "what was asked for is False"),
        ("assert False\n +  where False = f()", "f() is False"),
        (
            "assert not True\n +  where True = done()\n +    where done = <Future at 0x7f>.done",
            "<Future at 0x7f>.done() is True",
        ),
        ("3 of 5 calls ran twice", "3 of 5 calls ran twice"),
        ("3 of 5 calls ran twice\nassert 3 == 0\n  \n  Use -v to get more diff", "3 of 5 calls ran twice"),
        ("", "nothing was said"),
    ],
)
def test_an_assertion_becomes_a_sentence(message: str, sentence: str) -> None:
    """A message of its own stays as it is; what pytest makes of a bare one is put into words."""
    assert observed(AssertionError(message)) == sentence


def test_any_other_error_is_named_with_its_class() -> None:
    """So that its author finds where it is from."""
    assert observed(KeyError("x")) == "KeyError: 'x'"


def test_what_was_not_raised_or_did_not_come_is_said() -> None:
    """Neither is left to the words of pytest, or to no words at all."""
    with pytest.raises(pytest.fail.Exception) as caught, pytest.raises(LookupError):
        pass
    assert observed(caught.value) == "no LookupError was raised"
    assert observed(TimeoutError()) == "TimeoutError: what was waited for did not come in time"
    assert observed(TimeoutError("mine")) == "TimeoutError: mine"
