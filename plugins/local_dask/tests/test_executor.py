"""The executor on each scheduler: what is in force during `start()`, what it offers, and how it is left."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path
from typing import Any

import cloudpickle
import dask
import dask.config
import dask.threaded
import pytest

from turgo import flow, task
from turgo.records.states import TaskState
from turgo.testing.calls import meet
from turgo_local_dask import LocalDaskExecutor

np = pytest.importorskip("numpy")

cloudpickle.register_pickle_by_value(sys.modules[__name__])  # the processes do not have this file


@pytest.mark.parametrize("scheduler", ["threads", "processes"])
def test_calls_overlap(scheduler: str, tmp_path: Path) -> None:
    """Two calls that wait for each other can only end if they run at the same time."""
    one, other = str(tmp_path / "one"), str(tmp_path / "other")
    with LocalDaskExecutor(scheduler, num_workers=2).start() as executor:
        assert executor.wait(executor.map(meet, [one, other], [other, one], [40.0] * 2)) == [True, True]


def test_wait_for_one_does_not_wait_for_others() -> None:
    """The value of a short call is there while a long one runs."""
    release = threading.Event()
    with LocalDaskExecutor("threads", num_workers=2).start() as executor:
        long = executor.submit(release.wait, 30)
        assert executor.wait(executor.submit(abs, -1)) == 1
        assert not long.done()
        release.set()


@pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt])
@pytest.mark.parametrize("scheduler", ["threads", "processes"])
def test_a_task_that_leaves_or_interrupts_fails_alone(scheduler: str, error: type[BaseException]) -> None:
    """In a flow as well: that task has failed, the others have not, and the driver goes on."""

    @task
    def picky(number: int) -> int:
        if number == 2:
            raise error
        return number

    @flow
    def mapped() -> Any:
        return picky.map(range(5))

    run = mapped.run(executor=LocalDaskExecutor(scheduler, num_workers=2))
    expected = [TaskState.SUCCESS] * 5
    expected[2] = TaskState.FAILED
    assert [task_run.state for task_run in run.task_runs] == expected
    assert type(run.task_runs[2].error) is error


def test_strings_hash_alike_in_all_processes() -> None:
    """As under dask, so that a partition by hash is the same in each."""
    with LocalDaskExecutor("processes", num_workers=2).start() as executor:
        hashes = executor.wait(executor.map(lambda _: hash("a word"), range(20)))
    assert len(set(hashes)) == 1


@pytest.mark.parametrize("scheduler", ["threads", "processes"])
def test_a_normal_end_waits_for_what_runs_and_begins_nothing_more(scheduler: str, tmp_path: Any) -> None:
    """What runs ends well; what waits is cancelled and never begins."""

    gate = tmp_path / "gate"

    def call(number: int) -> int:
        (tmp_path / str(number)).touch()
        while not gate.exists():
            time.sleep(0.01)
        return number

    def open_gate() -> None:
        """Once all that waited was taken back, as `start()` is being left."""
        end = time.monotonic() + 20
        while not all(future.done() for future in futures[1:]) and time.monotonic() < end:
            time.sleep(0.01)
        gate.touch()

    opener = threading.Thread(target=open_gate)
    with LocalDaskExecutor(scheduler, num_workers=1).start() as executor:
        futures = executor.map(call, range(5))
        while not (tmp_path / "0").exists():
            time.sleep(0.01)
        opener.start()
    opener.join()
    assert futures[0].result() == 0
    assert all(future.cancelled() for future in futures[1:])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0", "gate"]


def test_a_flow_file_needs_no_guard_under_turgo_run(tmp_path: Path) -> None:
    """`turgo run` gives the processes the functions of the file, which none of them imports."""
    (tmp_path / "bare.py").write_text(
        textwrap.dedent("""
            import os
            from turgo import flow, task

            @task
            def elsewhere(driver):
                return os.getpid() != driver

            @flow
            def bare():
                return elsewhere.map([os.getpid()] * 3)
        """)
    )
    command = [sys.executable, "-m", "turgo", "run", "bare.py", "--executor", "local_dask"]
    done = subprocess.run(
        [*command, "-o", "scheduler=processes", "-o", "num_workers=2"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "True" in done.stdout
    assert "False" not in done.stdout


def test_a_script_without_a_guard_is_told_so(tmp_path: Path) -> None:
    """It ends at once with an error that shows the remedy, instead of hanging."""
    script = tmp_path / "bare.py"
    script.write_text(
        textwrap.dedent("""
            from turgo_local_dask import LocalDaskExecutor

            with LocalDaskExecutor("processes").start() as executor:
                print(executor.submit(abs, -1).result())
        """)
    )
    done = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1
    assert 'if __name__ == "__main__"' in done.stderr
    assert "line 4" in done.stderr


@pytest.mark.parametrize("scheduler", ["processes", "threads"])
def test_a_flow_makes_and_sums_large_arrays(scheduler: str) -> None:
    """They go from task to task and come home as they were, whether the tasks share a batch or not."""

    @task
    def make(number: int) -> Any:
        return np.full(2**17, float(number))

    @task(batch=False)
    def total(array: Any) -> float:
        return float(array.sum())

    @flow
    def sums() -> Any:
        arrays = make.map(range(6))
        return arrays, total.map(arrays)

    arrays, totals = sums.run(executor=LocalDaskExecutor(scheduler, num_workers=2)).result
    assert totals == [number * 2.0**17 for number in range(6)]
    assert [array[-1] for array in arrays] == list(range(6))
    assert all(array.flags.writeable for array in arrays)


@pytest.mark.parametrize(
    "option", ["multiprocessing.context", "multiprocessing_context", "multiprocessing__context"]
)
def test_configuration_is_in_force_during_start_and_restored(option: str) -> None:
    """However a key is written, dask sees it during `start()`, and what was there before comes back."""
    options = {option: "forkserver", "temporary_directory": "/tmp/here", "chunksize": 7}
    before = dask.config.get("temporary-directory")
    with LocalDaskExecutor("sync", **options).start():
        assert dask.config.get("multiprocessing.context") == "forkserver"
        assert dask.config.get("temporary-directory") == "/tmp/here"
        assert dask.config.get("chunksize") == 7
    assert dask.config.get("temporary-directory") == before
    assert dask.config.get("chunksize", None) is None
    assert dask.config.get("multiprocessing.context", None) is None


def test_options_are_public_attributes() -> None:
    """What was given can be read, under its own name."""
    executor = LocalDaskExecutor("processes", num_workers=3)
    assert (executor.scheduler, executor.dask_config) == ("processes", {"num_workers": 3})


def test_slots_and_capabilities_follow_the_scheduler() -> None:
    """One slot without a pool, otherwise the workers; what needs a process to end is offered by processes alone."""
    assert LocalDaskExecutor("threads", num_workers=3).slots == 3
    assert LocalDaskExecutor("sync", num_workers=3).slots == 1
    assert LocalDaskExecutor(dask.threaded.get).slots == 1
    assert LocalDaskExecutor("threads").capabilities == {"parallel", "forwards_logs"}
    assert LocalDaskExecutor("sync").capabilities == {"forwards_logs"}
    assert LocalDaskExecutor(dask.threaded.get).capabilities == frozenset()
    ends_processes = {"cancels_running", "hard_timeouts", "survives_worker_loss"}
    assert LocalDaskExecutor("processes").capabilities == {"parallel", "forwards_logs"} | ends_processes
    with dask.config.set(num_workers=5):
        assert LocalDaskExecutor("processes").slots == 5


def slots_of(options: str, **variables: str) -> int:
    """The slots of an executor in a fresh process."""
    return printed_by(
        f"from turgo_local_dask import LocalDaskExecutor; print(LocalDaskExecutor({options}).slots)",
        **variables,
    )


def printed_by(code: str, **variables: str) -> int:
    """The number that Python prints in a fresh process."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return int(done.stdout)


