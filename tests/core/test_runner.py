"""Running flows: `flow.run`, and calling one."""

import signal
from pathlib import Path

import pytest

from turgo import Flow, Skip, flow, task
from turgo.errors import ExecutorStartError, TaskFailedError, UnknownExecutorError
from turgo.executor import Executor
from turgo.hooks import hookimpl
from turgo.records.states import RunState, TaskState
from turgo.registry.source_files import load_source
from turgo.testing import ManualExecutor

pytestmark = pytest.mark.usefixtures("inline_as_local")

InlineExecutor = load_source(Path(__file__).parent / "inline_executor.py").InlineExecutor


@task
def add(first, second=1):
    if first == "bad":
        raise ValueError("bad")
    return first + second


class Watch:
    """An observer that keeps what it hears."""

    def __init__(self):
        self.heard = []
        self.events = []

    @hookimpl
    def turgo_flow_started(self, run):
        self.heard.append(("started", run.state))

    @hookimpl
    def turgo_task_events(self, run, events):
        self.events += events

    @hookimpl
    def turgo_flow_finished(self, run):
        self.heard.append(("finished", run.state))


def test_a_flow_that_is_called_gives_its_result_or_raises():
    """On the configured executor, which is local unless something says otherwise."""

    @flow
    def one(value):
        return add(value)

    assert isinstance(one, Flow)
    assert one(1) == 2
    with pytest.raises(TaskFailedError, match=r"add \(first='bad'\) is Failed: ValueError: bad"):
        one("bad")


def test_a_function_is_made_a_flow_by_a_call_as_well():
    """With the options that are given beside it, as `task(function, …)` does."""

    def numbers():
        return add(1)

    made = flow(numbers, name="some", timeout=60.0)
    assert made.name == "some" and made.options.timeout == 60.0 and made() == 2


def test_a_flow_in_a_class_is_bound_like_a_method():
    """With its options; on the class, and where it is static, it is the flow itself."""

    class Shelf:
        def __init__(self, rate):
            self.rate = rate

        @task
        def price(self, count):
            return count * self.rate

        @flow(timeout=60.0)
        def prices(self, most=3):
            return self.price.map(range(most))

        @flow
        def twice(self):
            return self.prices(2), self.price(9)

        @flow
        @staticmethod
        def one():
            return add(1)

    shelf = Shelf(10)
    assert shelf.prices() == Shelf.prices(shelf) == [0, 10, 20]
    assert shelf.prices.run(most=2, executor="local").result == [0, 10]
    assert shelf.prices.with_options(name="some").run(2).flow == "some"
    assert (shelf.prices.name, shelf.prices.options.timeout) == ("prices", 60.0)
    assert shelf.twice() == ([0, 10], 90)
    assert shelf.one() == Shelf.one() == 2


def test_a_run_has_an_id_of_its_own():
    """And names flow and executor."""
    numbers = flow(name="numbers")(lambda: add(1))
    first, second = numbers.run(executor="local"), numbers.run(executor="local")
    assert first.id != second.id and first.id.startswith("numbers-")
    assert (first.flow, first.executor) == ("numbers", "local")
    assert "result" not in repr(first)


def test_observers_hear_of_start_events_and_end_in_order():
    """Each task run is told as running, if it is a call, and as what became of it; an element is taken by no call."""
    watch = Watch()
    run = flow(lambda: add(add.map(range(3))[2])).run(executor="local", observers=[watch])
    assert run.ok
    assert watch.heard == [("started", RunState.RUNNING), ("finished", RunState.SUCCESS)]
    told = {state: sum(e.count for e in watch.events if e.state is state) for state in TaskState}
    assert (told[TaskState.RUNNING], told[TaskState.SUCCESS]) == (4, 5)


def test_an_observer_that_fails_is_reported_once_and_harms_nobody(caplog):
    """The run goes on, the others hear everything."""

    class Broken:
        @hookimpl
        def turgo_flow_started(self, run):
            raise OSError("disk full")

        @hookimpl
        def turgo_flow_finished(self, run):
            raise AssertionError("it was left out")

    watch = Watch()
    assert flow(lambda: add(1)).run(executor="local", observers=[Broken(), watch]).ok
    assert [kind for kind, _ in watch.heard] == ["started", "finished"]
    assert [record.getMessage() for record in caplog.records] == [
        "the observer Broken failed in turgo_flow_started and is left out"
    ]


