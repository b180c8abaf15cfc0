"""The journal within a run: what finished is taken over, and nothing else."""

import logging
import threading
from pathlib import Path

import pytest

from turgo import Skip, case, flow, merge, task
from turgo.config.load import load_config
from turgo.engine import loop
from turgo.errors import JournalError
from turgo.journal.archive import Archive
from turgo.journal.runs import all_runs
from turgo.journal.session import new_session, resumed_session
from turgo.registry.precedence import choose_executor
from turgo.registry.resolve import Registry
from turgo.runner import Launch

pytestmark = pytest.mark.usefixtures("inline_as_local")

CALLS = []


@pytest.fixture(autouse=True)
def calls():
    """What was called since it was cleared last."""
    CALLS.clear()
    return CALLS


@pytest.fixture
def trouble(tmp_path):
    """As long as this file is there, `fragile(3, …)` fails."""
    file = tmp_path / "trouble"
    file.touch()
    return str(file)


def go(made, resume=None, unsafe=False, **parameters):
    """Run a flow with a journal; a text for `resume` goes on with that run, "" with the last unfinished one."""
    config = load_config()
    start = Launch(made, choose_executor(registry=Registry(config)), config)
    if resume is None:
        session = new_session(config, made, "local", parameters)
    else:
        session = resumed_session(config, made, "local", parameters, resume)
    session.unsafe = unsafe
    graph = start.record((), parameters)
    return start.prepare(graph, (), warn=logging.warning, session=session, keep_values=True).go()


@task
def numbers(count):
    CALLS.append("numbers")
    return list(range(count))


@task
def fragile(number, trouble):
    CALLS.append(f"fragile {number}")
    if number == 3 and Path(trouble).exists():
        raise ValueError("three")
    return {"number": number}


@task
def total(found):
    CALLS.append("total")
    return sum(each["number"] for each in found)


@flow
def added(trouble):
    return total(fragile.map(numbers(5), [trouble] * 5))


def test_what_finished_does_not_run_again(calls, trouble):
    """Single calls and elements are Cached; what failed, and what did not run for it, runs."""
    assert not go(added, trouble=trouble).ok
    Path(trouble).unlink()
    calls.clear()
    run = go(added, "", trouble=trouble)
    assert run.result == 10 and calls == ["fragile 3", "total"]
    assert [str(each.state) for each in run.task_runs] == ["Cached"] * 4 + ["Success"] + ["Cached", "Success"]
    assert "in the journal" in run.explain("numbers")


def test_a_run_that_succeeded_can_be_asked_for_by_its_id_and_not_as_the_last(calls, trouble):
    """All of it is there; each value is given once for each call."""
    Path(trouble).unlink()
    first = go(added, trouble=trouble)
    calls.clear()
    assert go(added, first.id, trouble=trouble).result == 10 and calls == []
    with pytest.raises(JournalError, match="no unfinished run"):
        go(added, "", trouble=trouble)


def test_calls_that_are_alike_have_a_value_each(calls, trouble):
    """Three draws are three values, in their order."""

    @task
    def draw():
        CALLS.append("draw")
        return len(CALLS)

    @flow
    def drawn(trouble):
        first, second = draw(), draw()
        return first, second, draw.after(fragile(3, trouble))()

    go(drawn, trouble=trouble)
    assert calls == ["draw", "draw", "fragile 3"]
    Path(trouble).unlink()
    assert go(drawn, "", trouble=trouble).result == (1, 2, 5)


def test_a_value_that_a_consumer_changes_is_taken_over_as_it_was(trouble):
    """In the same process, where both hold one object."""

    @task
    def spoil(rows, trouble):
        rows.append(len(rows))
        if Path(trouble).exists():
            raise ValueError("after it was changed")
        return list(rows)

    @flow
    def spoiled(trouble):
        return [spoil(numbers(2), trouble), spoil(numbers(3), trouble)]

    go(spoiled, trouble=trouble)
    Path(trouble).unlink()
    assert go(spoiled, "", trouble=trouble).result == [[0, 1, 2], [0, 1, 2, 3]]


def test_a_constant_that_a_call_changes_counts_as_it_was(calls, trouble):
    """Of a map as well: what finished is taken over, and not for the call that had such a value from the first."""

    @task
    def spoil(row):
        CALLS.append(f"spoil {len(row)}")
        row.append(0)
        return len(row)

    @flow
    def spoiled(trouble):
        return spoil.map([[], [1], [1, 2]]), spoil([1, 2, 3]), fragile(3, trouble)

    go(spoiled, trouble=trouble)
    Path(trouble).unlink()
    calls.clear()
    assert go(spoiled, "", trouble=trouble).result == ([1, 2, 3], 4, {"number": 3})
    assert calls == ["fragile 3"]


def test_a_chain_of_numbers_shares_batches(monkeypatch):
    """In the driver's process too, though each value is kept as it was made; rows of lists are handed on one by one."""

    @task
    def more(number):
        return number + 1

    @task
    def longer(rows):
        rows.append(len(rows))
        return rows

    @flow
    def chains(length):
        number, rows = 0, []
        for _ in range(length):
            number = more(number)
        for _ in range(length):
            rows = longer(rows)
        return number, rows

    batches = []
    load = loop.load
    monkeypatch.setattr(
        loop, "load", lambda pieces, *rest: (batches.append(len(pieces)), load(pieces, *rest))[1]
    )
    run = chains.run(100, executor="local", journal=True)
    assert run.result == (100, list(range(100)))
    assert max(batches) > 10 and batches.count(1) >= 100 and sum(batches) == 200
    (facts,) = all_runs(Path(load_config().journal["folder"].value))
    earlier = Archive(facts.folder)
    taken = [earlier.take(identity) for identity in list(earlier._places)]
    assert sorted(each[0] for each in taken if each and isinstance(each[0], int)) == list(range(1, 101))
    assert sorted(len(each[0]) for each in taken if each and isinstance(each[0], list)) == list(range(1, 101))


