"""Labels of calls: checked when the task is made, put together of the arguments that they name."""

import functools
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from turgo import task
from turgo.errors import TaskPolicyError, UsageError
from turgo.flows.labels import LABEL_CHARACTERS, made_label


def measure(path: Any, *rest: Any, row: Any = None, **options: Any) -> None:
    """A function with parameters of every kind."""


@pytest.mark.parametrize(
    ("label", "said"),
    [
        ("{pth.name}", "has no parameter 'pth'; did you mean 'path'?"),
        ("{other}", "has no parameter 'other'."),
        ("{}", "has no parameter ''"),
        ("{0.name}", "has no parameter '0'"),
        ("{row:{with}}", "has no parameter 'with'"),
        ("{path", "is no format string"),
        ("{path.}", "is no format string"),
        ("{path!x}", "there is no conversion !x"),
        ("{1.name}", "is no format string"),
        ("{path.__class__.a\nb}", "is no format string: type object '_Anything' has no attribute 'a b'"),
        ("{path.__class__.__init__.__globals__}", "is no format string"),
        ("{path.__class__[a]}", "is no format string"),
        ("", "give a format string"),
        (7, "give a format string"),
    ],
)
def test_a_wrong_label_is_refused_when_the_task_is_made(label: Any, said: str) -> None:
    """With the nearest parameter; nothing has run."""
    with pytest.raises(TaskPolicyError) as caught:
        task(label=label)(measure)
    assert said in str(caught.value) and isinstance(caught.value, UsageError)


def test_a_label_is_a_format_string_over_the_parameters() -> None:
    """Attributes, items, widths and conversions; and it is kept by `with_options`."""
    made = task(label="{path.name} {row[id]:>{rest[0]}} {options!r} {{}}")(measure)
    assert made.with_options(retries=2).policy.label == made.policy.label
    arguments = {"path": Path("data/f7.txt"), "row": {"id": 3}, "rest": [4], "options": {}}
    assert (
        made_label("{path.name} {row[id]:>{rest[0]}} {options!r} {{}}", measure, arguments)
        == "f7.txt 3 {} {}"
    )


def test_a_label_asks_only_for_what_it_names() -> None:
    """Others may be far away."""
    assert made_label("{path}", measure, {"path": 1}) == "1"


def test_a_label_of_a_method_may_name_the_instance() -> None:
    """That of a partial too what the partial holds."""

    class Gauge:
        code = "K7"

        @task(label="{self.code}, {number}")
        def read(self, number: int) -> int:
            return number

    assert Gauge().read(3) == 3
    bound = Gauge().read
    assert made_label("{self.code}, {number}", bound.fn, {"number": 3}) == "K7, 3"
    held = functools.partial(measure, "x", row=1)
    assert task(label="{path}{row}", name="held")(held).name == "held"
    assert made_label("{path}{options}", held, {"options": 2}) == "x2"
    assert task(label="{n}")(lambda n: n).policy.label == "{n}"


def test_a_label_is_one_short_line() -> None:
    """Whatever its author puts into it."""
    assert made_label("{path}", measure, {"path": "a\nb\x1b[0m"}) == "a b [0m"
    assert len(made_label("{path}", measure, {"path": "x" * 10**5})) == LABEL_CHARACTERS


def test_what_an_argument_raises_is_left_to_the_caller() -> None:
    """Who shows a call goes on without the label."""
    with pytest.raises(AttributeError):
        made_label("{path.name}", measure, {"path": SimpleNamespace()})
