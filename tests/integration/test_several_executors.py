"""Tasks that name an executor of their own: several run side by side in one run, and all are shut down."""

import os
import sys
import threading
from contextlib import contextmanager
from pathlib import Path

import cloudpickle
import numpy
import pytest

from turgo import Executor, flow, get_executor, task
from turgo.cli import main
from turgo.errors import ExecutorStartError, UnknownExecutorError
from turgo.futures import call_now
from turgo.hooks import hookimpl
from turgo.records.states import RunState, TaskState

cloudpickle.register_pickle_by_value(sys.modules[__name__])  # the workers do not have this file

ENGINES = ("local", "threads", "processes", "dask")
THREADS = {"use": "local_dask", "scheduler": "threads", "num_workers": 2}
PROCESSES = {"use": "local_dask", "scheduler": "processes", "num_workers": 2}


@task
def seen_by(*_seen):
    return os.getpid(), threading.current_thread().name


@task
def ramp(length):
    return numpy.arange(length, dtype=float)


@task
def doubled(array):
    return array * 2


@task
def total(array):
    return float(array.sum())


def test_io_on_threads_and_computing_on_processes(executor):
    """Each call runs where its task says, and the values pass from one executor to the other."""

    @flow
    def mixed():
        here = seen_by()
        threads = seen_by.with_options(executor=THREADS).map([here, here])
        processes = seen_by.with_options(executor=PROCESSES).map(threads)
        return here, threads, processes, seen_by(processes)

    run = mixed.run(executor=executor)
    here, threads, processes, last = run.result
    assert {name.startswith("turgo-thread") for _, name in threads} == {True}
    assert {pid for pid, _ in threads} == {os.getpid()}
    assert os.getpid() not in {pid for pid, _ in processes}
    assert (here[0] == os.getpid()) == (last[0] == os.getpid())
    workers = {each.worker.split("/")[0] for each in run.task_runs}
    assert len(workers) >= 2, "the records tell them apart"


def test_large_values_pass_between_executors(executor):
    """Also those that one of them would have kept on its workers."""
    length = 100_000

    @flow
    def passing():
        array = ramp(length)
        array = doubled.with_options(executor=THREADS)(array)
        array = doubled.with_options(executor=PROCESSES)(array)
        many = doubled.map([array, doubled(array)])
        return total(array), total.with_options(executor=THREADS).map(many), total.map(many)

    once = 4.0 * sum(range(length))
    assert passing.run(executor=executor).result == (once, [2 * once, 4 * once], [2 * once, 4 * once])


def test_maps_follow_each_other_across_executors(executor):
    """Element by element, and what fails on one is not tried on the other."""

    @task(executor=THREADS)
    def halved(number):
        return number // 2 if number != 6 else 1 / 0

    @task
    def plus_one(number):
        return number + 1

    @flow(reference="summed")
    def crossing():
        numbers = plus_one.map(halved.map(plus_one.map(range(200))))

        @task(trigger="all_finished", name="summed")
        def summed(numbers):
            return sum(number for number in numbers if isinstance(number, int))

        return summed(numbers)

    run = crossing.run(executor=executor)
    assert run.result == sum((number + 1) // 2 + 1 for number in range(200) if number != 5)
    states = [(each.name, each.state) for each in run.task_runs if each.index == 5]
    assert states == [
        ("plus_one", TaskState.SUCCESS),
        ("halved", TaskState.FAILED),
        ("plus_one", TaskState.TRIGGER_FAILED),
    ]


def test_a_name_that_is_wrong_is_found_before_anything_runs(tmp_path, capsys, monkeypatch):
    """The error says which task asked; the command line exits with 2."""
    program = tmp_path / "program.py"
    program.write_text(
        "from pathlib import Path\nfrom turgo import flow, task\n\n"
        "@task\ndef first():\n    Path('ran').touch()\n\n"
        "@task(executor='treads')\ndef second(first):\n    return 1\n\n"
        "@flow\ndef both():\n    return second(first())\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    assert main(["run", str(program), "--quiet"]) == 2
    said = capsys.readouterr().err
    assert "'treads'" in said and "executor of the task second" in said
    assert not Path("ran").exists()
    with pytest.raises(UnknownExecutorError):
        flow(lambda: seen_by.with_options(executor="treads")()).run(executor="local")


def test_a_profile_is_named_as_it_is_on_the_command_line(tmp_path, monkeypatch):
    """From the configuration; the run's own executor serves tasks that name it."""
    (tmp_path / "turgo.toml").write_text(
        '[executors.io]\nuse = "local_dask"\nscheduler = "threads"\nnum_workers = 1\n'
    )
    monkeypatch.chdir(tmp_path)
    named = flow(lambda: (seen_by(), seen_by.with_options(executor="io")()))
    (_, here), (_, there) = named.run(executor="local").result
    assert (here, there) == ("MainThread", "turgo-thread-0")
    (_, here), (_, there) = named.run(executor="io").result
    assert here == there == "turgo-thread-0"


def test_an_executor_that_breaks_ends_the_run_and_all_others_are_closed():
    """The run's own was started before it, and is closed after it."""
    heard = []

    class Noting(Executor):
        def __init__(self, *, name: str, broken: bool = False):
            self.name, self.broken = name, broken

        @contextmanager
        def start(self):
            heard.append(f"{self.name} starts")
            if self.broken:
                raise OSError("no such machine")
            try:
                yield self
            finally:
                heard.append(f"{self.name} closes")

        def submit(self, fn, /, *args, extra_context=None, **kwargs):
            return call_now(fn, *args, **kwargs)

    on = seen_by.with_options
    first, second = Noting(name="first"), Noting(name="second")
    broken = Noting(name="broken", broken=True)
    states = []

    class Keeps:
        @hookimpl
        def turgo_flow_finished(self, run):
            states.append((run.state, [each.state for each in run.task_runs]))

    def body():
        one = on(executor=second)(seen_by())
        return on(executor=broken)(one)

    with pytest.raises(ExecutorStartError, match="no such machine"):
        flow(body).run(executor=first, observers=[Keeps()])
    assert heard == ["first starts", "second starts", "broken starts", "second closes", "first closes"]
    assert states == [(RunState.FAILED, [TaskState.SUCCESS, TaskState.SUCCESS, TaskState.CANCELLED])]
    heard.clear()
    assert flow(lambda: on(executor=second)()).run(executor=first).ok
    assert heard == ["second starts", "second closes"], "one that no task needs is not started"
    heard.clear()
    with second.start():
        assert flow(lambda: on(executor=second)(seen_by())).run(executor=first).ok
        assert heard == ["second starts", "first starts", "first closes"], (
            "it was started, so it is left open"
        )


@pytest.mark.cluster
def test_large_values_made_on_a_cluster_are_used_everywhere():
    """Two clusters, processes and this process take them from each other; only what is returned has to be here."""
    length = 50_000

    @flow
    def wandering(first, second):
        array = ramp.with_options(executor=first)(length)
        for executor in (second, first, PROCESSES, second, None, first):
            array = doubled.with_options(executor=executor)(array)
        spread = doubled.with_options(executor=first).map([array] * 3)
        sums = total.with_options(executor=second).map(spread)
        return sums, total(array)

    options = {"cluster_kwargs": {"n_workers": 1, "threads_per_worker": 1}}
    first, second = get_executor("dask", **options), get_executor("dask", **options)
    once = 64.0 * sum(range(length))
    run = wandering.run(first, second, executor="local")
    assert run.result == ([2 * once] * 3, once)
    assert not first.started and not second.started
