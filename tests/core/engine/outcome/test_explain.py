"""Explaining: why a task run is as it is, in words."""

import pickle

import pytest

from turgo import Skip, case, exponential, flow, task
from turgo.engine.batching.tag_limits import Limits
from turgo.engine.outcome.explain import Explanation
from turgo.errors import ParameterError, RunError, RunTimeoutError, WorkerLostError
from turgo.hooks import hookimpl
from turgo.records.flow_run import FlowRun
from turgo.records.ledger import Failure
from turgo.records.states import TaskState
from turgo.records.task_runs import TaskRuns


@task
def load(number):
    if number == 3:
        raise ValueError("no such file")
    if number == 5:
        raise Skip("it is empty")
    return number


@task
def clean(value):
    return value


@task(name="report")
def told(values):
    return values


@task(tags=["db"])
def stored(value=0):
    return value


@task(retries=2, retry_delay=exponential(first=8, jitter=0))
def patient(value=0):
    return value


def _run(body):
    return flow(name="explained")(body).run(executor="local")


@pytest.mark.usefixtures("inline_as_local")
class TestAfterTheRun:
    """Of a run that is over."""

    def test_why_a_task_did_not_run_leads_up_to_the_one_that_failed(self):
        """Line by line, element by element; a task, its name, its label and its record are all understood."""
        run = _run(lambda: told(clean.map(load.map(range(5)))))
        lines = run.explain("report").splitlines()
        assert lines[0] == (
            "report is TriggerFailed: it did not run, as its trigger all_successful was not met. "
            "Upstream: 4 Success, 1 TriggerFailed."
        )
        assert lines[1].startswith("clean[3] is TriggerFailed: it did not run")
        assert lines[2].startswith("load[3] (number=3) is Failed: ValueError: no such file, after ")
        assert len(lines) == 3
        assert run.explain(told) == run.explain(run.task_runs[-1]) == run.explain("report")
        assert run.explain("clean[3]").splitlines() == lines[1:]

    def test_why_a_task_was_skipped_leads_up_to_the_one_that_skipped_itself(self):
        """With what that said."""
        explain = _run(lambda: told(clean(load(5)))).explain
        lines = explain("report").splitlines()
        assert lines[:2] == [
            "report is Skipped: something that it depends on was skipped.",
            "clean is Skipped: something that it depends on was skipped.",
        ]
        assert lines[2].startswith("load is Skipped: Skip: it is empty, after ")

    def test_a_name_of_many_task_runs_is_summed_up(self):
        """How many are in each state, and those that are not simply Success."""
        lines = _run(lambda: load.map(range(100))).explain("load").splitlines()
        assert lines[0] == "100 task runs: 98 Success, 1 Failed, 1 Skipped."
        assert [line.split(" after ")[0] for line in lines[1:]] == [
            "load[3] (number=3) is Failed: ValueError: no such file,",
            "load[5] is Skipped: Skip: it is empty,",
        ]

    def test_of_a_million_that_failed_ten_are_explained(self):
        """And the others counted."""
        lines = _run(lambda: load.map([3] * 50)).explain("load").splitlines()
        assert len(lines) == 12 and lines[-1] == "… and 40 more that are not Success"

    def test_a_long_chain_of_reasons_is_cut_short(self):
        """Its beginning, and its end, which is the reason."""

        def body():
            value = load(3)
            for _ in range(1000):
                value = clean(value)
            return told(value)

        lines = _run(body).explain("report").splitlines()
        assert len(lines) == 11 and lines[-2] == "… and so on, 992 more, up to"
        assert lines[-1].startswith("load (number=3) is Failed")

    def test_a_trigger_that_nothing_failed_for_is_told_with_what_it_saw(self):
        """As `any_failed` of tasks that all succeeded; and a map over what is not there says so."""
        careful = clean.with_options(name="careful", trigger="any_failed")
        explain = _run(lambda: [careful(load(1)), clean.map(load(3)), told(4)]).explain
        assert explain("careful").endswith("its trigger any_failed was not met. Upstream: 1 Success.")
        assert explain("clean").startswith(
            "clean is TriggerFailed: it did not run, as what it is mapped over is not"
        )

    def test_a_branch_that_was_not_taken_says_so(self):
        """With the condition as it was; and one whose condition is not there says that."""

        def body():
            with case(load(1), 2):
                told(clean(0))
            with case(load(3), 2):
                stored()

        explain = _run(body).explain
        assert explain("clean").splitlines() == [
            "clean is Skipped: its case was not taken.",
            *(
                line
                for line in explain("case").splitlines()
                if line.startswith("case is Skipped: Skip: the condition is 1")
            ),
        ]
        assert (
            explain("stored")
            .splitlines()[0]
            .endswith("it did not run, as the condition of its case is not there.")
        )
        assert (
            explain("stored")
            .splitlines()[-1]
            .startswith("load (number=3) is Failed: ValueError: no such file")
        )

    def test_an_attempt_that_failed_before_is_told_of(self):
        """Of a task that succeeded in the end, and of one that did not."""
        failed = []

        @task(retries=2)
        def flaky(forgiving):
            failed.append(1)
            if len(failed) < 3 or not forgiving:
                raise OSError("not yet")

        explain = _run(lambda: flaky(True)).explain
        assert explain("flaky").startswith("flaky is Success, in attempt 3, after ")
        assert explain("flaky").endswith("; before, OSError: not yet.")
        failed.clear()
        assert (
            _run(lambda: flaky(False))
            .explain("flaky")
            .startswith("flaky (forgiving=False) is Failed: OSError: not yet, in attempt 3,")
        )

    @pytest.mark.parametrize("what", ["lod", "load[7]", "load[x]", "[3]", ""])
    def test_what_the_run_does_not_have_is_an_error_that_says_what_there_is(self, what):
        """With the nearest name, if one is near."""
        explain = _run(lambda: load.map(range(3))).explain
        with pytest.raises(ParameterError, match="Its tasks are load"):
            explain(what)
        with pytest.raises(ParameterError, match="give a TaskRun, a task, its name"):
            explain(3)

    def test_a_map_over_nothing_has_nothing_to_explain(self):
        """Which it says."""
        assert _run(lambda: load.map([])).explain(load) == "0 task runs: there was nothing to map over."

    def test_a_task_whose_name_looks_like_a_label_is_found(self):
        """The whole is looked for first."""
        odd = clean.with_options(name="odd[1]")
        assert _run(lambda: odd(1)).explain("odd[1]").startswith("odd[1] is Success")

    def test_the_elements_of_a_map_over_results_have_their_indices(self):
        """Although each is a node of its own."""
        assert (
            _run(lambda: load.map([clean(1), clean(3)]))
            .explain("load[1]")
            .startswith("load[1] (number=3) is Failed")
        )

    def test_a_run_can_be_pickled_with_what_explains_it(self):
        """It keeps neither functions nor arguments."""
        run = _run(lambda: clean(load(3)))
        again = pickle.loads(pickle.dumps(run.explainer))
        assert again("clean") == run.explain("clean")

    def test_while_the_run_is_on_observers_can_ask(self):
        """They hear of the run before anything is known."""
        heard = []

        class Curious:
            @hookimpl
            def turgo_flow_started(self, run):
                heard.append(run.explain("report"))

        flow(name="heard")(lambda: told([load(1), clean(2)])).run(executor="local", observers=[Curious()])
        assert heard == ["report is Pending: it waits for load (Pending), clean (Pending)."]


