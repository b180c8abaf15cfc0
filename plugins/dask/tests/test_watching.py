"""What a run shows of its cluster: workers that come and go, calls that no worker suits, logs, dask's own report."""

from __future__ import annotations

import logging
import logging.handlers
import queue
import re
import time
from pathlib import Path
from typing import Any

import distributed
import pytest

from penstock import FlowRun, TaskState, flow, task
from penstock.errors import OptionError, RequirementError
from penstock.executor import ExecutorEvent
from penstock.hooks import hookimpl
from penstock_dask import DaskExecutor, watching
from penstock_dask.tags import wish_of

ONE = {"n_workers": 1, "threads_per_worker": 1, "processes": False}


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look at clusters five times a second, and tell after half a second."""
    monkeypatch.setattr(watching, "INTERVAL", 0.2)
    monkeypatch.setattr(watching, "GRACE", 0.5)


class Listener:
    """An observer that keeps what it hears of executors."""

    def __init__(self) -> None:
        self.events: list[ExecutorEvent] = []

    @hookimpl
    def penstock_executor_event(self, run: FlowRun, event: ExecutorEvent) -> None:
        """Keep it."""
        self.events.append(event)


@task(tags=["dask-resource:GPU=1"])
def train() -> int:
    """Needs what few workers have."""
    return 1


@task(tags=["dask-resource:GPU"])
def misspelt() -> int:
    """Asks for no number."""
    return 1


@task
def rest(seconds: float) -> float:
    """Wait, and log it."""
    logging.getLogger("there").warning("resting")
    time.sleep(seconds)
    return seconds


@flow
def training() -> Any:
    """One call that asks for a resource."""
    return train()


@flow
def wrong() -> Any:
    """A tag that makes no sense."""
    return misspelt()


@flow
def resting(seconds: float, count: int) -> Any:
    """So many rests."""
    return rest.map([seconds] * count)


def test_an_ill_formed_tag_is_found_before_anything_starts() -> None:
    """The error names the task and shows the right form; no cluster was started for it."""
    executor = DaskExecutor(cluster_class=_not_to_be_started, debug=False)
    with pytest.raises(OptionError, match=r"task misspelt: .*dask-resource:GPU=1"):
        wrong.run(executor=executor)


def _not_to_be_started() -> Any:
    raise AssertionError("nothing was to be started")


@pytest.mark.usefixtures("impatient")
def test_what_no_worker_offers_is_told_of_and_fails() -> None:
    """First a warning that says what is asked and what there is; then the task fails, and the run ends."""
    listener, heard = Listener(), queue.SimpleQueue[logging.LogRecord]()
    handler = logging.handlers.QueueHandler(heard)
    logging.getLogger("penstock_dask").addHandler(handler)
    executor = DaskExecutor(cluster_kwargs={**ONE, "resources": {"MEM": 4}}, resources_timeout=5, debug=False)
    try:
        run = training.run(executor=executor, observers=[listener])
    finally:
        logging.getLogger("penstock_dask").removeHandler(handler)
    (task_run,) = run.task_runs
    assert isinstance(task_run.error, RequirementError)
    assert (
        "calls ask for GPU=1, which no worker offers: of 1 workers 1 offers MEM=4"
        in heard.get(timeout=1).getMessage()
    )
    assert "GPU=1" in str(task_run.error)
    assert "waiting" in [event.kind for event in listener.events]


@pytest.mark.usefixtures("impatient")
def test_calls_that_ask_for_what_others_waited_for_in_vain_do_not_wait_again() -> None:
    """A map of many fails after one deadline, not after one for each window of calls in flight."""
    executor = DaskExecutor(cluster_kwargs=ONE, resources_timeout=1.0, debug=False)
    context: Any = {"task_name": "train", "task_tags": ["dask-resource:GPU=1"]}
    with executor.start():
        first = executor.submit(abs, -1, extra_context=context)
        assert isinstance(first.exception(timeout=60), RequirementError)
        second = executor.submit(abs, -1, extra_context=context)
        assert second.done()
        assert isinstance(second.exception(), RequirementError)
        assert executor.submit(abs, -1).result() == 1


@pytest.mark.usefixtures("impatient")
def test_calls_that_wait_for_a_busy_worker_are_left_alone() -> None:
    """A resource that is in use is offered: nothing fails, however long it takes."""
    executor = DaskExecutor(
        cluster_kwargs={**ONE, "resources": {"GPU": 1}}, resources_timeout=0.6, debug=False
    )
    context: Any = {"task_name": "train", "task_tags": ["dask-resource:GPU=1"]}
    with executor.start():
        calls = [executor.submit(time.sleep, 0.8, extra_context=context) for _ in range(3)]
        executor.wait(calls)


def test_priority_decides_who_is_next(tmp_path: Path) -> None:
    """Of calls that wait, the one with the highest priority begins first."""
    gate = tmp_path / "gate"

    def hold() -> None:
        while not gate.exists():
            time.sleep(0.01)

    def note(name: str) -> None:
        with (tmp_path / "order").open("a") as file:
            file.write(f"{name}\n")

    with DaskExecutor(cluster_kwargs=ONE, debug=False).start() as executor:
        first = executor.submit(hold)
        calls = []
        for name, priority in (("low", -5), ("middle", 0), ("high", 7)):
            context: Any = {"task_name": name, "task_tags": [f"dask-priority:{priority}"] if priority else []}
            calls.append(executor.submit(note, name, extra_context=context))
        (worker,) = executor._session.cluster.workers.values()
        end = time.monotonic() + 20
        while len(worker.state.tasks) < 4:  # until it has all that it is to choose from
            assert time.monotonic() < end
            time.sleep(0.01)
        gate.touch()
        executor.wait([first, *calls])
    assert (tmp_path / "order").read_text().split() == ["high", "middle", "low"]


def test_workers_are_chosen_by_name_or_address() -> None:
    """Strictly, or as a preference."""
    with (
        distributed.LocalCluster(**{**ONE, "n_workers": 2}, dashboard_address="127.0.0.1:0") as cluster,
        DaskExecutor(cluster_class=cluster, debug=False).start() as executor,
    ):

        def where() -> str:
            return str(distributed.get_worker().address)

        addresses = [worker.address for worker in cluster.workers.values()]
        for tags in ([f"dask-workers:{addresses[1]}"], ["dask-workers:1"]):
            context: Any = {"task_name": "where", "task_tags": tags}
            found = executor.wait([executor.submit(where, extra_context=context) for _ in range(5)])
            assert set(found) == {addresses[1]}
        context = {"task_name": "where", "task_tags": ["dask-workers:nobody", "dask-allow-other-workers"]}
        assert executor.submit(where, extra_context=context).result(timeout=30) in addresses


@pytest.mark.parametrize(
    ("tags", "message"),
    [
        (["dask-priority:high"], "whole number: write dask-priority:10"),
        (["dask-workers:"], "names no workers"),
        (["dask-allow-other-workers"], "without workers"),
        (["dask-resources:GPU=1"], "write dask-resource:GPU=1"),
    ],
)
def test_a_tag_that_means_nothing_shows_the_right_form(tags: list[str], message: str) -> None:
    """Misspelt ones too; tags that only resemble them in their first word are left alone."""
    with pytest.raises(OptionError, match=message):
        wish_of(tags)
    assert wish_of(["dask-team:blue"]) == wish_of([])


@pytest.mark.usefixtures("impatient")
def test_workers_that_come_and_go_are_events() -> None:
    """An observer hears of them, and nothing is lost when one is taken away in good order."""
    listener = Listener()
    with (
        distributed.LocalCluster(**ONE, dashboard_address="127.0.0.1:0") as cluster,
        DaskExecutor(cluster_class=cluster, debug=False).start() as executor,
    ):

        def rest_until(kind: str) -> None:
            """Run flows until there was such an event: how long it takes is the cluster's affair."""
            end = time.monotonic() + 60
            while kind not in [event.kind for event in listener.events]:
                assert time.monotonic() < end
                run = resting.run(0.1, 30, executor=executor, observers=[listener])
                assert run.ok, run.task_runs[0].error

        cluster.scale(2)
        rest_until("worker_arrived")
        cluster.scale(1)
        rest_until("worker_left")
    assert all(re.match(r"inproc://|tcp://", event.worker or "tcp://") for event in listener.events)


