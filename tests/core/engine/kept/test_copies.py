"""Large values that stay on workers are copied by them, and taken over."""

from pathlib import Path

import pytest

from turgo import flow, task
from turgo.config.load import load_config
from turgo.engine.outcome.recorded import recorded_explanation
from turgo.journal.runs import all_runs, columns_of
from turgo.journal.session import new_session, resumed_session
from turgo.registry.precedence import choose_executor
from turgo.registry.resolve import Registry
from turgo.registry.source_files import load_source
from turgo.runner import Launch
from turgo.worker.values import copies

KeepingExecutor = load_source(Path(__file__).parents[2] / "keeping_executor.py").KeepingExecutor

CALLS: list[str] = []


@pytest.fixture(autouse=True)
def calls():
    """What was called since it was cleared last."""
    CALLS.clear()
    return CALLS


@task
def image(seed):
    CALLS.append(f"image {seed}")
    return bytes([seed]) * 200_000


@task
def listed(seed):
    CALLS.append("listed")
    return [f"{seed} {number}" * 10 for number in range(10_000)]


@task
def first(value):
    CALLS.append(f"first {value[:1]!r}" if len(value) > 100 else "first")
    return value[0]


@task
def end(found, trouble):
    CALLS.append("end")
    if Path(trouble).exists():
        raise ValueError("not yet")
    return len(found)


@flow
def work(trouble):
    return end([first.map(image.map([1, 2])), first(listed(3)), first.map(listed(4))], trouble)


def go(executor, trouble, resume=None):
    """Run the flow with a journal, or go on with a run."""
    config = load_config()
    chosen = choose_executor(argument=executor, registry=Registry(config))
    start = Launch(work, chosen, config)
    parameters = {"trouble": str(trouble)}
    given = (config, work, "keeping", parameters)
    session = new_session(*given) if resume is None else resumed_session(*given, resume)
    return start.prepare(
        start.record((), parameters), (), warn=print, session=session, keep_values=False
    ).go()


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder that workers reach too."""
    monkeypatch.setenv("TURGO_JOURNAL__VALUES", str(tmp_path / "values"))
    return tmp_path / "values"


@pytest.fixture
def trouble(tmp_path):
    """As long as this file is there, the last call fails."""
    file = tmp_path / "trouble"
    file.touch()
    return file


def explained(state: Path, task: str) -> str:
    """What is said of a task run of the last run."""
    run = all_runs(state / "state" / "turgo" / "runs")[0]
    return recorded_explanation(columns_of(run.folder), run.id, ended_by="", killed=False)(task)


@pytest.mark.parametrize("typed", [False, True])
def test_nothing_that_finished_runs_again(typed, place, trouble, calls, no_settings_of_the_user):
    """Large values, a list that is mapped over, and what was computed of them; they do not come home for it."""
    executor = KeepingExecutor(typed=typed)
    assert not go(executor, trouble).ok
    assert sum(executor.came.values()) < 500_000, "of 2.4 MB"
    assert explained(no_settings_of_the_user, "image[1]").endswith("its value is kept.")
    trouble.unlink()
    calls.clear()
    run = go(KeepingExecutor(typed=typed), trouble, "")
    assert run.result == 3 and calls == ["end"]


def test_without_such_a_place_they_are_not_kept(trouble, calls, no_settings_of_the_user):
    """It is noted why, and they run again, as does what takes them."""
    assert not go(KeepingExecutor(), trouble).ok
    assert "it stays on a worker" in explained(no_settings_of_the_user, "image[1]")
    trouble.unlink()
    calls.clear()
    assert go(KeepingExecutor(), trouble, "").result == 3
    assert {"image 1", "image 2", "listed", "end"} <= set(calls)


@pytest.mark.parametrize("fault", ["not written", "not seen", "too large", "lost"])
def test_a_copy_that_is_not_there_is_noted(
    fault, place, trouble, calls, monkeypatch, no_settings_of_the_user
):
    """The run is none the worse for it, and its call runs again."""
    executor, why = KeepingExecutor(), fault
    if fault == "not written":
        monkeypatch.setattr(copies, "_write_file", no_room)
        why = "No space left"
    elif fault == "not seen":
        monkeypatch.setattr(copies, "_write_file", lambda path, payload: None)
        why = "where this machine does not see it"
    elif fault == "too large":
        monkeypatch.setenv("TURGO_JOURNAL__MAX_VALUE_BYTES", "100000")
        why = "it is larger than 100,000 bytes"
    else:
        executor, why = KeepingExecutor(forgets=("image", "copy")), "gone with its worker"
    assert not go(executor, trouble).ok
    said = explained(no_settings_of_the_user, "image[1]") + explained(no_settings_of_the_user, "image[0]")
    assert "is not kept" in said and why in said, said
    trouble.unlink()
    calls.clear()
    assert go(KeepingExecutor(), trouble, "").result == 3
    assert "end" in calls and any(call.startswith("image") for call in calls)


def no_room(path, payload):
    raise OSError(28, "No space left on device")
