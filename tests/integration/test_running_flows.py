"""Runs that go on while one looks: `flow.start`, on every executor."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import cloudpickle
import pytest

from turgo import flow, task
from turgo.records.states import RunState, TaskState

cloudpickle.register_pickle_by_value(sys.modules[__name__])  # the workers do not have this file

ENGINES = ("local", "threads", "processes", "dask")

LONG = 100.0  # seconds; what should take few


@task(batch=False)
def waits(folder, number):
    """Ends once the file of its number is there, which the test makes."""
    end = time.monotonic() + LONG
    while not Path(folder, f"go-{number}").exists() and time.monotonic() < end:
        time.sleep(0.005)
    return [number] * 3


@task
def total(lists):
    return sum(map(sum, lists))


@flow
def gated(folder, numbers):
    return total(waits.map([folder] * len(numbers), numbers))


def let(folder, number):
    Path(folder, f"go-{number}").touch()


def test_task_runs_come_as_they_end_with_their_values(executor, tmp_path):
    """Each one before the next can end: nobody waits for the whole."""
    with gated.start(str(tmp_path), [0, 1, 2], executor=executor) as running:
        let(tmp_path, 0)
        seen = []
        for task_run in running:
            seen.append((task_run.label, task_run.value))
            let(tmp_path, len(seen))
        run = running.wait()
    assert seen == [("waits[0]", [0] * 3), ("waits[1]", [1] * 3), ("waits[2]", [2] * 3), ("total", 9)]
    assert run.result == 9 and running.counts() == {TaskState.SUCCESS: 4}


def test_large_values_come_while_their_executor_is_open(executor):
    """Those that stay on workers are fetched when they are asked for."""

    @task
    def zeros(size):
        return bytes(size)

    with flow(lambda: zeros.map([1 << 20] * 3)).start(executor=executor) as running:
        assert [len(each.value) for each in running] == [1 << 20] * 3


def test_a_run_is_watched_from_an_event_loop_in_the_thread_of_a_server(executor, tmp_path):
    """Its loop goes on meanwhile."""
    beats, seen = [], []

    async def beat():
        while True:
            beats.append(len(seen))
            await asyncio.sleep(0.001)

    async def serve():
        beside = asyncio.create_task(beat())
        async with gated.start(str(tmp_path), [0, 1], executor=executor) as running:
            let(tmp_path, 0)
            async for task_run in running:
                seen.append(task_run.label)
                before = len(beats)
                while len(beats) < before + 3:
                    await asyncio.sleep(0)
                let(tmp_path, len(seen))
            run = await running
        beside.cancel()
        return run

    runs = []
    server = threading.Thread(target=lambda: runs.append(asyncio.run(serve())))
    server.start()
    server.join(LONG)
    assert seen == ["waits[0]", "waits[1]", "total"] and runs[0].result == 3


def test_two_runs_go_on_at_once_on_one_executor(executor, tmp_path):
    """The second one ends first where calls run beside each other."""
    folders = [tmp_path / name for name in "ab"]
    for folder in folders:
        folder.mkdir()
    with (
        gated.start(str(folders[0]), [0], executor=executor) as one,
        gated.start(str(folders[1]), [1], executor=executor) as two,
    ):
        let(folders[1], 1)
        assert two.wait(LONG).result == 3 and not one.done
        let(folders[0], 0)
        assert one.wait(LONG).result == 0


def test_leaving_the_block_ends_the_run(own_executor, tmp_path):
    """With what it runs, as far as the executor can; and an error in the block comes out."""
    with (
        pytest.raises(ZeroDivisionError),
        gated.start(str(tmp_path), range(100), executor=own_executor) as running,
    ):
        let(tmp_path, 0)
        assert next(iter(running)).value == [0] * 3
        for number in range(1, 20):  # where nothing can be stopped, what has begun comes to its end
            let(tmp_path, number)
        raise ZeroDivisionError
    assert running.done and running.run.state is RunState.CANCELLED
    assert running.counts()[TaskState.CANCELLED] >= 80
    assert len(list(running)) == 101


PROGRAM = """
import sys
import time
from pathlib import Path

from turgo import flow, get_executor, task

folder = Path(sys.argv[1])


@task
def nap(number):
    (folder / f"began-{number}").touch()
    time.sleep(1)


@flow
def naps():
    return nap.map(range(200))


def main():
    name, options = eval(sys.argv[2])
    running = naps.start(executor=name, executor_options=options)
    ENDING


GUARD
    main()
"""


PROCESSES = ("local_dask", {"scheduler": "processes", "num_workers": 2})


@pytest.fixture
def started(tmp_path):
    """Start the program, in a session of its own; at the end of the test nothing of it is left."""
    processes = []

    def start(ending, settings, guard='if __name__ == "__main__":'):
        script = tmp_path / "program.py"
        script.write_text(PROGRAM.replace("ENDING", ending).replace("GUARD", guard))
        command = [sys.executable, script, str(tmp_path), repr(settings)]
        process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)
        processes.append(process)
        return process

    yield start
    for process in processes:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


@pytest.mark.parametrize("ending", ["running.wait()", "[each for each in running]"])
@pytest.mark.parametrize("settings", [("local", {}), PROCESSES], ids=["local", "processes"])
def test_ctrl_c_ends_a_program_that_waits(started, settings, ending, tmp_path):
    """In its main thread; the run is ended with the interpreter, and no process is left."""
    process = started(ending, settings)
    end = time.monotonic() + LONG
    while not list(tmp_path.glob("began-*")) and process.poll() is None:
        assert time.monotonic() < end
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=LONG)[1]
    assert process.returncode in (130, -signal.SIGINT)
    assert said.count("Traceback") == 1 and said.rstrip().endswith("KeyboardInterrupt")
    assert _ended_group(process)


def test_processes_end_with_a_program_that_leaves_its_run_alone(started):
    """None is left, and nothing is printed."""
    process = started("next(iter(running))", PROCESSES)
    assert process.communicate(timeout=LONG)[1] == "" and process.returncode == 0
    assert _ended_group(process)


def test_a_program_without_its_guard_is_told_of_it(started, tmp_path):
    """Although it is a thread that starts the processes."""
    process = started("running.wait()", PROCESSES, guard="if 1:")
    said = process.communicate(timeout=LONG)[1]
    assert process.returncode == 1 and "put what it does behind a guard" in said
    assert not list(tmp_path.glob("began-*"))


def _ended_group(process):
    """Whether no process of the program's group is left, within a while."""
    end = time.monotonic() + LONG
    while time.monotonic() < end:
        try:
            os.killpg(process.pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.02)
    return False