def test_scaling_in_loses_nothing() -> None:
    """Workers are retired again and again while calls run and results lie on them: no failure, no second attempt."""
    options = {"n_workers": 2, "threads_per_worker": 1, "processes": False}
    executor = DaskExecutor(
        cluster_kwargs=options,
        adapt_kwargs={
            "minimum": 1,
            "maximum": 3,
            "interval": "50ms",
            "wait_count": 1,
            "target_duration": "100ms",
        },
        debug=False,
    )
    with executor.start():
        for _ in range(3):
            run = resting.run(0.02, 40, executor=executor)
            assert run.ok, run.task_runs[0].error
            assert {each.state for each in run.task_runs} == {TaskState.SUCCESS}
            assert all(len(each.attempts) == 1 for each in run.task_runs)
            kept = executor.map(bytes, [1000] * 20)
            time.sleep(0.3)
            assert executor.wait(kept) == [bytes(1000)] * 20


def test_logs_carry_task_and_worker(cluster: DaskExecutor, caplog: pytest.LogCaptureFixture) -> None:
    """What a task logs on a worker is in its record, and in the driver's log, with the worker's name beside it."""
    with caplog.at_level(logging.INFO):
        run = resting.run(0.0, 3, executor=cluster)
    heard = {record.task_index: record.worker for record in caplog.records if record.message == "resting"}  # type: ignore[attr-defined]
    assert heard == {each.index: each.worker for each in run.task_runs}
    for each in run.task_runs:
        assert [line.message for line in each.logs] == ["resting"]
        assert each.worker


def test_the_report_of_dask_is_written(tmp_path: Path) -> None:
    """To the path that was asked for."""
    pytest.importorskip("bokeh")
    path = tmp_path / "report.html"
    with DaskExecutor(cluster_kwargs=ONE, performance_report=str(path), debug=False).start() as executor:
        executor.wait(executor.map(abs, range(5)))
    assert "Dask Performance Report" in path.read_text("utf-8")


def test_a_run_groups_its_keys_by_task(cluster: DaskExecutor) -> None:
    """The dashboard groups by the name before the first unique part: one group for each task."""
    keys = [
        cluster.submit(abs, -1, extra_context={"task_name": "my task", "task_index": index}).key  # type: ignore[attr-defined]
        for index in range(2)
    ]
    assert {distributed.utils.key_split(key) for key in keys} == {"my task"}