class TestDuringTheRun:
    """Of a schedule that is driven by hand."""

    def test_what_a_task_waits_for(self, driven):
        """Upstreams that are not over, with how many of their elements; then a worker; then it has one."""
        run = driven(lambda: told([clean.map(range(3)), load(1)]))
        explain = Explanation(run.progress)
        run.succeed(run.take())
        assert explain("report") == "report is Pending: it waits for clean (2 of 3 not over), load (Pending)."
        for _ in range(3):
            assert explain("report").startswith("report is Pending: it waits for ")
            run.succeed(run.take())
        assert explain("report") == "report is Pending: it waits for a free worker."
        run.take()
        assert (
            explain("report")
            == "report (values=[[0, 0, 0], 0]) is Running, in attempt 1: it was handed to a worker."
        )

    def test_what_hinders_calls_is_told_of_those_that_wait(self, driven):
        """As long as the run is on."""
        run = driven(lambda: told([load(1)]))
        explain = Explanation(run.progress, hindrances=lambda: ["on dask there is no worker"])
        assert explain("load") == "load is Pending: it waits for a free worker; on dask there is no worker."
        run.take()
        expected = (
            "load (number=1) is Running, in attempt 1: it was handed to a worker; on dask there is no worker."
        )
        assert explain("load") == expected

    def test_an_element_waits_for_the_one_that_it_follows(self, driven):
        """Or for its node's width to be known."""
        run = driven(lambda: clean.map(load.map(told([]))))
        explain = Explanation(run.progress)
        assert explain("clean") == "clean is Pending: it waits for load (Pending)."
        run.succeed(run.take(), [1, 2])
        assert explain("clean[1]") == "clean[1] is Pending: it waits for load[1] (Pending)."

    def test_a_full_limit_is_told(self, driven):
        """By its tag and its number."""
        run = driven(lambda: [stored(), stored()])
        limits = Limits({"db": 1})
        explain = Explanation(run.progress, limits=limits)
        run.take()
        limits.took(("db",))
        record = list(TaskRuns(run.ledger))[1]
        assert (
            explain(record)
            == "stored is Pending: it waits for room within the limit of the tag 'db', 1 at a time."
        )

    def test_a_retry_says_when_it_begins(self, driven):
        """By the loop's clock; before it is on that, at once."""
        run = driven(lambda: patient())
        waiting = []
        explain = Explanation(run.progress, waiting, clock=lambda: 100.0)
        run.take()
        run.fail(0)
        assert run.schedule.attempts.waiting == [(8.0, (0, None))]
        waiting.append((108.0, 1, (0, None)))
        assert explain("patient").startswith("patient is Retrying: ValueError: on purpose")
        assert explain("patient").endswith("; its next attempt begins in 8 s.")
        run.schedule.retry((0, None))
        run.take()
        assert explain("patient") == "patient is Running, in attempt 2: it was handed to a worker."

    def test_a_crash_says_what_is_known_of_the_worker(self, driven):
        """And a call that was cancelled that it was."""
        run = driven(lambda: [clean.with_options(crash_retries=0)(1), told([])])
        explain = Explanation(run.progress)
        pieces = run.take()
        lost = Failure(TaskState.CRASHED, WorkerLostError("worker 7 was killed"), away=(1000.0, 0.5))
        run.schedule.lost(pieces, lost, sure=True)
        assert (
            explain("clean")
            == "clean (value=1) is Crashed: WorkerLostError: worker 7 was killed, after 0.5 s."
        )
        run.schedule.cancel()
        assert explain("report") == "report is Cancelled, as the run ended before it was over."
        explain.settle(RunTimeoutError("the run took longer than 3 s", seconds=3.0))
        assert explain("report").endswith(
            "before it was over: RunTimeoutError: the run took longer than 3 s."
        )

    def test_before_the_run_nothing_is_known(self, driven):
        """Which is an error of its own."""
        run = FlowRun(
            id="x", flow="early", executor="local", task_runs=TaskRuns(driven(lambda: told([])).ledger)
        )
        with pytest.raises(RunError, match="early: it has not begun"):
            run.explain("report")