def test_variables_and_files_of_dask_count(tmp_path: Path) -> None:
    """`DASK_NUM_WORKERS` and a file in dask's folder of settings say how many, unless an option does."""
    (tmp_path / "mine.yaml").write_text("num_workers: 6\n")
    assert slots_of("'threads'", DASK_NUM_WORKERS="5") == 5
    assert slots_of("'processes'", DASK_CONFIG=str(tmp_path)) == 6
    assert slots_of("'processes', num_workers=2", DASK_CONFIG=str(tmp_path), DASK_NUM_WORKERS="5") == 2


def test_by_default_there_are_as_many_as_cpus_that_may_be_used() -> None:
    """Dask counts them; it heeds cgroups, and the affinity of the process where psutil is installed."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    try:
        assert slots_of("'processes'") == printed_by("from dask.system import CPU_COUNT; print(CPU_COUNT)")
    finally:
        os.sched_setaffinity(0, before)


@pytest.mark.skipif(
    sys.version_info < (3, 13), reason="older ones have no isolated interpreters to try it in"
)
@pytest.mark.parametrize("scheduler", ["threads", "processes", "sync"])
def test_a_subinterpreter_is_told_what_it_cannot_have(scheduler: str) -> None:
    """Threads and processes say so on `start()`; calls one after another work there."""
    inner = (
        "from turgo_local_dask import LocalDaskExecutor\n"
        f"with LocalDaskExecutor({scheduler!r}).start() as executor: print(executor.submit(abs, -1).result())"
    )
    code = (
        "import _interpreters\n"
        f"failed = _interpreters.exec(_interpreters.create(), {inner!r})\n"
        "print(failed.formatted if failed else 'fine')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert ("in a subinterpreter" in done.stdout) is (scheduler != "sync")
    assert ("fine" in done.stdout) is (scheduler == "sync")