def test_an_installed_observer_that_does_not_load_is_told_of_in_the_log(tmp_path, monkeypatch, caplog):
    """The run goes on without it, and says whose it is."""
    info = tmp_path / "turgo_bell-2.1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: turgo-bell\nVersion: 2.1\n")
    (info / "entry_points.txt").write_text("[turgo.observers]\ncracked = not_there\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert flow(lambda: add(1)).run(executor="local").ok
    told = [record.getMessage() for record in caplog.records]
    assert [each.partition(": ")[0] for each in told] == [
        "the observer 'cracked' of turgo-bell 2.1 is left out"
    ]


def test_mistakes_are_found_before_anything_runs():
    """An unknown executor, before the body of the flow is run."""

    @flow
    def body():
        raise AssertionError("the body must not run")

    with pytest.raises(UnknownExecutorError):
        body.run(executor="daks")


def test_an_executor_that_does_not_start_raises_and_no_observer_hears():
    """What its `start()` raises comes through."""

    class Broken(InlineExecutor):
        def start(self):
            raise ExecutorStartError("no cluster")

    watch = Watch()
    with pytest.raises(ExecutorStartError, match="no cluster"):
        flow(lambda: add(1)).run(executor=Broken(), observers=[watch])
    assert watch.heard == []


def test_an_executor_whose_submit_raises_fails_the_call():
    """As if the future had failed; the run ends."""

    class Refusing(Executor):
        def submit(self, fn, /, *args, extra_context=None, **kwargs):
            raise OSError("queue is full")

    run = flow(lambda: add(1)).run(executor=Refusing())
    assert run.state is RunState.FAILED and isinstance(run.task_runs[0].error, OSError)


def test_ctrl_c_in_a_task_on_the_local_executor_cancels_the_run():
    """What was done stays, all else is Cancelled, observers hear of the end, the interrupt goes on to the caller."""

    @task
    def interrupted(value):
        signal.raise_signal(signal.SIGINT)

    @flow
    def body():
        first = add(1)
        return add(interrupted(first)), add.map(add.map(range(3)), second=add.map([interrupted(first)]))

    watch = Watch()
    kept = []

    class Keeps:
        @hookimpl
        def turgo_flow_started(self, run):
            kept.append(run)

    executor = InlineExecutor()
    with pytest.raises(KeyboardInterrupt):
        body.run(executor=executor, observers=[watch, Keeps()])
    assert watch.heard[-1] == ("finished", RunState.CANCELLED)
    assert not executor.started
    states = [each.state for each in kept[0].task_runs]
    assert states[0] is TaskState.SUCCESS and states[1] is TaskState.CANCELLED
    assert all(state.finished for state in states)


def test_what_cannot_run_yet_is_held_back_and_the_window_is_bounded():
    """At most two submissions for each slot are under way; one, as long as nobody knows how long such a call takes."""
    executor = ManualExecutor(width=3)
    seen = []
    full = [3, *[6] * 5]

    class Step(ManualExecutor):
        def submit(self, fn, /, *args, extra_context=None, **kwargs):
            future = executor.submit(fn, *args, extra_context=extra_context, **kwargs)
            seen.append(len(executor.calls))
            if len(executor.calls) == full[0]:
                full.pop(0)
                executor.run_all()
            return future

    with executor.start():
        run = flow(lambda: add.with_options(batch=False).map(range(33))).run(executor=Step(width=3))
        assert run.ok and max(seen) == 6 and not full


def test_hints_carry_name_index_and_tags():
    """A call alone in its submission says which element it is."""
    contexts = []

    class Noting(InlineExecutor):
        def submit(self, fn, /, *args, extra_context=None, **kwargs):
            contexts.append(extra_context)
            return super().submit(fn, *args, extra_context=extra_context, **kwargs)

    @flow
    def body():
        tagged = add.with_options(tags=["gpu"], batch=False)
        return tagged.map([1, 2]), add(1)

    assert body.run(executor=Noting()).ok
    told = sorted((c["task_name"], str(c["task_index"]), tuple(c["task_tags"])) for c in contexts)
    assert told == [("add", "0", ("gpu",)), ("add", "1", ("gpu",)), ("add", "None", ())]


def test_a_skip_of_what_is_returned_gives_none():
    """Skipped by itself or because of its upstream, the run is fine."""

    @task
    def skip():
        raise Skip("nothing to do")

    def body():
        skipped = skip()
        return [skipped, add(skipped)]

    run = flow(body).run(executor="local")
    assert run.ok and run.result == [None, None]
