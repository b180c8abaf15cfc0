"""The input of a call that failed: in its record, in events and in words, whatever becomes of its arguments."""

import gc
import logging
import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from turgo import flow, task, unmapped
from turgo.engine.schedule.inputs import KEPT_INPUTS
from turgo.hooks import hookimpl
from turgo.records.flow_run import FlowRun
from turgo.records.task_run import TaskEvent

pytestmark = pytest.mark.usefixtures("inline_as_local")


@task
def score(path: Any, limit: int = 3, **options: Any) -> Any:
    """Fail for what has a 7."""
    if "7" in str(path):
        raise ValueError(f"no score for {path}")
    return path


@task
def read(number: int) -> str:
    """A text made of a number."""
    return f"text {number}"


def titles(run: FlowRun) -> list[str]:
    """What failed, in words."""
    return [each.title for each in run.task_runs.failures()]


def test_a_failed_element_is_named_with_what_it_was_mapped_over() -> None:
    """What is the same for all elements, defaults and those that succeed are not shown."""

    @flow
    def scores() -> Any:
        return score.map([f"data/f{number}.txt" for number in range(9)], unmapped(4), unit=unmapped("m"))

    run = scores.run(executor="local")
    assert titles(run) == ["score[7] (path='data/f7.txt')"]
    failed = run.task_runs[7]
    assert (failed.label, failed.input) == ("score[7]", "path='data/f7.txt'")
    assert (run.task_runs[6].input, run.task_runs[6].title) == ("", "score[6]")
    assert run.explain(failed).startswith("score[7] (path='data/f7.txt') is Failed: ValueError")
    assert str(run.error).startswith("score[7] (path='data/f7.txt') is Failed: ValueError")


def test_the_input_may_be_the_value_of_another_task() -> None:
    """Of a map, of a single call, and in a collection; also where both are in one batch and nothing keeps the value."""

    @flow
    def scores() -> Any:
        score.map(read.map(range(9)))
        score(read(17))
        score(path=[read(1), read(7)], limit=8)
        return read(1)

    for keep in (True, False):
        assert titles(scores.run(executor="local", keep_values=keep)) == [
            "score[7] (path='text 7')",
            "score (path='text 17')",
            "score (path=['text 1', 'text 7'], limit=8)",
        ]


def test_a_map_over_results_names_the_element_and_all_arguments() -> None:
    """It is made of single calls, and nobody knows any more what was spread."""

    @flow
    def scores() -> Any:
        return score.map([read(1), read(7)], unmapped(4))

    assert titles(scores.run(executor="local")) == ["score[1] (path='text 7', limit=4)"]


def test_a_call_without_arguments_has_no_input() -> None:
    """Its title is its label."""

    @task
    def fails() -> None:
        raise ValueError

    run = flow(name="f")(lambda: fails()).run(executor="local")
    assert titles(run) == ["fails"]


class Events:
    """Keeps the titles of events."""

    def __init__(self) -> None:
        self.titles: list[tuple[str, str]] = []

    @hookimpl
    def turgo_task_events(self, events: Sequence[TaskEvent]) -> None:
        """Keep them."""
        self.titles += [(str(each.state), each.title) for each in events if each.title]


def test_the_label_of_the_author_takes_the_place_of_the_input_everywhere() -> None:
    """In the record, events, explanations and the error of the run."""

    @task(label="{path.stem} of {limit}", retries=1)
    def labelled(path: Path, limit: int = 3) -> None:
        raise ValueError("bad")

    @flow
    def scores() -> Any:
        return labelled.map([Path("data/f1.txt")])

    events = Events()
    run = scores.run(executor="local", observers=[events])
    assert titles(run) == ["labelled[0] (f1 of 3)"]
    assert events.titles == [("Failed", "labelled[0] (f1 of 3)")]
    assert run.explain("labelled").startswith(
        "labelled[0] (f1 of 3) is Failed: ValueError: bad, in attempt 2"
    )
    assert "labelled[0] (f1 of 3) is Failed" in str(run.error)
    assert "labelled[0] (f1 of 3) is Failed" in run.partial[0].reason


def test_a_label_that_fails_breaks_nothing_and_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    """Not even by SystemExit; the arguments are shown as without a label."""

    class Exits:
        @property
        def name(self) -> str:
            raise SystemExit(3)

    @task(label="{path.name}")
    def labelled(path: Any) -> None:
        raise ValueError("bad")

    @flow
    def scores() -> Any:
        return labelled.map([Exits(), "b"])

    run = scores.run(executor="local")
    assert titles(run) == ["labelled[0] (path=<Exits>)", "labelled[1] (path='b')"]
    told = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert told == ["the label '{path.name}' of labelled cannot be made: SystemExit: 3"]


def test_nobody_is_asked_what_a_call_is_made_of_that_does_not_fail() -> None:
    """A label is made for those that are shown, and no other."""
    asked: list[int] = []

    class Asks:
        def __init__(self, number: int) -> None:
            self.number = number

        @property
        def name(self) -> str:
            asked.append(self.number)
            return "asked"

    @task(label="{each.name}", retries=1)
    def labelled(each: Asks) -> None:
        if each.number == 3:
            raise ValueError("bad")

    @flow
    def scores() -> Any:
        return labelled.map([Asks(number) for number in range(9)])

    assert titles(scores.run(executor="local")) == ["labelled[3] (asked)"]
    assert asked == [3]


def test_of_a_thousand_calls_that_fail_the_input_is_kept_and_no_argument() -> None:
    """A million may fail; what they were given is let go."""

    class Heavy:
        pass

    seen: list[weakref.ref[Heavy]] = []

    @task
    def make(number: int) -> Heavy:
        heavy = Heavy()
        seen.append(weakref.ref(heavy))
        return heavy

    @task
    def fails(heavy: Heavy) -> None:
        raise ValueError(f"{id(heavy)}")

    @flow
    def scores() -> Any:
        return fails.map(make.map(range(KEPT_INPUTS + 10)))

    run = scores.run(executor="local", keep_values=False)
    inputs = [each.input for each in run.task_runs.failures()]
    assert len(inputs) == KEPT_INPUTS + 10 and inputs.count("heavy=<Heavy>") == KEPT_INPUTS
    del run
    gc.collect()
    assert not any(each() for each in seen)


def test_records_of_logs_say_which_call_they_are_of(caplog: pytest.LogCaptureFixture) -> None:
    """As a text that is made when a format asks for it, or when it is pickled."""

    @task(label="{path.stem}")
    def logs(path: Path) -> None:
        logging.getLogger("own").warning("said")

    @flow
    def scores() -> Any:
        return logs.map([Path("data/f1.txt")])

    told: list[str] = []

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            told.append(logging.Formatter("%(task_title)s: %(message)s").format(record))

    handler = Handler()
    logging.getLogger("own").addHandler(handler)
    try:
        assert scores.run(executor="local").ok
    finally:
        logging.getLogger("own").removeHandler(handler)
    assert told == ["logs[0] (f1): said"]


def test_a_map_that_cannot_be_spread_is_named_by_its_task_alone() -> None:
    """What it was to be mapped over is in the error."""

    @task
    def number() -> int:
        return 5

    @flow
    def scores() -> Any:
        return score.map(number())

    assert titles(scores.run(executor="local")) == ["score"]
