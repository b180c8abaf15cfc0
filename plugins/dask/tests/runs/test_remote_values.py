"""Large values stay on the workers of a real cluster: dask sees their size, moves them, and makes lost ones again."""

import gc
import os
import signal
import time

import dask.sizeof
import distributed
import pytest

from turgo import flow, task, unmapped
from turgo_dask import DaskExecutor

SIZE = 4 * 2**20
"""Bytes of a value."""


class Counting(DaskExecutor):
    """Counts the bytes of what comes to the driver."""

    came = 0

    def wait(self, futures):
        values = super().wait(futures)
        type(self).came += dask.sizeof.sizeof(values)
        return values


@pytest.fixture(scope="module")
def shared():
    """A cluster of two processes that outlives runs, with an executor on it that counts what comes home."""
    options = {"n_workers": 2, "threads_per_worker": 1, "silence_logs": 50, "host": "127.0.0.1"}
    options |= {"dashboard_address": "127.0.0.1:0"}
    with distributed.LocalCluster(**options) as local, Counting(cluster_class=local).start() as executor:
        Counting.came = 0
        yield executor, local


@task
def make(seed):
    """Four MiB."""
    return bytes([seed]) * SIZE


@task
def first(value):
    """The first byte, and how many there are."""
    return value[0], len(value)


class Sizes(distributed.SchedulerPlugin):
    """Notes the size of each call's value that is in memory, as dask accounts for it."""

    name = "sizes"

    def __init__(self, scheduler):
        self.scheduler, self.found = scheduler, []

    def transition(self, key, start, finish, *args, **kwargs):
        """A call went from one state into another."""
        if finish == "memory":
            self.found.append((str(key).split("-")[0], self.scheduler.tasks[key].nbytes))


@pytest.fixture
def sizes(shared):
    """What is noted of the calls of a test."""
    _, local = shared
    plugin = Sizes(local.scheduler)
    local.scheduler.add_plugin(plugin)
    yield plugin.found
    local.scheduler.remove_plugin("sizes")


def keys_of(local):
    """What the scheduler knows, once it had time to hear what is no longer wanted."""
    for _ in range(600):
        gc.collect()
        if not local.scheduler.tasks:
            break
        time.sleep(0.05)
    return sorted(local.scheduler.tasks)


def test_values_go_from_worker_to_worker_and_no_key_is_left(shared):
    """Twenty values of 4 MiB are made and read, and the driver gets less than a tenth of one."""
    executor, local = shared

    @flow
    def read():
        values = make.map(range(20))
        return first.after(values).map(values)

    assert read.run(executor=executor).result == [(seed, SIZE) for seed in range(20)]
    assert Counting.came < SIZE / 10
    assert keys_of(local) == []


def test_dask_accounts_for_the_true_size(shared, sizes):
    """While a value is kept, the scheduler knows of a call whose value is as large."""
    executor, _ = shared

    @flow
    def waiting():
        return first(make(1))

    assert waiting.run(executor=executor).result == (1, SIZE)
    assert SIZE <= max(size for _, size in sizes) < SIZE * 1.1


def test_a_large_constant_reaches_the_scheduler_once(shared, sizes):
    """A table of 4 MiB that 40 calls take is one call of its own, and not 40 copies."""
    executor, local = shared
    table = bytes(range(256)) * (SIZE // 256)

    @task(batch=False)
    def look(index, table):
        return table[index]

    @flow
    def looked():
        return look.map(range(40), unmapped(table))

    assert looked.run(executor=executor).result == list(range(40))
    assert [name for name, _ in sizes].count("constant") == 1
    assert keys_of(local) == []


def test_values_of_a_worker_that_is_killed_are_made_again_and_no_others(small, tmp_path):
    """What the dead worker had is made once more; what the other one has, and what was small, is not."""
    made, told = tmp_path / "made", tmp_path / "told"

    def note(file, text):
        with file.open("a") as lines:
            lines.write(text + "\n")

    @task(batch=False)
    def noted(number):
        note(made, f"{number} {os.getpid()}")
        end = time.monotonic() + 20
        while len({line.split()[1] for line in made.read_text().splitlines()}) < 2 and time.monotonic() < end:
            time.sleep(0.05)  # until both workers have made one
        return bytes([number]) * SIZE

    @task(batch=False)
    def little(number):
        note(told, str(number))
        return number

    @task
    def kill(values):
        pids = {int(line.split()[1]) for line in made.read_text().splitlines()}
        (pid,) = pids - {os.getpid()}  # the other one, as it would only lose itself
        os.kill(pid, signal.SIGKILL)
        time.sleep(0.5)  # so that the scheduler has noticed before the values are asked for
        return pid

    @flow
    def losing():
        values = noted.map(range(8))
        littles = little.map(range(8))
        killed = kill.after(values)(littles)
        return first.after(killed).with_options(crash_retries=3).map(values), killed

    with small.start() as executor:
        run = losing.run(executor=executor)
    values, killed = run.result
    assert values == [(number, SIZE) for number in range(8)]
    lines = [line.split() for line in made.read_text().splitlines()]
    lost = sorted(number for number, pid in lines[:8] if int(pid) == killed)
    assert lost and sorted(number for number, _ in lines[8:]) == lost
    assert sorted(map(int, told.read_text().split())) == list(range(8))
