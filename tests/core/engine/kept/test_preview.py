"""What a resumed run would do, said without doing it."""

import pytest

from turgo import flow, merge, task, unmapped
from turgo.config.load import load_config
from turgo.engine.kept.preview import changes_since, preview
from turgo.journal.session import archive_of

pytestmark = pytest.mark.usefixtures("inline_as_local")

RAN = []


@task
def numbers(count):
    RAN.append("numbers")
    return list(range(count))


@task
def fragile(number):
    RAN.append(number)
    if number == 1:
        raise ValueError("one")
    return number


@task
def total(found):
    return sum(found)


@flow
def added():
    return total(fragile.map(numbers(3)))


def test_what_is_taken_over_and_what_runs_is_counted_by_task():
    """A map whose width is not known counts once; nothing runs for it."""
    run = added.run(journal=True)
    RAN.clear()
    earlier = archive_of(load_config(), added, {}, run.id)
    found = preview(added.record(), earlier)
    assert (found.taken, found.left) == (
        {"numbers": 1, "fragile": 2, "total": 0},
        {"numbers": 0, "fragile": 1, "total": 1},
    )
    assert found.changes == [] and RAN == []
    assert str(found.outline).splitlines() == [
        "added",
        "  numbers  would be taken over",
        "    fragile ×3  2 would be taken over, 1 would run",
        "      total  would run",
    ]


def test_without_an_earlier_run_all_of_it_would_run():
    """A map of unknown width counts once, and is not counted in the tree; what no call is made for is no call."""
    found = preview(flow(name="cut")(lambda: merge(total(fragile.map(numbers(3))[0]), 0)).record(), None)
    assert found.taken == {"numbers": 0, "fragile": 0, "total": 0} and found.changes == []
    assert found.left == {"numbers": 1, "fragile": 1, "total": 1}
    assert str(found.outline).splitlines() == [
        "cut",
        "  numbers  would run",
        "    fragile ×?  would run",
        "      item",
        "        total  would run",
        "          merge",
    ]


def test_what_may_not_be_made_twice_is_not_among_what_would_run():
    """Nor is what waits for it: a single call, or a map of known width as a whole."""
    once = fragile.with_options(idempotent=False)
    both = task(name="both")(lambda number, other: number)

    @flow
    def paid():
        single = once.with_options(name="single")(1)
        return once.map([0, 1]), total([single]), both.map([1, 2, 3], unmapped(single)), numbers(2)

    run = paid.run(journal=True)
    found = preview(paid.record(), archive_of(load_config(), paid, {}, run.id))
    assert found.taken == {"single": 0, "fragile": 1, "total": 0, "both": 0, "numbers": 1}
    assert found.refused == {"single": 1, "fragile": 1, "total": 1, "both": 3, "numbers": 0}
    assert not any(found.left.values())
    assert "    both ×3  3 would not run" in str(found.outline).splitlines()


def test_changed_code_is_told_with_the_calls_that_it_costs():
    """Those that had finished."""
    run = added.run(journal=True)
    earlier = archive_of(load_config(), added, {}, run.id)
    other = flow(name="added")(lambda: fragile.with_options(name="numbers")(1))
    said = changes_since(other.record(), earlier)
    assert [line for line in said if line.endswith("changed: 1 of numbers")]


def test_a_map_of_known_width_counts_with_all_its_elements():
    """Also where it goes over another map."""
    wide = flow(name="wide")(lambda: total(fragile.map(fragile.map([0, 2, 4]))))
    failing = flow(name="wide")(lambda: fragile(1))
    run = failing.run(journal=True)
    found = preview(wide.record(), archive_of(load_config(), failing, {}, run.id))
    assert found.left == {"fragile": 6, "total": 1}
