"""Random programs with branches in branches end as Python's own `if` says."""

import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from turgo import Skip, case, flow, merge, task

pytestmark = pytest.mark.usefixtures("inline_as_local")

SKIPPED = object()

statements = st.deferred(
    lambda: st.lists(
        st.one_of(
            st.tuples(st.just("call"), st.integers(0, 9), st.sampled_from(["plain", "skips", "stubborn"])),
            st.tuples(st.just("map"), st.integers(0, 9), st.integers(0, 3)),
            st.tuples(st.just("merge"), st.lists(st.integers(0, 9), min_size=1, max_size=3)),
            st.tuples(st.just("case"), st.integers(0, 2), statements),
        ),
        max_size=4,
    )
)


@task
def number(value):
    return value


@task
def plain(value):
    return 1 if value is None else value + 1


@task
def skips(value):
    raise Skip("on purpose")


@task(skip_on_upstream_skip=False, trigger="all_finished")
def stubborn(value):
    return 100 if value is None else value + 100


@task
def summed(values):
    return sum(values)


CALLS = {"plain": plain, "skips": skips, "stubborn": stubborn}


def record(body, known):
    """Record a program; every statement adds a result to those that later ones may use."""
    for kind, which, *more in body:
        if kind == "call":
            known.append(CALLS[more[0]](known[which % len(known)]))
        elif kind == "map":
            known.append(summed(plain.map([known[which % len(known)]] * more[0])))
        elif kind == "merge":
            known.append(merge(*[known[each % len(known)] for each in which]))
        else:
            with case(known[0], which):
                record(more[0], known)


def evaluate(body, known, taken=True):
    """The same as plain Python."""
    for kind, which, *more in body:
        if kind == "case":
            evaluate(more[0], known, taken and known[0] == which)
        elif not taken:
            known.append(SKIPPED)
        elif kind == "merge":
            values = [known[each % len(known)] for each in which]
            known.append(next((value for value in values if value is not SKIPPED), SKIPPED))
        else:
            value = known[which % len(known)]
            known.append(called(kind, value, more[0]))


def called(kind, value, how):
    if kind == "map":
        return SKIPPED if value is SKIPPED and how else (value + 1) * how if how else 0
    if how == "stubborn":
        return 100 if value is SKIPPED else value + 100
    return SKIPPED if value is SKIPPED or how == "skips" else value + 1


@settings(max_examples=100 if "SHORT_TESTS" in os.environ else 300, deadline=None, derandomize=True)
@given(statements, st.integers(0, 2))
def test_a_program_of_branches_ends_as_plain_python_does(body, first):
    """Values and skips alike, whichever branches are taken."""

    def program():
        known = [number(first)]
        record(body, known)
        return known

    expected = [first]
    evaluate(body, expected)
    run = flow(program).run(executor="local")
    assert run.ok, run.error
    assert run.result == [None if value is SKIPPED else value for value in expected]
