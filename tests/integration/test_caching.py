"""Caching does the same on every executor, and the entries of one serve all others."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import cloudpickle
import numpy
import pytest

from turgo import flow, get_executor, task, unmapped
from turgo.records.states import TaskState

cloudpickle.register_pickle_by_value(sys.modules[__name__])  # the workers do not have this file

SHAPE = (20, 500)
"""Of an array that is large enough to stay on a worker."""

ENGINES = ("local", "threads", "processes", "synchronous", "dask", "inline")


@pytest.fixture
def noted(tmp_path: Path):
    """What tasks wrote into the file `path` since the last look, sorted."""

    class Noted:
        path = str(tmp_path / "notes")

        def taken(self) -> list[str]:
            file = Path(self.path)
            lines = file.read_text().split() if file.exists() else []
            file.unlink(missing_ok=True)
            return sorted(lines)

    return Noted()


def note(path: str, text: object) -> None:
    """One line in a file, written at once, from whichever process."""
    with open(path, "ab", buffering=0) as file:
        file.write(f"{text}\n".encode())


def by_number(arguments):
    return str(arguments["number"])


@task(cache_key=by_number)
def square(number, path):
    note(path, number)
    return number * number


@task(cache_key="inputs")
def drawn(seed, path):
    note(path, seed)
    return numpy.random.default_rng(seed).random(SHAPE)


@task(cache_key="inputs")
def norm(array, path):
    note(path, "norm")
    return float(numpy.linalg.norm(array))


@task
def plain(number):
    return number + 1


@task
def total(values):
    return sum(values)


def cached(run) -> int:
    return run.task_runs.counts().get(TaskState.CACHED, 0)


def test_what_was_computed_is_found_in_the_next_run(executor, noted):
    """Single calls, elements, a map after a map, a reduction: cached and computed ones together give the same."""

    @flow
    def squares(these):
        many = plain.map(square.map(these, unmapped(noted.path)))
        one = square(100, noted.path)
        return many, total(many), plain(one)

    first = squares.run([1, 2, 3], executor=executor)
    assert noted.taken() == ["1", "100", "2", "3"]
    assert first.result == ([2, 5, 10], 17, 10001) and cached(first) == 0
    second = squares.run([4, 3, 2, 5, 1], executor=executor)
    assert noted.taken() == ["4", "5"]
    assert second.result == ([17, 10, 5, 26, 2], 60, 10001) and cached(second) == 4


def test_a_value_that_nothing_takes_is_kept_all_the_same(executor, noted):
    """The flow neither returns it nor gives it to a task; in another flow it is there, and not None."""

    @flow
    def aside():
        square(5, noted.path)
        square.map([6, 7], unmapped(noted.path))

    @flow
    def taken():
        return square(5, noted.path), square.map([6, 7], unmapped(noted.path))

    assert aside.run(executor=executor).ok
    run = taken.run(executor=executor)
    assert run.result == (25, [36, 49]) and cached(run) == 3
    assert noted.taken() == ["5", "6", "7"]


def test_arrays_are_found_whether_they_came_from_a_worker_or_from_the_cache(executor, noted):
    """A large argument has the same key each time, wherever it is; so a chain is Cached from end to end."""

    @flow
    def norms():
        arrays = drawn.map([1, 2, 3], unmapped(noted.path))
        return norm.map(arrays, unmapped(noted.path)), norm(drawn(4, noted.path), noted.path)

    first, second = norms.run(executor=executor), norms.run(executor=executor)
    assert noted.taken() == ["1", "2", "3", "4", "norm", "norm", "norm", "norm"]
    assert first.ok and second.ok, (first.error, second.error)
    assert first.result == second.result and cached(second) == 8


def test_large_values_of_other_tasks_are_looked_at_wherever_they_are(executor, noted):
    """Arrays of a task that is not cached, single, mapped, and one that is spread, are arguments of cached ones."""
    made = task(drawn.fn)

    @task(cache_key="inputs")
    def product(row, array, path):
        note(path, "product")
        return float((array @ row).sum())

    @flow
    def norms():
        arrays = made.map([1, 2], unmapped("/dev/null"))
        one = made(3, "/dev/null")
        mapped = norm.map(arrays, unmapped(noted.path))
        return (
            mapped,
            norm(one, noted.path),
            norm(arrays, noted.path),
            product.map(one, unmapped(one), unmapped(noted.path)),
        )

    first, second = norms.run(executor=executor), norms.run(executor=executor)
    assert first.ok and second.ok, (first.error, second.error)
    assert first.result == second.result and len(first.result[3]) == 20
    assert cached(second) == 4 + 20 and len(noted.taken()) == 4 + 20


def test_one_executor_finds_what_another_one_computed(executor, noted):
    """A key depends on the call and on nothing else."""

    @flow
    def norms():
        return norm.map(drawn.map([1, 2], unmapped(noted.path)), unmapped(noted.path))

    expected = norms.run(executor=executor).result
    assert len(noted.taken()) == 4
    with get_executor("local").start() as local:
        run = norms.run(executor=local)
    assert run.result == expected and cached(run) == 4 and not noted.taken()


def test_a_store_behind_a_url_serves_as_a_folder_does(executor, noted, monkeypatch):
    """Here the memory of the driver; the workers need no fsspec."""
    import fsspec

    fsspec.filesystem("memory").store.clear()
    monkeypatch.setenv("TURGO_CACHE__URL", "memory://team/cache")

    @flow
    def squares():
        return square.map(range(20), unmapped(noted.path))

    assert squares.run(executor=executor).result == squares.run(executor=executor).result
    assert len(noted.taken()) == 20
    assert len(fsspec.filesystem("memory").ls("/team/cache")) == 20
    fsspec.filesystem("memory").store.clear()


def test_a_failure_among_cached_elements_is_that_element_s_alone(executor, noted):
    """The others come from the cache in the next run, and the failed one is tried again."""

    @task(cache_key=by_number)
    def odd(number, path):
        note(path, number)
        if number == 2:
            raise ValueError("on purpose")
        return number

    @flow
    def some():
        return odd.map(range(4), unmapped(noted.path))

    expected = [TaskState.SUCCESS, TaskState.SUCCESS, TaskState.FAILED, TaskState.SUCCESS]
    assert [each.state for each in some.run(executor=executor).task_runs] == expected
    assert noted.taken() == ["0", "1", "2", "3"]
    expected = [TaskState.CACHED, TaskState.CACHED, TaskState.FAILED, TaskState.CACHED]
    assert [each.state for each in some.run(executor=executor).task_runs] == expected
    assert noted.taken() == ["2"]


SCRIPT = """
import sys
from turgo import flow, task, unmapped