def test_only_what_depends_on_a_value_that_is_another_runs_again(calls, trouble, tmp_path):
    """An upstream that runs again and returns the same lets what follows it be taken over."""
    source = tmp_path / "source"
    source.write_text("1 2")

    @task(files=["path"])
    def count(path):
        CALLS.append("count")
        return {"number": len(Path(path).read_text().split())}

    @flow
    def counted(trouble, source):
        return total([count(source)]), fragile(3, trouble)

    go(counted, trouble=trouble, source=str(source))
    source.write_text("3 4")
    calls.clear()
    go(counted, "", trouble=trouble, source=str(source))
    assert calls == ["count", "fragile 3"]
    source.write_text("3 4 5")
    Path(trouble).unlink()
    calls.clear()
    assert go(counted, "", trouble=trouble, source=str(source)).result == (3, {"number": 3})
    assert sorted(calls) == ["count", "fragile 3", "total"]


def test_a_case_that_was_taken_is_taken_again(calls, trouble):
    """Its condition is Cached; maps in it run, and so does what asks a trigger of something that failed."""

    @task(trigger="all_finished")
    def tidy(found):
        CALLS.append("tidy")

    @flow
    def branched(trouble):
        with case(len_of(numbers(5)), 5):
            spread = fragile.map(numbers(5), [trouble] * 5)
            tidied = tidy(fragile(3, trouble))
        return total(merge(spread)), tidied

    @task
    def len_of(found):
        return len(found)

    assert not go(branched, trouble=trouble).ok
    calls.clear()
    run = go(branched, "", trouble=trouble)
    assert run.task_runs.by_task()["case"].states == {"Cached": 1}
    assert sorted(calls) == ["fragile 3", "fragile 3", "tidy"]
    Path(trouble).unlink()
    assert go(branched, "", trouble=trouble).result == (10, None)


def test_what_is_not_kept_runs_again(calls, trouble):
    """A task that opts out, a value that cannot be pickled, and what takes that; a skip too."""

    @task(journal=False)
    def quiet():
        CALLS.append("quiet")

    @task
    def lock():
        CALLS.append("lock")
        return threading.Lock()

    @task
    def locked(lock):
        CALLS.append("locked")
        return lock.locked()

    @task
    def skipped():
        CALLS.append("skipped")
        raise Skip

    @flow
    def mixed(trouble):
        return quiet(), locked(lock()), skipped(), fragile(3, trouble)

    for resume in (None, ""):
        calls.clear()
        assert not go(mixed, resume, trouble=trouble).ok
        assert sorted(calls) == ["fragile 3", "lock", "locked", "quiet", "skipped"]


def test_a_run_in_code_writes_a_journal_if_it_is_told_to(calls, trouble):
    """And goes on from there."""
    first = added.run(trouble=trouble, journal=True)
    Path(trouble).unlink()
    calls.clear()
    assert go(added, first.id, trouble=trouble).result == 10 and calls == ["fragile 3", "total"]


def test_another_flow_or_one_that_runs_is_refused(trouble):
    """By name and in words."""
    first = go(added, trouble=trouble)

    @flow
    def other(trouble):
        return total([])

    with pytest.raises(JournalError, match=r"is one of .*:added, not of .*other"):
        go(other, first.id, trouble=trouble)
    session = resumed_session(load_config(), added, "local", {"trouble": trouble}, first.id)
    with pytest.raises(JournalError, match="being run by another driver"):
        go(added, first.id, trouble=trouble)
    session.end()


@task(idempotent=False)
def pay(amount, trouble):
    CALLS.append("pay")
    if Path(trouble).exists():
        raise ConnectionError("was it paid?")
    return amount


@flow
def paid(trouble):
    return pay(3, trouble)


def test_a_call_that_may_not_be_made_twice_is_not_made_again(calls, trouble):
    """As it began in an earlier session; with leave, it is. One that brought a value is taken over."""
    go(paid, trouble=trouble)
    Path(trouble).unlink()
    run = go(paid, "", trouble=trouble)
    assert calls == ["pay"]
    assert str(run.task_runs[0].state) == "Crashed" and "only --rerun-unsafe" in str(run.task_runs[0].error)
    again = go(paid, "", unsafe=True, trouble=trouble)
    assert again.result == 3 and calls == ["pay", "pay"]
    (name,) = {facts.id for facts in all_runs(Path(load_config().journal["folder"].value))}
    assert go(paid, name, trouble=trouble).result == 3 and calls == ["pay", "pay"]


def test_that_it_begins_is_on_the_disk_before_it_runs(calls, trouble):
    """Seen from within the call."""
    seen = []

    @task(idempotent=False)
    def looks():
        (facts,) = all_runs(Path(load_config().journal["folder"].value))
        seen.extend(Archive(facts.folder)._begun.values())

    flow(name="looked")(lambda: looks()).run(journal=True)
    assert seen == [1]
