"""The summary of a run that is over."""

import io
import textwrap
from pathlib import Path

import click

from turgo.errors import RunError, RunTimeoutError
from turgo.observers.summary import SummaryObserver, failures
from turgo.records.flow_run import FlowRun
from turgo.records.ledger import Failure
from turgo.records.states import RunState, TaskState
from turgo.registry.source_files import load_source

_written = load_source(Path(__file__).parent / "written_runs.py")
run_of = _written.run_of
finish = _written.finish
fail = _written.fail


def summary_of(run: FlowRun, *, only_failures: bool = False) -> str:
    """The summary as it would be written to a pipe."""
    stream = io.StringIO()
    SummaryObserver(stream=stream, only_failures=only_failures).turgo_flow_finished(run)
    return stream.getvalue()


def test_the_summary_of_a_success() -> None:
    """How it ended, where, how long, and a row for each task; nothing on failures."""
    run, ledger = run_of(find=None, measure=2)
    finish(ledger, 0, TaskState.SUCCESS, 0.25)
    finish(ledger, 1, TaskState.SUCCESS, 2.0, index=0)
    finish(ledger, 1, TaskState.SUCCESS, 1.0, index=1)
    run.duration = 2.5
    run.end(RunState.SUCCESS, result="done")
    assert summary_of(run) == textwrap.dedent(
        """\
        census: Success in 2.5 s on local (run abc), 3 task runs

        task     Success    work
        find           1  250 ms
        measure        2   3.0 s

        """
    )


def test_a_map_over_nothing_says_so() -> None:
    """A flow that finds nothing has succeeded; how many elements there were is what one wants to know."""
    run, ledger = run_of(find=None, measure=0)
    finish(ledger, 0, TaskState.SUCCESS, 0.25)
    finish(ledger, 1, TaskState.SUCCESS, 0.0)
    run.end(RunState.SUCCESS, result="done")
    assert summary_of(run).splitlines()[2:-1] == [
        "task     Success        work",
        "find           1      250 ms",
        "measure           0 elements",
    ]


def test_the_summary_shows_ten_failures_and_counts_the_rest() -> None:
    """A hundred different failures are ten tracebacks, and how many more there are."""
    run, ledger = run_of(measure=26 * 4)
    for index in reversed(range(26 * 4)):
        fail(ledger, 0, index, ValueError("no " + chr(ord("a") + index % 26) * (1 + index // 26)))
    run.end(RunState.FAILED, error=RuntimeError("failed"))
    text = summary_of(run)
    assert text.count("Traceback") == 10
    assert "measure[0] Failed on thread-1\n  Traceback (most recent call last):" in text
    assert "ValueError: no j\n" in text and "no k\n" not in text
    assert text.endswith("… and 94 more\n\n")


def test_failures_that_are_alike_are_shown_once_in_the_order_of_elements() -> None:
    """Whichever came first; those beyond a thousand are counted alone."""
    run, ledger = run_of(measure=1500)
    for index in reversed(range(1500)):
        fail(ledger, 0, index, ValueError(f"no {index}"))
    run.end(RunState.FAILED, error=RuntimeError("failed"))
    shown, more = failures(run)
    assert click.unstyle(shown).startswith("measure[0] Failed on thread-1\n  Traceback")
    assert shown.splitlines()[-5:] == [
        "  999 like it:",
        "    measure[1]: no 1",
        "    measure[2]: no 2",
        "    measure[3]: no 3",
        "    and 996 more",
    ]
    assert more == "… and 500 more"


def test_the_quiet_summary_is_failures_alone() -> None:
    """A success says nothing; of a failed run, only why."""
    run, ledger = run_of(find=None)
    finish(ledger, 0, TaskState.SUCCESS, 0.25)
    run.end(RunState.SUCCESS, result=None)
    assert summary_of(run, only_failures=True) == ""
    fail(ledger, 0, None, ValueError("no"))
    run.end(RunState.FAILED, error=RuntimeError("failed"))
    assert summary_of(run, only_failures=True).startswith("find Failed on thread-1\n  Traceback")


def test_a_run_that_failed_without_a_failed_task_says_why() -> None:
    """If no task failed by itself, the error of the run is what there is to tell."""
    run, _ = run_of(find=None)
    run.end(RunState.FAILED, error=RuntimeError("the cluster went away"))
    assert [click.unstyle(text) for text in failures(run)] == ["RuntimeError: the cluster went away"]


def test_the_error_that_a_run_broke_off_by_is_left_to_whoever_it_is_raised_to() -> None:
    """The engine raises it, and so it would be told twice."""
    run, _ = run_of(find=None)
    run.end(RunState.FAILED, error=RunError("the run of census broke off: the pool is gone"))
    assert list(failures(run)) == []
    run.end(RunState.FAILED, error=RunTimeoutError("its time was up", seconds=1.0))
    assert len(list(failures(run))) == 1


def test_a_run_that_never_began_has_no_summary() -> None:
    """If the executor could not be opened, that error is all there is to tell."""
    run, _ = run_of(find=None)
    run.started = None
    run.end(RunState.CANCELLED, error=RuntimeError("nobody listens"))
    assert summary_of(run) == ""


def test_a_failure_without_traceback_shows_its_error() -> None:
    """A lost worker sends no traceback; the error itself is shown."""
    run, ledger = run_of(find=None)
    finish(ledger, 0, TaskState.CRASHED, 0.5)
    ledger.failures[0, None] = Failure(TaskState.CRASHED, RuntimeError("killed by SIGKILL"))
    run.end(RunState.FAILED, error=RuntimeError("failed"))
    assert [click.unstyle(text) for text in failures(run)] == [
        "find Crashed on thread-1\n  RuntimeError: killed by SIGKILL"
    ]