@task(cache_key="inputs")
def measure(name, options, path):
    with open(path, "ab", buffering=0) as file:
        file.write(b".")
    return {name: sorted(options)}

@flow
def measured(path):
    options = [{f"o{j}" for j in range(i % 7)} for i in range(200)]
    return measure.map([f"n{i}" for i in range(200)], options, unmapped(path))

if __name__ == "__main__":
    run = measured.run(path=sys.argv[1])
    assert run.result[6] == {"n6": ["o0", "o1", "o2", "o3", "o4", "o5"]}, run.result[6]
    print(len([each for each in run.task_runs if each.state == "Cached"]))
"""


def test_processes_share_the_folder(tmp_path: Path) -> None:
    """Three runs at once, and one after them, each with a seed of its own: nobody fails, the last computes nothing."""
    script, calls = tmp_path / "measured.py", tmp_path / "calls"
    script.write_text(textwrap.dedent(SCRIPT))
    command = [sys.executable, str(script), str(calls)]

    def started(seed: int) -> subprocess.Popen[str]:
        environment = {**os.environ, "PYTHONHASHSEED": str(seed), "XDG_CACHE_HOME": str(tmp_path / "cache")}
        return subprocess.Popen(
            command, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )

    for process in [started(seed) for seed in (1, 2, 3)]:
        _, said = process.communicate(timeout=60)
        assert process.returncode == 0 and not said, said
    computed = calls.stat().st_size
    assert 200 <= computed <= 600
    last = started(4)
    out, said = last.communicate(timeout=60)
    assert (last.returncode, out.strip(), said, calls.stat().st_size) == (0, "200", "", computed)


def test_a_flow_file_and_a_script_share_what_they_cached(tmp_path: Path) -> None:
    """`python measured.py` and `turgo run measured.py` know the task by the same key."""
    script, calls = tmp_path / "measured.py", tmp_path / "calls"
    script.write_text(textwrap.dedent(SCRIPT))
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache")}
    ways = (
        [sys.executable, str(script), str(calls)],
        [sys.executable, "-m", "turgo", "run", str(script), "-p", f"path={calls}"],
    )
    for command in ways:
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stderr
    assert calls.stat().st_size == 200
    assert "Cached" in done.stderr


def test_an_edited_helper_and_a_changed_file_never_give_the_old_value(tmp_path, edit):
    """A module beside the flow, and what lies behind a path: each runs only what depends on it again."""
    (tmp_path / "rules.py").write_text("LEAST = 10\n\ndef counts(number):\n    return number >= LEAST\n")
    (tmp_path / "numbers.txt").write_text("\n".join(map(str, range(20))))
    (tmp_path / "work.py").write_text(
        textwrap.dedent(
            """
            from pathlib import Path
            import rules
            from turgo import flow, task

            @task(cache_key="inputs")
            def read(path):
                return [int(line) for line in path.read_text().split()]

            @task(cache_key="inputs")
            def total(numbers):
                return sum(number for number in numbers if rules.counts(number))

            @flow
            def work(path="numbers.txt"):
                return total(read(Path(path)))
            """
        )
    )

    def run() -> str:
        command = [sys.executable, "-m", "turgo", "run", "-q", "work.py"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True)
        return done.stdout.strip()

    assert run() == run() == str(sum(range(10, 20)))
    edit(tmp_path / "rules.py", "LEAST = 18\n\ndef counts(number):\n    return number >= LEAST\n")
    assert run() == str(18 + 19)
    (tmp_path / "numbers.txt").write_text("18\n20")
    assert run() == "38"
