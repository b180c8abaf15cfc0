"""Limits: whether a lane may send, given what is under way."""

from turgo.config.settings import Origin, Setting
from turgo.engine.batching.tag_limits import Limits, limits_in_force


def test_a_tag_is_full_when_so_many_submissions_with_it_are_under_way():
    """And no longer when one of them landed."""
    limits = Limits({"db": 2})
    limits.took(("db",))
    assert not limits.full(("db",))
    limits.took(("db", "gpu"))
    assert limits.full(("db",)) and limits.full(("gpu", "db"))
    limits.gave(("db",))
    assert not limits.full(("db",))


def test_a_tag_without_a_limit_is_never_full():
    """Nor is anything in a run without limits."""
    limits, none = Limits({"db": 1}), Limits({})
    for _ in range(5):
        limits.took(("gpu",))
        none.took(("db", "gpu"))
    assert not limits.full(("gpu",)) and not none.full(("db", "gpu"))


def test_each_limited_tag_of_a_submission_counts_once():
    """Also one that is given twice."""
    limits = Limits({"db": 2, "net": 1})
    limits.took(("db", "db", "net"))
    assert not limits.full(("db",)) and limits.full(("net",))
    limits.gave(("db", "db", "net"))
    assert not limits.full(("db", "net"))


def test_a_variable_goes_before_the_flow_and_the_flow_before_files():
    """Tag by tag; the name of a variable has no case, as tags have."""
    files = {
        tag: Setting(("limits", tag), most, Origin("project file", "turgo.toml"))
        for tag, most in {"db": 1, "DB": 2, "net": 3, "disk": 4}.items()
    }
    variables = {
        tag: Setting(("limits", tag), most, Origin("variable", "TURGO_LIMITS__…"))
        for tag, most in {"db": 8, "new": 9}.items()
    }
    assert limits_in_force(files, {"net": 5, "own": 6}) == {"db": 1, "DB": 2, "net": 5, "disk": 4, "own": 6}
    assert limits_in_force({**files, **variables}, {"net": 5}) == {
        "db": 8,
        "DB": 8,
        "net": 5,
        "disk": 4,
        "new": 9,
    }
    assert limits_in_force({}, {}) == {}
