"""What changed since, in words."""

from turgo.journal.changes import changed_parts, changes_in_words


def test_each_changed_part_names_the_tasks_that_run_again_for_it() -> None:
    """With the calls that each of them had finished; tasks that are new say nothing."""
    before = {"score": {"a": "1", "b": "1"}, "total": {"a": "1"}}
    now = {"score": {"a": "2", "b": "1"}, "total": {"a": "2", "c": "1"}, "new": {"a": "2"}}
    assert list(changes_in_words(before, now, {"score": 2000})) == [
        "a changed: 2,000 of score, 0 of total",
        "c changed: 0 of total",
    ]
    assert list(changes_in_words(before, before, {})) == []


def test_a_part_that_is_gone_or_new_has_changed() -> None:
    """As one with another digest has."""
    assert changed_parts({"a": "1", "b": "1", "c": "1"}, {"b": "2", "c": "1", "d": "1"}) == ["a", "b", "d"]
