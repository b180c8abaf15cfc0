"""The manual executor: it holds calls until the test has them run, so that what happens meanwhile can be seen."""

import pytest

from turgo import flow, task
from turgo.testing import ManualExecutor


def test_calls_are_held_until_they_are_run() -> None:
    """In the order in which the test says, in its own thread; the hints of each are there to be looked at."""
    with ManualExecutor(width=3).start() as executor:
        first = executor.submit(pow, 2, 3, extra_context={"task_name": "pow"})
        second = executor.submit(abs, -1)
        assert executor.slots == 3 and executor.calls == [first, second] and not first.done()
        executor.run_next(1)
        assert second.result(timeout=0) == 1 and executor.calls == [first]
        executor.run_next()
        assert first.result(timeout=0) == 8
        assert [context and context["task_name"] for context in executor.contexts] == ["pow", None]


def test_an_error_is_that_of_the_future() -> None:
    """And not of whoever runs the call."""
    with ManualExecutor().start() as executor:
        future = executor.submit(int, "x")
        executor.run_all()
        assert isinstance(future.exception(timeout=0), ValueError)


def test_a_call_that_was_cancelled_is_dropped() -> None:
    """It is not run; what is still held at the end is cancelled as well."""
    ran: list[int] = []
    with ManualExecutor().start() as executor:
        cancelled, held = executor.submit(ran.append, 1), executor.submit(ran.append, 2)
        assert cancelled.cancel()
        executor.run_next()
    assert ran == [] and held.cancelled()


def test_calls_that_calls_submit_are_run_as_well() -> None:
    """Until nothing is held."""
    with ManualExecutor().start() as executor:
        futures = [executor.submit(lambda: futures.append(executor.submit(abs, -2)))]
        executor.run_all()
        assert futures[1].result(timeout=0) == 2 and not executor.calls


def test_a_flow_that_nobody_runs_can_be_ended() -> None:
    """Its calls wait, and are cancelled with the run."""

    @task
    def one() -> int:
        return 1

    @flow(timeout=0.2)
    def waits() -> object:
        return one()

    run = waits.run(executor=ManualExecutor())
    assert [str(each.state) for each in run.task_runs] == ["Cancelled"]
    with pytest.raises(Exception, match=r"0\.2"):
        raise run.error  # type: ignore[misc]
