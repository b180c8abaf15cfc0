"""What a notebook shows of a run."""

from typing import Any

from turgo import flow, task
from turgo.registry.precedence import get_executor


@task
def grind(corn: int) -> int:
    if corn > 2:
        raise ValueError(f"<{corn}> is too coarse")
    return corn


@task
def bake(flour: list[int]) -> int:
    return sum(flour)


@flow
def mill(count: int) -> Any:
    return bake(grind.map(range(count)))


def test_a_run_shows_its_tasks_by_state(project: Any, inline_as_local: None) -> None:
    """And in one line how it ended."""
    run = mill.run(3, executor=get_executor("local"))
    html = run._repr_html_()
    assert "mill: Success in " in html and run.id in html and "4 task runs" in html
    assert html.count("<tr>") == 3 and "Failed" not in html


def test_failures_are_named_with_their_input(project: Any, inline_as_local: None) -> None:
    """Ten at most."""
    html = mill.run(20, executor=get_executor("local"))._repr_html_()
    assert "grind[3] (corn=3): ValueError: &lt;3&gt; is too coarse" in html
    assert html.count("ValueError") == 10 and "and more" in html


def test_a_run_that_goes_on_shows_how_far_it_is(project: Any, inline_as_local: None) -> None:
    """By its handle too."""
    with mill.start(2, executor=get_executor("local")) as running:
        running.wait()
        assert running._repr_html_() == running.run._repr_html_()
